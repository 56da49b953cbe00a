"""Small OneRoster folders for tests: a good one, and ways to spoil it."""

from __future__ import annotations

from pathlib import Path

from rollbook.sample.writing import HEADERS

ROWS: dict[str, list[dict[str, str]]] = {
    "orgs": [{"sourcedId": "school", "name": "The School", "type": "school"}],
    "academicSessions": [
        {
            "sourcedId": "year",
            "title": "Year",
            "type": "schoolYear",
            "startDate": "2026-09-01",
            "endDate": "2027-07-01",
        },
        {"sourcedId": "term", "title": "Term", "type": "term", "startDate": "2026-09-01", "endDate": "2027-02-01"},
    ],
    "courses": [{"sourcedId": "maths", "title": "Maths", "orgSourcedId": "school"}],
    "users": [
        {"sourcedId": "t1", "role": "teacher", "givenName": "Nikos", "familyName": "Vasilakis"},
        {"sourcedId": "s1", "role": "student", "givenName": "Maria", "familyName": "Papadaki"},
        {"sourcedId": "s2", "role": "student", "givenName": "Jan", "familyName": "Kowalski"},
    ],
    "classes": [{"sourcedId": "c1", "title": "7A Maths", "classType": "scheduled", "courseSourcedId": "maths"}],
    "enrollments": [
        {"sourcedId": "e1", "userSourcedId": "t1", "role": "teacher"},
        {"sourcedId": "e2", "userSourcedId": "s1", "role": "student"},
        {"sourcedId": "e3", "userSourcedId": "s2", "role": "student"},
    ],
}
DEFAULTS: dict[str, dict[str, str]] = {
    "users": {"enabledUser": "true", "orgSourcedIds": "school"},
    "classes": {"schoolSourcedId": "school", "termSourcedIds": "term"},
    "enrollments": {
        "classSourcedId": "c1",
        "schoolSourcedId": "school",
        "beginDate": "2026-09-01",
        "endDate": "2027-07-01",
    },
}
MANIFEST = "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\n" + "".join(
    f"file.{name},bulk\n" for name in HEADERS
)


def write(folder: Path, **changes: list[dict[str, str]]) -> Path:
    """A folder with the good rows, `changes` instead of those of the files they name; columns of theirs stand at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, header in HEADERS.items():
        rows = changes.get(name, ROWS[name])
        columns = list(dict.fromkeys([*header.split(), *(column for row in rows for column in row)]))
        lines = [",".join(columns)]
        for row in rows:
            full = {"username": row.get("sourcedId", ""), **DEFAULTS.get(name, {}), **row}
            lines.append(",".join(quoted(full.get(column, "")) for column in columns))
        (folder / f"{name}.csv").write_text("\r\n".join(lines) + "\r\n", encoding="utf-8")
    (folder / "manifest.csv").write_text(MANIFEST, encoding="utf-8")
    return folder


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(c in cell for c in ',"\n') else cell


def with_row(name: str, /, **row: str) -> dict[str, list[dict[str, str]]]:
    """The good rows of a file and one more."""
    return {name: [*ROWS[name], row]}
