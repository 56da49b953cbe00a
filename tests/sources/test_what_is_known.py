"""What a OneRoster 1.1 delivery says of a person beyond the format's own columns: extension columns, ids, departments, lengths."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from tests.sources.folder import ROWS, with_row, write

from rollbook import sources
from rollbook.roster.findings import Severity

NEW = {"sourcedId": "s3", "role": "student", "givenName": "Eleni", "familyName": "Makri"}


def read(folder: Path, **changes):
    """The roster of a folder with these rows, and the findings that are no notes."""
    reading = sources.read(write(folder, **changes))
    return reading.roster, [f for f in reading.findings if f.severity in (Severity.WARNING, Severity.REJECTED)]


def of_eleni(roster, table, *columns):
    person = roster.people.filter(sourced_id="s3")["person"][0]
    return getattr(roster, table).filter(person=person).select(columns).row(0)


PLAIN = ("metadata.externalId", "metadata.gradeType", "metadata.stream", "metadata.registrationEndDate")


@pytest.mark.parametrize(
    "names",
    [
        PLAIN,
        ("metadata.external_id", "metadata.grade_type", "metadata.Stream", "metadata.registration_end_date"),
        ("metadata.ExternalID", "metadata.GradeType", "metadata.track", "metadata.registrationEnd"),
    ],
)
def test_extension_columns_are_understood_in_any_of_their_spellings(tmp_path: Path, names):
    row = NEW | dict(zip(PLAIN, ("X-7", "Science", "Music", "2027-01-31"), strict=True))
    users = write(tmp_path / "r", **with_row("users", **row)) / "users.csv"
    header, _, rows = users.read_text().partition("\n")
    for plain, name in zip(PLAIN, names, strict=True):
        header = header.replace(plain, name)
    users.write_text(f"{header}\n{rows}")
    roster = sources.read(tmp_path / "r").roster

    assert of_eleni(roster, "people", "external_id", "registration_end") == ("X-7", dt.date(2027, 1, 31))
    assert of_eleni(roster, "affiliations", "grade_type", "stream") == ("Science", "Music")


def test_without_them_a_roster_reads_as_before_and_nothing_is_known(tmp_path: Path):
    roster, _ = read(tmp_path / "r", **with_row("users", **NEW))

    assert of_eleni(roster, "people", "external_id", "registration_end") == (None, None)
    assert of_eleni(roster, "affiliations", "department", "grade_type", "stream") == (None, None, None)


def test_what_is_wrong_in_an_extension_column_never_costs_the_row(tmp_path: Path):
    row = NEW | {"metadata.registrationEndDate": "31/1/2027"}
    roster, found = read(tmp_path / "r", **with_row("users", **row))

    assert of_eleni(roster, "people", "registration_end") == (None,)
    assert [(f.severity, f.code, f.column, f.value) for f in found if f.code == "not-a-date"] == [
        (Severity.WARNING, "not-a-date", "metadata.registrationEndDate", "31/1/2027")
    ]


@pytest.mark.parametrize(
    ("cell", "external", "told"),
    [
        ("{LDAP:abc},{Fed:x@y}", "abc", []),
        ("{ Fed : x@y }", "x@y", []),
        ("{LDAP:},{Fed:x@y}", "x@y", []),
        ("{DN:cn=Eleni,ou=7A}", "cn=Eleni,ou=7A", []),
        ("4711, 4712", "4711", []),
        ("7", "7", []),
        ("[]", None, []),
        ("", None, []),
        ("{LDAP:}", None, ["no-id"]),
    ],
)
def test_the_external_id_is_the_first_id_of_user_ids(tmp_path: Path, cell, external, told):
    roster, found = read(tmp_path / "r", **with_row("users", **NEW, userIds=cell))

    assert of_eleni(roster, "people", "external_id") == (external,)
    assert [f.code for f in found if f.column == "userIds"] == told


def test_an_external_id_of_its_own_wins_over_user_ids(tmp_path: Path):
    roster, _ = read(tmp_path / "r", **with_row("users", **NEW, userIds="{LDAP:abc}", **{"metadata.externalId": "X"}))

    assert of_eleni(roster, "people", "external_id") == ("X",)


ORGS = [
    *ROWS["orgs"],
    {"sourcedId": "north", "name": "North", "type": "school", "parentSourcedId": "school"},
    {"sourcedId": "science", "name": "Science", "type": "department", "parentSourcedId": "north"},
    {"sourcedId": "physics", "name": "Physics", "type": "department", "parentSourcedId": "science"},
    {"sourcedId": "office", "name": "Office", "type": "department", "parentSourcedId": "school"},
]


@pytest.mark.parametrize(
    ("orgs", "location", "department"),
    [
        ("north", "North", None),
        ("north,science", "North", "Science"),
        ("science,north", "North", "Science"),
        ("physics,science", "North", "Physics"),
        ("school,north", None, None),
        ("office", None, "Office"),
    ],
)
def test_the_department_is_the_first_org_that_is_one_and_the_location_the_first_that_is_none(
    tmp_path: Path, orgs, location, department
):
    roster, _ = read(tmp_path / "r", orgs=ORGS, **with_row("users", **NEW, orgSourcedIds=orgs))

    names = dict(roster.locations.select("location", "name").iter_rows()) | {None: None}
    assert tuple(names[key] for key in of_eleni(roster, "affiliations", "location", "department")) == (
        location,
        department,
    )


def test_whoever_also_teaches_is_in_the_same_department(tmp_path: Path):
    users = [*ROWS["users"], NEW | {"role": "administrator", "orgSourcedIds": "north,science"}]
    teaching = {"sourcedId": "e9", "userSourcedId": "s3", "role": "teacher"}
    roster, _ = read(tmp_path / "r", orgs=ORGS, users=users, enrollments=[*ROWS["enrollments"], teaching])

    person = roster.people.filter(sourced_id="s3")["person"][0]
    mine = roster.affiliations.filter(person=person)
    assert sorted(mine["user_type"].to_list()) == ["employee", "teacher"]
    assert mine["department"].n_unique() == mine["location"].n_unique() == 1
    assert mine["department"].null_count() == 0


def test_a_text_longer_than_the_format_keeps_is_cut_with_a_warning_and_an_id_rejected(tmp_path: Path):
    long = NEW | {"familyName": "Λ" * 256, "grades": "K" * 300 + ",2", "metadata.stream": "x" * 255}
    users = [*ROWS["users"], long, {**NEW, "sourcedId": "i" * 256}]
    roster, found = read(tmp_path / "r", users=users)

    assert of_eleni(roster, "people", "family_name") == ("Λ" * 255,)
    assert of_eleni(roster, "affiliations", "stream") == ("x" * 255,)
    assert roster.grades["name"].str.len_chars().max() == 255
    told = {(f.severity.value, f.column) for f in found if f.code == "too-long"}
    assert told == {
        ("warning", "familyName"),
        ("warning", "grades"),
        ("rejected", "sourcedId"),
        ("warning", "username"),
    }
