"""What Microsoft gave goes back: accounts as rows, over the emulated tenant."""

from __future__ import annotations

import csv
import io

import pytest
from tests.apply.wire import connected, control, opened, synchronized, users_of
from tests.store.world import ACTOR, Frozen, a_school, deliver
from tests.world import AUTUMN

from rollbook.acts import profiles
from rollbook.acts.accounts import ACCOUNTS, accounts, exported
from rollbook.acts.profiles import Author
from rollbook.acts.spreadsheet import Columns, as_csv, read_file, write_file
from rollbook.errors import FileInvalid, InputRefused
from rollbook.roster.vocabulary import UserType
from rollbook.store.models import Trail


def rows(institute, day=AUTUMN, user_type=None):
    """The export, read as any spreadsheet reads it, by sourced id."""
    text, _ = exported(institute, day, user_type, Author(ACTOR, Frozen()))
    return {row["sourced_id"]: row for row in csv.DictReader(io.StringIO(text))}


def a_varied_school():
    """A teacher, two pupils, a parent nobody manages, and a pupil of whose name no user name can be made."""
    school = a_school(2)
    school.person("Anna Parent", "parent")
    school.person("! !", "student")
    return school


def test_everybody_stands_there_with_account_state_and_reason(store, tenant):
    school = a_varied_school()
    institute = connected(school, tenant)
    synchronized(institute)
    deliver(school.leaves("Pupil No1"))
    synchronized(institute)

    found = rows(institute)
    held = {user["displayName"]: user for user in users_of(tenant)}
    assert list(found) == sorted(found)
    assert {key: (row["user_type"], row["state"], row["sso"]) for key, row in found.items()} == {
        "p1": ("teacher", "active", "yes"),
        "p2": ("student", "active", "yes"),
        "p3": ("student", "disabled", "yes"),
        "p4": ("parent", "none", "no"),
        "p5": ("student", "waiting", "no"),
    }
    assert found["p1"]["user_name"] == held["Nikos Vasilakis"]["userPrincipalName"]
    assert found["p1"]["object_id"] == held["Nikos Vasilakis"]["id"]
    assert found["p1"]["sis_number"] == "S1"
    assert found["p5"]["why"] == "no user name can be made from what the register says"
    assert not found["p4"]["why"]
    assert list(rows(institute, user_type=UserType.PARENT)) == ["p4"]


def test_before_the_plan_is_carried_out_everybody_waits(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    with opened(institute) as session:
        plan, _ = session.plan()
        session.save(plan)

    assert {(row["state"], row["why"]) for row in rows(institute).values()} == {
        ("waiting", "planned, not carried out yet")
    }
    assert {row["sso"] for row in rows(institute).values()} == {"no"}


def test_whoever_left_the_register_stays_in_the_list_as_long_as_there_is_an_account(sqlite_store, tenant):
    school = a_school(30)
    institute = connected(school, tenant)
    synchronized(institute)
    gone = school.people.pop("Pupil No29")
    school.types = [row for row in school.types if row["person"] != gone["person"]]
    school.enrolments = [row for row in school.enrolments if row["person"] != gone["person"]]
    deliver(school)
    synchronized(institute)

    assert rows(institute)[gone["sourced_id"]]["state"] == "disabled"


def test_sign_in_follows_the_profile_of_today_else_the_last_that_ran(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    author = Author(ACTOR, Frozen())
    assert {row["sso"] for row in rows(institute).values()} == {"no"}
    synchronized(institute)
    profiles.disable(profiles.find(institute, "Suggested"), author)

    assert {row["sso"] for row in rows(institute).values()} == {"yes"}


def test_an_export_is_noted_in_the_trail_without_names(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    rows(institute)

    entry = Trail.objects.get(action="accounts.exported")
    assert entry.content == {"rows": 2, "user_type": None}


def test_no_cell_is_taken_for_a_formula_and_all_are_read_back_as_they_were(tmp_path):
    import polars as pl

    cells = [
        "=1+1",
        "+30",
        "-x",
        "@here",
        "'=1",
        "''-",
        "plain",
        "'quoted'",
        'with "quotes", commas',
        None,
        "ends\nhere",
    ]
    frame = pl.DataFrame({"sourced_id": cells, "mail": cells[::-1]})
    file = tmp_path / "cells.csv"
    write_file(file, as_csv(frame))

    with file.open(newline="") as written:
        assert not [row for row in csv.reader(written) if any(cell[:1] in "=+-@" and cell for cell in row)]
    columns = Columns(("sourced_id", "mail"), [("sourced_id",)])
    assert read_file(file, columns).drop("line").equals(frame)
    assert oct(file.stat().st_mode)[-3:] == "600"


def test_a_file_with_wrong_columns_or_rows_is_refused_with_all_its_mistakes(tmp_path):
    columns = Columns(("sourced_id", "mail"), [("sourced_id",), ("mail", "object_id")])
    file = tmp_path / "wrong.csv"
    file.write_text("sourced_id;colour\np1;red;x\n\np2\n")

    with pytest.raises(FileInvalid) as refused:
        read_file(file, columns)
    assert [line for line, _ in refused.value.mistakes] == [1, 1, 2, 4]
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(InputRefused, match="UTF-8"):
        read_file(file, columns)
    with pytest.raises(InputRefused, match="cannot be read"):
        read_file(tmp_path / "missing.csv", columns)
    file.write_text("\n")
    with pytest.raises(InputRefused, match="empty"):
        read_file(file, columns)


def test_the_frame_has_exactly_the_columns_it_promises(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    synchronized(institute)
    control(tenant, "/counters/reset", {})

    assert accounts(institute, AUTUMN).columns == ["person", "link", *ACCOUNTS]
    assert control(tenant, "/counters")["requests"] == 0
