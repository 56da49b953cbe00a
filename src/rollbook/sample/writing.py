"""A sample school as a OneRoster 1.1 CSV folder in bulk mode (roster-formats.md sections 1 and 2): UTF-8, CRLF, with manifest."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from rollbook.sample.school import SampleSchool

HEADERS: dict[str, str] = {
    "orgs": "sourcedId status dateLastModified name type identifier parentSourcedId",
    "academicSessions": "sourcedId status dateLastModified title type startDate endDate parentSourcedId schoolYear",
    "courses": (
        "sourcedId status dateLastModified schoolYearSourcedId title courseCode grades orgSourcedId subjects subjectCodes"
    ),
    "classes": (
        "sourcedId status dateLastModified title grades courseSourcedId classCode classType location schoolSourcedId "
        "termSourcedIds subjects subjectCodes periods"
    ),
    "users": (
        "sourcedId status dateLastModified enabledUser orgSourcedIds role username userIds givenName familyName middleName "
        "identifier email sms phone agentSourcedIds grades password metadata.stream"
    ),
    "enrollments": (
        "sourcedId status dateLastModified classSourcedId schoolSourcedId userSourcedId role primary beginDate endDate"
    ),
}

ABSENT = ("categories", "classResources", "courseResources", "demographics", "lineItems", "resources", "results")


def write(school: SampleSchool, folder: Path) -> None:
    """Write the school into `folder`, which is made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, header in HEADERS.items():
        columns = header.split()
        rows = getattr(school, name)
        cells = {column: [_cell(row.get(column)) for row in rows] for column in columns}
        frame = pl.DataFrame(cells, schema=dict.fromkeys(columns, pl.String))
        frame.write_csv(folder / f"{name}.csv", line_terminator="\r\n")
    (folder / "manifest.csv").write_bytes(_manifest().encode())


def _cell(value: object) -> str | None:
    """Text as it stands in the file; an empty cell is written as nothing at all."""
    return None if value is None or value == "" else str(value)


def _manifest() -> str:
    modes = dict.fromkeys(HEADERS, "bulk") | dict.fromkeys(ABSENT, "absent")
    lines = ["propertyName,value", "manifest.version,1.0", "oneroster.version,1.1"]
    lines += [f"file.{name},{modes[name]}" for name in sorted(modes)]
    lines += ["source.systemName,Rollbook sample school", "source.systemCode,rollbook-sample"]
    return "\r\n".join(lines) + "\r\n"
