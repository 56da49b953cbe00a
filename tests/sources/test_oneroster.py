"""OneRoster 1.1 CSV: what is accepted, what is rejected and why, what refuses the whole set."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sources.folder import MANIFEST, ROWS, with_row, write

from rollbook import sources
from rollbook.roster.findings import Severity
from rollbook.roster.former import Former
from rollbook.roster.periods import YEAR


def rejections(reading):
    return [f for f in reading.findings if f.severity is Severity.REJECTED]


def refusal(reading):
    (finding,) = [f for f in reading.findings if f.severity is Severity.REFUSED]
    assert reading.verdict.value == "refused"
    assert reading.roster is None
    assert finding.remedy
    return finding.message


def test_a_good_folder_is_usable_and_nothing_is_rejected(tmp_path: Path):
    reading = sources.read(write(tmp_path / "r"))

    assert (reading.format, reading.verdict.value) == ("oneroster-1.1-csv", "usable")
    assert all(count.rejected == 0 for count in reading.files.values())
    roster = reading.roster
    assert (roster.people.height, roster.enrolments.height, roster.teachings.height) == (3, 2, 1)
    assert roster.people["line"].to_list() == [2, 3, 4]


def test_a_zip_and_a_wrapping_folder_read_the_same(tmp_path: Path):
    folder = write(tmp_path / "r")
    plain, wrapped = tmp_path / "plain.zip", tmp_path / "wrapped.zip"
    for path, prefix in ((plain, ""), (wrapped, "export/")):
        with zipfile.ZipFile(path, "w") as archive:
            for file in folder.iterdir():
                archive.write(file, prefix + file.name)

    expected = sources.read(folder).roster.enrolments
    assert sources.read(plain).roster.enrolments.equals(expected)
    assert sources.read(wrapped).roster.enrolments.equals(expected)


def test_a_real_roster_is_read_without_a_single_rejection(shared: Path):
    reading = sources.read(shared / "data" / "or11-small-gospelnerd")

    assert reading.verdict.value == "usable"
    assert reading.files["users.csv"].read == 79
    assert not rejections(reading)
    assert reading.roster.groups.height == 6


def test_a_byte_order_mark_quotes_blanks_and_missing_final_newline_are_understood(tmp_path: Path):
    folder = write(
        tmp_path / "r",
        **with_row("users", sourcedId="s3", role=" student ", givenName='An"na', familyName="O'Neil, Jr"),
    )
    users = folder / "users.csv"
    users.write_bytes(b"\xef\xbb\xbf" + users.read_bytes().rstrip(b"\r\n"))

    people = sources.read(folder).roster.people

    assert people.filter(sourced_id="s3").select("given_name", "family_name").row(0) == ('An"na', "O'Neil, Jr")


@pytest.mark.parametrize(
    ("file", "row", "column", "code"),
    [
        (
            "users",
            {"sourcedId": "s1", "role": "student", "givenName": "x", "familyName": "y"},
            "sourcedId",
            "id-repeated",
        ),
        ("users", {"sourcedId": "s9", "role": "wizard", "givenName": "x", "familyName": "y"}, "role", "word-unknown"),
        ("users", {"sourcedId": "s9", "role": "student", "familyName": "y"}, "givenName", "empty"),
        (
            "users",
            {"sourcedId": "s9", "role": "student", "givenName": "x", "familyName": "y", "enabledUser": "perhaps"},
            "enabledUser",
            "not-true-or-false",
        ),
        (
            "users",
            {"sourcedId": "s9", "role": "student", "givenName": "x", "familyName": "y", "status": "tobedeleted"},
            "status",
            "not-active",
        ),
        (
            "enrollments",
            {"sourcedId": "e9", "userSourcedId": "s1", "role": "student", "beginDate": "1/9/2026"},
            "beginDate",
            "not-a-date",
        ),
        (
            "enrollments",
            {"sourcedId": "e9", "userSourcedId": "s1", "role": "student", "endDate": "2027-02-30"},
            "endDate",
            "not-a-date",
        ),
        (
            "enrollments",
            {"sourcedId": "e9", "userSourcedId": "nobody", "role": "student"},
            "userSourcedId",
            "points-nowhere",
        ),
        (
            "classes",
            {"sourcedId": "c9", "title": "x", "classType": "scheduled", "courseSourcedId": "no"},
            "courseSourcedId",
            "points-nowhere",
        ),
        (
            "classes",
            {
                "sourcedId": "c9",
                "title": "x",
                "classType": "scheduled",
                "courseSourcedId": "maths",
                "termSourcedIds": "never",
            },
            "termSourcedIds",
            "points-nowhere",
        ),
    ],
)
def test_a_bad_row_is_rejected_with_its_place_and_reason_and_never_stops_the_rest(
    tmp_path: Path, file, row, column, code
):
    reading = sources.read(write(tmp_path / "r", **with_row(file, **row)))

    (finding,) = rejections(reading)
    assert (finding.file, finding.line, finding.column, finding.code) == (
        f"{file}.csv",
        len(ROWS[file]) + 2,
        column,
        code,
    )
    assert finding.message
    assert finding.remedy
    assert reading.verdict.value == "usable-with-rejects"
    count = reading.files[f"{file}.csv"]
    assert (count.read, count.accepted, count.rejected) == (len(ROWS[file]) + 1, len(ROWS[file]), 1)


def test_whoever_refers_to_a_rejected_row_is_rejected_too_and_told_why(tmp_path: Path):
    users = [*ROWS["users"][:2], {**ROWS["users"][2], "role": "wizard"}]

    reading = sources.read(write(tmp_path / "r", users=users))

    assert [(f.file, f.code) for f in rejections(reading)] == [
        ("users.csv", "word-unknown"),
        ("enrollments.csv", "points-nowhere"),
    ]


def test_a_row_with_too_many_cells_is_rejected_with_its_line(tmp_path: Path):
    folder = write(tmp_path / "r")
    users = folder / "users.csv"
    users.write_text(users.read_text() + "s9" + ",x" * 40 + "\n", encoding="utf-8")

    reading = sources.read(folder)

    (finding,) = rejections(reading)
    assert (finding.code, finding.line) == ("too-many-cells", 5)
    assert reading.files["users.csv"].read == 4


def test_enumerations_in_another_case_are_understood_with_a_note(tmp_path: Path):
    reading = sources.read(
        write(tmp_path / "r", **with_row("users", sourcedId="s3", role="Student", givenName="x", familyName="y"))
    )

    assert reading.roster.people.height == 4
    assert "word-case" in {f.code for f in reading.findings}


@pytest.mark.parametrize("missing", ["users.csv", "classes.csv", "enrollments.csv", "orgs.csv"])
def test_a_missing_file_refuses_the_set(tmp_path: Path, missing: str):
    folder = write(tmp_path / "r")
    (folder / missing).unlink()

    assert missing in refusal(sources.read(folder))


def test_a_missing_column_refuses_the_set(tmp_path: Path):
    folder = write(tmp_path / "r")
    users = folder / "users.csv"
    users.write_text(users.read_text().replace("familyName", "FamilyName"), encoding="utf-8")

    assert "familyName" in refusal(sources.read(folder))


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (MANIFEST.replace("oneroster.version,1.1", "oneroster.version,1.2"), "1.2"),
        (MANIFEST.replace("file.users,bulk", "file.users,delta"), "delta"),
        (MANIFEST.replace("file.users,bulk", "file.users,absent"), "users.csv"),
        (MANIFEST + "file.demographics,bulk\n", "demographics.csv"),
        (MANIFEST.replace("file.users,bulk", "file.users,sometimes"), "sometimes"),
        ("nothing here", "oneroster.version"),
    ],
)
def test_the_manifest_is_obeyed(tmp_path: Path, manifest: str, said: str):
    folder = write(tmp_path / "r")
    (folder / "manifest.csv").write_text(manifest, encoding="utf-8")

    assert said in refusal(sources.read(folder))


def test_without_a_manifest_the_columns_decide_with_a_warning(tmp_path: Path):
    folder = write(tmp_path / "r")
    (folder / "manifest.csv").unlink()

    reading = sources.read(folder)

    assert reading.verdict.value == "usable"
    assert "no-manifest" in {f.code for f in reading.findings}


def test_several_topmost_orgs_ask_for_the_institute(tmp_path: Path):
    folder = write(tmp_path / "r", **with_row("orgs", sourcedId="other", name="Other School", type="school"))

    assert "topmost" in refusal(sources.read(folder))
    assert sources.read(folder, institute="school").roster.people.height == 3
    assert "nowhere" in refusal(sources.read(folder, institute="nowhere"))


def test_what_is_no_roster_at_all_is_refused_with_a_sentence(tmp_path: Path):
    empty, letter, broken = tmp_path / "empty.zip", tmp_path / "letter.txt", tmp_path / "broken.zip"
    zipfile.ZipFile(empty, "w").close()
    letter.write_text("Dear parents")
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("users.csv", "x" * 1000)
    broken.write_bytes(broken.read_bytes()[:60] + b"\0" * 40 + broken.read_bytes()[100:])
    folder = tmp_path / "sds"
    folder.mkdir()
    (folder / "School.csv").write_text("SIS ID,Name\n1,x\n")

    assert "nothing at" in refusal(sources.read(tmp_path / "missing"))
    assert "no CSV files" in refusal(sources.read(empty))
    assert "neither a folder nor a zip" in refusal(sources.read(letter))
    assert refusal(sources.read(broken))
    assert "School.csv" in refusal(sources.read(folder))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x00\x01\x02" * 50, "not a CSV"),
        (b"sourcedId;status;role\n1;;student\n", "semicolons"),
        ("sourcedId,status\nx,ä\n".encode("latin-1"), "lacks"),
        (b"", "lacks"),
    ],
)
def test_a_file_that_is_no_csv_refuses_the_set(tmp_path: Path, content: bytes, said: str):
    folder = write(tmp_path / "r")
    (folder / "users.csv").write_bytes(content)

    assert said in refusal(sources.read(folder))


def test_another_encoding_is_refused_with_the_line(tmp_path: Path):
    folder = write(
        tmp_path / "r", **with_row("users", sourcedId="s3", role="student", givenName="Jörg", familyName="y")
    )
    users = folder / "users.csv"
    users.write_bytes(users.read_text(encoding="utf-8").encode("latin-1"))

    message = refusal(sources.read(folder))
    assert "UTF-8" in message
    assert "line 5" in message


def test_a_register_that_shrank_to_nothing_is_refused(tmp_path: Path):
    rows = [{**row, "role": "wizard"} for row in ROWS["users"]]

    assert "No person" in refusal(sources.read(write(tmp_path / "r", users=rows)))


def test_passwords_are_neither_kept_nor_told(tmp_path: Path):
    folder = write(
        tmp_path / "r",
        **with_row("users", sourcedId="s3", role="wizard", givenName="x", familyName="y", password="hunter2"),
    )

    reading = sources.read(folder)

    assert "password" not in reading.roster.people.columns
    assert "hunter2" not in str(reading.findings)


def test_people_of_two_types_are_both(tmp_path: Path):
    users = [*ROWS["users"][:2], {**ROWS["users"][2], "agentSourcedIds": "t1"}]
    roster = sources.read(write(tmp_path / "r", users=users)).roster

    types = roster.affiliations.join(roster.people, on="person").filter(sourced_id="t1")["user_type"].to_list()
    assert sorted(types) == ["parent", "teacher"]


def test_terms_without_a_school_year_make_one_for_each_they_name(tmp_path: Path):
    days = {"2027": ("2026-09-01", "2027-07-01"), "2028": ("2027-09-01", "2028-07-01")}
    terms = [
        {
            "sourcedId": f"t{year}",
            "title": year,
            "type": "term",
            "startDate": first,
            "endDate": last,
            "schoolYear": year,
        }
        for year, (first, last) in days.items()
    ]
    classes = [ROWS["classes"][0] | {"sourcedId": f"c{n}", "termSourcedIds": f"t202{n + 6}"} for n in (1, 2)]
    roster = sources.read(write(tmp_path / "r", academicSessions=terms, classes=classes)).roster

    years = roster.academic_periods.select("period", year="sourced_id", begins=pl.col("begin").cast(pl.String))
    assert roster.classes.join(years, on="period").select("sourced_id", "year", "begins").rows() == [
        ("c1", "derived:2027", "2026-09-01"),
        ("c2", "derived:2028", "2027-09-01"),
    ]


def test_a_school_year_of_which_each_delivery_holds_another_term_stays_one(tmp_path: Path):
    def term(title: str, first: str, last: str) -> dict[str, str]:
        days = {"startDate": first, "endDate": last, "schoolYear": "2027"}
        return {"sourcedId": title, "title": title, "type": "term"} | days

    def known(folder: str, row: dict[str, str], former: pl.DataFrame) -> pl.DataFrame:
        classes = [ROWS["classes"][0] | {"termSourcedIds": row["sourcedId"]}]
        delivery = write(tmp_path / folder, academicSessions=[row], classes=classes)
        reading = sources.read(delivery, recall=lambda *_: Former(years=former))
        return reading.roster.academic_periods.select("sourced_id", "begin", "end")

    autumn = known("1", term("T1", "2026-09-01", "2026-12-20"), pl.DataFrame(schema=YEAR))
    winter = known("2", term("T2", "2027-01-07", "2027-03-31"), autumn)
    spring = known("3", term("T3", "2027-04-12", "2027-07-01"), winter)

    assert spring.rows() == [("derived:2027", dt.date(2026, 9, 1), dt.date(2027, 7, 1))]


def test_equal_findings_are_summed_with_the_first_examples(tmp_path: Path):
    rows = [
        *ROWS["users"],
        *({"sourcedId": f"w{n}", "role": "wizard", "givenName": "x", "familyName": "y"} for n in range(10)),
    ]
    findings = sources.read(write(tmp_path / "r", users=rows)).findings

    shown = [f for f in sources.summed(findings, examples=3) if f.code == "word-unknown"]

    assert [f.count for f in shown] == [1, 1, 8]


@given(st.binary(max_size=300), st.sampled_from(sorted(ROWS)))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_file_however_broken_makes_it_crash_or_lose_a_row(tmp_path: Path, garbage: bytes, name: str):
    folder = write(tmp_path / "r")
    file = folder / f"{name}.csv"
    file.write_bytes(file.read_bytes() + garbage)

    reading = sources.read(folder)

    for count in reading.files.values():
        assert count.read == count.accepted + count.rejected
    assert (reading.roster is None) == (reading.verdict.value == "refused")
