"""What a delivery is read by: the groups classes had before, and the school years that were known. On both databases."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from tests.sources.homerooms import Homerooms, two_homerooms, with_next_year
from tests.store.world import ACTOR, Frozen, a_tenant

from rollbook.acts.deliveries import Imported, import_delivery
from rollbook.desired.teams import team_classes
from rollbook.store import groupings, links
from rollbook.store.models import Grouping, Institute, Link
from rollbook.store.rosters import read_roster

KEYS_7A = {"m7a": "group_subject/group:h7a/subject:maths"}


class Deliveries:
    """Folders of one school, delivered one after the other."""

    def __init__(self, tmp_path: Path) -> None:
        self._path = tmp_path
        self._told = 0

    def take(self, school: Homerooms, **how: bool) -> Imported:
        self._told += 1
        return import_delivery(school.folder(self._path / f"{self._told}"), ACTOR, Frozen(), **how)


@pytest.fixture
def delivered(store, tmp_path) -> Deliveries:
    return Deliveries(tmp_path)


def keys(institute: Institute) -> dict[str, str]:
    """What each scheduled class is a team under, by its id."""
    roster = read_roster(institute)
    named = roster.classes.filter(pl.col("kind") == "scheduled").select("klass", "sourced_id")
    return dict(team_classes(roster, "group_subject").join(named, on="klass").select("sourced_id", "key").iter_rows())


def periods(institute: Institute) -> dict[str, str]:
    """The school year of each class, by its id."""
    roster = read_roster(institute)
    years = roster.academic_periods.select("period", year="sourced_id")
    return dict(roster.classes.join(years, on="period").select("sourced_id", "year").iter_rows())


def linked(institute: Institute, key: str) -> None:
    """A team was made under this key."""
    row = {"key": [key], "period": [1], "sourced_id": ["x"], "code": ["x"], "label": ["x"]}
    subject = groupings.remembered(institute, Grouping.Kind.TEAM, pl.DataFrame(row))
    link = links.reserve(a_tenant(institute), institute, Link.Kind.TEAM, subject.select("subject", "period"))
    Link.objects.filter(pk=int(link["link"][0])).update(object_id="o1", origin="made")


def codes(imported: Imported) -> list[str]:
    return [finding.code for finding in imported.reading.findings]


def test_a_guest_or_next_years_classes_change_no_group_also_after_the_class_was_away(delivered):
    institute = delivered.take(two_homerooms()).institute
    assert keys(institute) == KEYS_7A

    guest = delivered.take(two_homerooms().joins("s4", "m7a"))
    assert keys(institute) == KEYS_7A
    assert "class-regrouped" not in codes(guest)
    away = two_homerooms()
    away.enrolled = {pair: row for pair, row in away.enrolled.items() if pair[1] != "m7a"}
    del away.classes["m7a"]
    delivered.take(away)
    delivered.take(with_next_year(two_homerooms().joins("s4", "m7a")))
    assert keys(institute) == {
        **KEYS_7A,
        "m8a": "group_subject/group:h8a/subject:maths",
        "m8b": "group_subject/group:h8b/subject:maths",
    }


def test_a_class_most_of_whose_students_are_elsewhere_is_regrouped_and_the_import_says_so(delivered):
    institute = delivered.take(two_homerooms()).institute
    moved = two_homerooms()
    for person in ("s1", "s2"):
        moved.enrolled[person, "m7a"]["endDate"] = "2026-09-15"
    moved.joins("s4", "m7a").joins("s5", "m7a")

    imported = delivered.take(moved)

    assert keys(institute) == {"m7a": "group_subject/group:m7a/subject:maths"}
    (finding,) = [each for each in imported.reading.findings if each.code == "class-regrouped"]
    assert (finding.file, finding.line, finding.value) == ("classes.csv", 4, "m7a")
    assert "of the group m7a now, no longer of h7a" in finding.message
    assert "rollbook rollover" in finding.remedy


def test_a_class_of_its_own_joins_a_homeroom_only_where_no_team_was_made_of_it_or_somebody_says_so(delivered):
    early = two_homerooms()
    early.enrolled = {pair: row for pair, row in early.enrolled.items() if pair[1] != "m7a" or pair[0] == "t1"}
    own = "group_subject/group:m7a/subject:maths"
    institute = delivered.take(early).institute
    assert keys(institute) == {"m7a": own}
    delivered.take(two_homerooms())
    assert keys(institute) == KEYS_7A

    delivered.take(early, regroup=True)
    assert keys(institute) == {"m7a": own}
    linked(institute, own)
    delivered.take(two_homerooms())
    assert keys(institute) == {"m7a": own}
    anew = delivered.take(two_homerooms(), regroup=True)
    assert keys(institute) == KEYS_7A
    assert "derived anew" in next(each.message for each in anew.reading.findings if each.code == "class-regrouped")


def test_a_session_id_used_again_for_another_year_is_a_period_of_its_own_and_is_told(delivered):
    def of(begins: str) -> Homerooms:
        school = Homerooms().year(begins, known_as="-now")
        return school.klass("h7a", "-now", "s1", homeroom=True).klass("m7a", "-now", "s1")

    institute = delivered.take(of("2026")).institute
    assert periods(institute) == {"h7a": "year-now", "m7a": "year-now"}
    first = read_roster(institute).academic_periods["period"].to_list()

    again = delivered.take(of("2027"))

    assert periods(institute) == {"h7a": "year-now@2027-09-01", "m7a": "year-now@2027-09-01"}
    assert read_roster(institute).academic_periods["period"].to_list() != first
    (finding,) = [each for each in again.reading.findings if each.code == "period-id-reused"]
    assert (finding.file, finding.line, finding.value) == ("academicSessions.csv", 2, "year-now")
    assert "kept apart as year-now@2027-09-01" in finding.message
    assert sum(delivered.take(of("2027")).delivery.changed.values()) == 0
    delivered.take(of("2026"))
    assert read_roster(institute).academic_periods["period"].to_list() == first
