"""Deliveries: compared by content, visible all at once, cheap where nothing changed. On both databases."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import polars as pl
import pytest
from tests.store.world import a_school, deliver

from rollbook.store import deliveries
from rollbook.store.models import Delivery, Enrolment, Person, PersonRecord
from rollbook.store.rosters import read_departed, read_roster


def names(roster) -> list[str]:
    return sorted(roster.people["family_name"].to_list())


def test_what_was_delivered_is_what_is_read(store):
    school = a_school()
    institute, _, delivery = deliver(school)

    read, given = read_roster(institute), school.roster()

    assert delivery.state == "published"
    for table in ("people", "classes", "enrolments", "teachings", "affiliations", "groups", "academic_periods"):
        assert getattr(read, table).height == getattr(given, table).height, table
    assert names(read) == names(given)
    together = read.enrolments.join(read.people.select("person"), on="person").join(
        read.classes.select("klass"), on="klass"
    )
    assert together.height == 3
    assert together["begin"].dtype == pl.Date


def test_an_unchanged_delivery_writes_no_row_of_the_register(store):
    deliver(a_school())
    before = PersonRecord.objects.count() + Enrolment.objects.count()

    _, _, second = deliver(a_school())

    assert sum(second.changed.values()) == 0
    assert PersonRecord.objects.count() + Enrolment.objects.count() == before


def test_keys_stay_the_same_when_rows_change_and_when_somebody_returns(store):
    institute, _, _ = deliver(a_school(20))
    keys = dict(read_roster(institute).people.select("sourced_id", "person").iter_rows())

    changed = a_school(20)
    changed.people["Pupil No3"]["family_name"] = "Renamed"
    del changed.people["Pupil No19"]
    changed.types = [row for row in changed.types if row["person"] != 21]
    changed.enrolments = [row for row in changed.enrolments if row["person"] != 21]
    deliver(changed)
    after = dict(read_roster(institute).people.select("sourced_id", "person").iter_rows())
    deliver(a_school(20))

    assert after == {sourced_id: key for sourced_id, key in keys.items() if sourced_id != "p21"}
    assert dict(read_roster(institute).people.select("sourced_id", "person").iter_rows()) == keys
    assert Person.objects.count() == 21


def test_who_is_no_longer_delivered_has_departed_with_the_type_they_had(store):
    institute, _, _ = deliver(a_school(20))
    fewer = a_school(19)
    deliver(fewer)

    departed = read_departed(institute)

    assert departed["user_type"].to_list() == ["student"]
    assert departed["person"][0] not in read_roster(institute).people["person"].to_list()


def test_a_delivery_that_shrank_waits_until_somebody_accepts_it(store):
    institute, _, _ = deliver(a_school(20))
    _, _, staged = deliver(a_school(10))

    assert staged.state == "staged"
    assert read_roster(institute).people.height == 21

    deliveries.publish(staged)
    assert read_roster(institute).people.height == 11


def test_a_staged_delivery_nobody_accepted_leaves_nothing_behind(store):
    institute, _, _ = deliver(a_school(20))
    deliver(a_school(10))

    _, _, third = deliver(a_school(20))

    assert sum(third.changed.values()) == 0
    assert Delivery.objects.filter(state="abandoned").count() == 1
    assert read_roster(institute).people.height == 21


@pytest.mark.kill
def test_a_process_killed_while_staging_leaves_the_old_register_visible(sqlite_store: Path):
    institute, _, _ = deliver(a_school(20))
    script = """
        import os, signal
        from rollbook.store.setup import open_store
        open_store()
        from rollbook.store import deliveries
        from tests.store.world import a_school, deliver
        staged = deliveries._stage
        def die_at_the_enrolments(table, *rest):
            if table.name == "enrolments":
                os.kill(os.getpid(), signal.SIGKILL)
            return staged(table, *rest)
        deliveries._stage = die_at_the_enrolments
        deliver(a_school(25))
    """
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{sqlite_store}",
        "PYTHONPATH": os.pathsep.join(map(str, (Path(__file__).parents[2] / "src", Path(__file__).parents[2]))),
    }
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], env=environment, check=False)

    assert killed.returncode == -signal.SIGKILL
    assert Delivery.objects.get(number=2).state == "writing"
    assert read_roster(institute).people.height == 21
    assert read_roster(institute).enrolments.height == 20

    deliver(a_school(25))
    assert read_roster(institute).people.height == 26
    assert read_roster(institute).enrolments.height == 25
