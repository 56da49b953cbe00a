"""Grade levels: a table of the institute, edited through acts, joined to what is read; on both databases."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.sources.folder import ROWS, write
from tests.store.world import ACTOR, Frozen
from tests.world import AUTUMN

from rollbook.acts.deliveries import import_delivery
from rollbook.acts.grade_levels import levels_of, remove_level, set_level
from rollbook.acts.profiles import Author
from rollbook.desired import managed_people
from rollbook.desired.mapping import properties
from rollbook.errors import InputRefused
from rollbook.profiles import suggested
from rollbook.store.models import Trail
from rollbook.store.rosters import read_roster

AUTHOR = Author(ACTOR, Frozen())


@pytest.fixture
def school(store, tmp_path):
    """A school of the grades KG, 01 and 02, and what else a delivery can say of a student."""
    users = [row | {"grades": grade} for row, grade in zip(ROWS["users"], ("KG", "01", "02"), strict=True)]
    users[1] |= {"userIds": "{X:7}", "metadata.registrationEndDate": "2027-01-31", "metadata.gradeType": "Science"}
    users[1] |= {"metadata.stream": "Music " * 40, "orgSourcedIds": "school,arts"}
    department = {"sourcedId": "arts", "name": "Arts", "type": "department", "parentSourcedId": "school"}
    write(tmp_path / "r", users=users, orgs=[*ROWS["orgs"], department])
    return import_delivery(tmp_path / "r", ACTOR, Frozen()).institute


def shown(institute):
    found = levels_of(institute)
    return found.levels, found.without


def test_a_level_holds_exactly_the_grades_it_was_set_to_and_a_grade_has_one_level(school):
    assert shown(school) == ({}, ["01", "02", "KG"])

    assert set_level(school, "primary", ["kg", "01", "03"], AUTHOR) == ["03"]
    assert shown(school) == ({"primary": ["01", "03", "KG"]}, ["02"])
    assert set_level(school, "nursery", ["KG"], AUTHOR) == []
    set_level(school, "Primary", ["01", "02"], AUTHOR)
    assert shown(school) == ({"Primary": ["01", "02"], "nursery": ["KG"]}, [])

    assert remove_level(school, "primary", AUTHOR) == ["01", "02"]
    assert shown(school) == ({"nursery": ["KG"]}, ["01", "02"])
    assert [entry.action for entry in Trail.objects.order_by("-pk")[:2]] == ["grade-level.removed", "grade-level.set"]


def test_what_makes_no_level_is_refused_and_nothing_changes(school):
    set_level(school, "primary", ["01"], AUTHOR)
    entries = Trail.objects.count()

    with pytest.raises(InputRefused, match=r"no name.*A level needs grades.*at most"):
        set_level(school, " ", ["", "x" * 256], AUTHOR)
    with pytest.raises(InputRefused, match="no grade level 'lyceum'") as refused:
        remove_level(school, "lyceum", AUTHOR)
    assert refused.value.remedy == "There are: primary."
    assert shown(school) == ({"primary": ["01"]}, ["02", "KG"])
    assert Trail.objects.count() == entries


def test_what_a_delivery_and_the_table_say_arrives_at_the_properties(school):
    set_level(school, "primary", ["01", "02"], AUTHOR)
    roster = read_roster(school)
    nobody = roster.affiliations.select("person", "user_type").clear()
    rows = properties(roster, managed_people(roster, suggested(), AUTUMN, nobody), AUTUMN)

    maria = rows.filter(id="s1").row(0, named=True)
    assert (maria["grade"], maria["grade_level"], maria["grade_type"]) == ("01", "primary", "Science")
    assert (maria["external_id"], maria["registration_end_date"]) == ("7", "2027-01-31")
    assert (maria["stream"], maria["department"], maria["institute"]) == (("Music " * 40).strip(), "Arts", "The School")
    assert roster.people["registration_end"].to_list() == [None, dt.date(2027, 1, 31), None]
    assert rows.filter(id="t1")["grade_level"].to_list() == [None]


def test_what_is_known_of_people_is_not_written_again_by_an_equal_delivery(school, tmp_path):
    again = import_delivery(tmp_path / "r", ACTOR, Frozen()).delivery

    assert sum(again.changed.values()) == 0
