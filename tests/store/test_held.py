"""Held enrolments: released in bulk, remembered over deliveries by the register's key, held again; on both databases."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import polars as pl
import pytest
from django.db import connection
from tests.apply.wire import set_profile
from tests.store.world import ACTOR, NOW, Frozen, deliver
from tests.world import AUTUMN, School

from rollbook.acts.held import Request, held, hold_again, release
from rollbook.acts.profiles import Author
from rollbook.errors import InputRefused
from rollbook.roster.selection import Wanted
from rollbook.store import releases, trail
from rollbook.store.memory import InstituteRegister
from rollbook.store.models import EnrolmentRelease, Institute, Klass, Trail

AUTHOR = Author(ACTOR, Frozen())
START = dt.date(2026, 9, 15)


def a_school() -> School:
    """Two classes; everybody began with the year."""
    school = School().klass("10A", teachers=["Nikos Vasilakis"], students=["Maria Papadaki", "Jan Kowalski"])
    return school.klass("7A Maths", teachers=["Nikos Vasilakis"], students=["Maria Papadaki", "Yael Cohen"])


@pytest.fixture
def institute(store: str) -> Institute:
    """The school with a sync start date."""
    found, _, _ = deliver(a_school())
    set_profile(found, enrolments__sync_start_date=str(START))
    return found


def asked(institute: Institute, **wanted: tuple[str, ...]) -> Request:
    return Request(institute, Wanted(**wanted), AUTUMN, AUTHOR)


def listed(institute: Institute, **wanted: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(each.title, each.name) for each in held(asked(institute, **wanted)).enrolments]


def test_who_is_held_is_listed_by_class_and_name_with_a_reason_and_what_to_do(institute):
    assert listed(institute) == [
        ("7A Maths", "Yael Cohen"),
        ("7A Maths", "Maria Papadaki"),
        ("10A", "Jan Kowalski"),
        ("10A", "Maria Papadaki"),
    ]
    found = held(asked(institute))
    assert (found.profile, found.since, found.people, found.why_nothing) == ("Suggested", START, 3, "")
    yael = found.enrolments[0]
    assert yael.reason == "The enrolment began on 2026-09-01, before the sync start date 2026-09-15."
    assert yael.remedy == "Release it with: rollbook release p4"
    assert "Yael" not in repr(found)


def test_a_release_is_remembered_over_deliveries_and_the_trail_says_it_without_names(institute):
    done = release(asked(institute, people=("p2",)))

    assert (done.enrolments, done.people) == (2, 1)
    assert listed(institute) == [("7A Maths", "Yael Cohen"), ("10A", "Jan Kowalski")]
    deliver(a_school().klass("7A Maths", students=["New Comer"]), accepted=True)
    assert listed(institute) == [("7A Maths", "Yael Cohen"), ("7A Maths", "New Comer"), ("10A", "Jan Kowalski")]
    entry = Trail.objects.order_by("-pk").filter(action="enrolments.released").get()
    assert entry.content == {"count": 2, "enrolments": InstituteRegister(institute).released().to_list()}
    assert trail.digest(entry) == entry.digest
    assert set(EnrolmentRelease.objects.values_list("actor", "at")) == {(ACTOR.name, NOW)}


def test_an_enrolment_that_went_and_came_back_is_still_released(institute):
    release(asked(institute))
    deliver(a_school().drops("Yael Cohen", "7A Maths"), accepted=True)
    deliver(a_school(), accepted=True)

    assert listed(institute) == []
    assert held(asked(institute)).why_nothing.endswith(
        "began on the sync start date 2026-09-15 or later, or is released."
    )


def test_a_class_is_released_without_the_other_classes_of_its_people(institute):
    release(asked(institute, classes=("10A",)))

    assert listed(institute) == [("7A Maths", "Yael Cohen"), ("7A Maths", "Maria Papadaki")]
    assert listed(institute, groups=("10A",)) == []


def test_what_was_released_twice_counts_once_and_changes_nothing_the_second_time(institute):
    release(asked(institute))
    entries = Trail.objects.count()
    again = release(asked(institute))

    assert (again.enrolments, again.people) == (0, 0)
    assert "Nothing is held" in again.why_nothing
    keys = InstituteRegister(institute).released()
    assert releases.release(institute, keys, "tester", NOW).is_empty()
    assert Trail.objects.count() == entries
    assert EnrolmentRelease.objects.count() == 4


def test_a_release_is_taken_back_for_those_who_are_named_or_for_everybody(institute):
    release(asked(institute))
    back = hold_again(asked(institute, people=("p3",), classes=("7A Maths",)))

    assert (back.enrolments, back.people) == (3, 3)
    assert listed(institute) == [("7A Maths", "Yael Cohen"), ("7A Maths", "Maria Papadaki"), ("10A", "Jan Kowalski")]
    assert hold_again(asked(institute)).enrolments == 1
    assert len(listed(institute)) == 4
    assert hold_again(asked(institute)).enrolments == 0
    assert Trail.objects.filter(action="enrolments.held_again").count() == 2


def test_taking_back_everything_forgets_releases_of_what_left_the_register_too(institute):
    release(asked(institute))
    deliver(a_school().drops("Yael Cohen", "7A Maths"), accepted=True)
    back = hold_again(asked(institute))

    assert (back.enrolments, back.people) == (4, 2)
    assert InstituteRegister(institute).released().is_empty()


def test_why_nothing_is_held_is_said(institute):
    assert "or is released" in held(asked(institute, people=("p1",))).why_nothing
    set_profile(institute, enrolments__student="none")
    assert "no student is in a team" in held(asked(institute)).why_nothing
    set_profile(institute, enrolments__sync_start_date=None)
    assert "the profile Suggested has no sync start date" in held(asked(institute)).why_nothing
    assert "no sync start date" in release(asked(institute)).why_nothing
    with pytest.raises(InputRefused, match="no class 'Physics'"):
        held(asked(institute, classes=("Physics",)))


def test_classes_of_one_title_are_told_apart(institute):
    Klass.objects.update(title="Maths")

    assert {title for title, _ in listed(institute)} == {"Maths (c1)", "Maths (c2)"}


def test_releases_of_one_institute_say_nothing_of_another(institute):
    other = Institute.objects.create(organisation=institute.organisation, name="Other", sourced_id="other")
    release(asked(institute))

    assert InstituteRegister(other).released().to_list() == []
    assert releases.forget(other, InstituteRegister(institute).released()).is_empty()
    assert EnrolmentRelease.objects.count() == 4


def test_two_who_release_the_same_at_once_release_it_once(institute):
    keys = pl.Series(range(1, 2001), dtype=pl.Int64)
    done: list[int] = []

    def work() -> None:
        try:
            done.append(len(releases.release(institute, keys, "tester", NOW)))
        finally:
            connection.close()

    threads: list[Any] = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(done) == [0, 0, 2000]
    assert releases.released(institute).to_list() == keys.to_list()
