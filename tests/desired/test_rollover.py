"""Which teams end, go on and begin, by the day and the profile; which may be one chat; which groups are left over."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from tests.profiles.making import profile_with
from tests.years import Years, two_years

from rollbook.desired import managed_nodes, managed_people, managed_teams
from rollbook.desired.rollover import LINKED, left_over, turn
from rollbook.profiles import Profile, suggested

AUTUMN, SUMMER = dt.date(2026, 10, 1), dt.date(2027, 8, 10)
LEAD, NEXT = dt.date(2027, 8, 20), dt.date(2027, 9, 1)
OLD_7A, NEW_8A, NEW_7A = "7A Maths 2027", "8A Maths 2028", "7A Maths 2028"


def profile(**settings) -> Profile:
    return profile_with(suggested(), **settings)


def linked_on(school: Years, day: dt.date, settings: Profile | None = None, *, archived: bool = False) -> pl.DataFrame:
    """Every team that a synchronization on this day would have made, linked."""
    made = managed_teams(school.roster(), settings or suggested(), day).teams.sort("period", "key")
    return (
        made.with_row_index("link", 101)
        .with_columns(archived=pl.lit(archived))
        .select(LINKED.keys())
        .cast(pl.Schema(LINKED))
    )


def told(school: Years, day: dt.date, linked: pl.DataFrame, settings: Profile | None = None) -> dict[str, tuple]:
    """state, why and day of each team, by group and year."""
    found = turn(school.roster(), settings or suggested(), day, linked).teams
    years = dict(enumerate(school.years, 1))
    return {
        f"{_group(row['key'])} {years.get(row['period'], '?')}": (row["state"], row["why"], row["day"])
        for row in found.iter_rows(named=True)
    }


def _group(key: str) -> str:
    return " ".join(part.partition(":")[2] for part in key.split("/")[1:])


def test_in_autumn_this_years_team_goes_on_and_next_years_begin_on_their_first_day():
    school = two_years()

    assert told(school, AUTUMN, linked_on(school, AUTUMN)) == {
        OLD_7A: ("continues", None, None),
        NEW_8A: ("begins", None, NEXT),
        NEW_7A: ("begins", None, NEXT),
    }


def test_over_the_summer_and_in_the_lead_days_nothing_ends():
    school = two_years()
    linked = linked_on(school, AUTUMN)

    assert told(school, SUMMER, linked)[OLD_7A] == ("continues", None, None)
    assert told(school, LEAD, linked) == {
        OLD_7A: ("continues", None, None),
        NEW_8A: ("begins", None, None),
        NEW_7A: ("begins", None, None),
    }


def test_from_the_day_the_next_year_counts_last_years_team_ends():
    school = two_years()
    linked = linked_on(school, LEAD)
    assert linked.height == 3

    assert told(school, NEXT, linked) == {
        OLD_7A: ("ends", "period_over", None),
        NEW_8A: ("continues", None, None),
        NEW_7A: ("continues", None, None),
    }


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"teams__create": "nothing"}, "nothing"),
        ({"teams__create": "group"}, "mode_changed"),
        ({"academic_period": "2028"}, "period_over"),
        ({"left_out__classes": ["7A-Maths-2027"]}, "out_of_scope"),
    ],
)
def test_a_team_the_profile_no_longer_asks_for_ends_and_says_why(settings, why):
    school = two_years()
    changed = profile(**settings)

    assert told(school, AUTUMN, linked_on(school, AUTUMN), changed)[OLD_7A] == ("ends", why, None)


def test_what_ended_with_its_year_says_so_even_if_the_mode_changed_too():
    school = two_years()
    linked = linked_on(school, AUTUMN)

    assert told(school, NEXT, linked, profile(teams__create="group"))[OLD_7A] == ("ends", "period_over", None)


def test_a_later_year_than_the_profiles_own_is_another_period():
    school = two_years()
    this_year = profile(academic_period="2027")
    linked = linked_on(school, NEXT)

    found = told(school, AUTUMN, linked, this_year)

    assert found[NEW_8A] == ("ends", "other_period", None)
    assert found[OLD_7A] == ("begins", None, None)


def test_a_team_of_the_coming_year_that_is_there_already_goes_on_from_its_first_day():
    school = two_years()

    assert told(school, AUTUMN, linked_on(school, NEXT))[NEW_8A] == ("continues", None, NEXT)


def test_next_years_profile_tells_what_begins_before_its_year_counts():
    school = two_years()

    assert told(school, AUTUMN, linked_on(school, AUTUMN), profile(academic_period="2028")) == {
        OLD_7A: ("ends", "period_over", None),
        NEW_8A: ("begins", None, NEXT),
        NEW_7A: ("begins", None, NEXT),
    }


def test_a_class_or_a_year_that_left_the_register_ends():
    school = two_years().taught("7B", "Maths", "2027", "Anna Ioannou", ["Other Pupil"])
    linked = linked_on(school, AUTUMN)
    del school.taught_in["7A", "Maths", "2027"]
    school.enrolments = [row for row in school.enrolments if row["klass"] != 1]
    school.teachings = [row for row in school.teachings if row["klass"] != 1]

    assert told(school, AUTUMN, linked)[OLD_7A] == ("ends", "class_gone", None)
    renumbered = linked.with_columns(period=pl.lit(99, dtype=pl.Int64))
    assert told(school, AUTUMN, renumbered)["7A Maths ?"] == ("ends", "class_gone", None)


def test_a_team_without_anybody_is_still_managed_while_its_class_is_there():
    school = two_years()
    linked = linked_on(school, AUTUMN)
    school.enrolments = [row for row in school.enrolments if row["klass"] != 1]
    school.teachings = [row for row in school.teachings if row["klass"] != 1]
    school.taught("7B", "Maths", "2027", "Anna Ioannou", ["Other Pupil"])

    assert told(school, AUTUMN, linked)[OLD_7A] == ("continues", None, None)


def pairs(school: Years, day: dt.date, linked: pl.DataFrame, settings: Profile | None = None) -> list[tuple]:
    """(key of what is there, key of what begins, same group, shared, students, before) of every candidate."""
    found = turn(school.roster(), settings or suggested(), day, linked).candidates
    named = found.join(linked.select("link", old="key"), on="link", maintain_order="left")
    columns = ("old", "key", "same_group", "shared", "students", "before")
    return [(_group(old), _group(key), *rest) for old, key, *rest in named.select(columns).iter_rows()]


@pytest.mark.parametrize("day", [AUTUMN, SUMMER, NEXT])
def test_the_same_people_and_the_same_group_are_candidates_and_told_apart(day):
    school = two_years()

    assert pairs(school, day, linked_on(school, AUTUMN)) == [
        ("7A Maths", "7A Maths", True, 0, 3, 3),
        ("7A Maths", "8A Maths", False, 3, 3, 3),
    ]


def test_few_students_in_common_are_no_candidate():
    school = two_years().taught("9A", "Maths", "2028", "X Y", ["Pupil No0", "Z One", "Z Two", "Z Three"])

    assert [pair[1] for pair in pairs(school, NEXT, linked_on(school, AUTUMN))] == ["7A Maths", "8A Maths"]


def test_of_several_with_the_same_people_the_same_subject_comes_first_then_the_same_teacher():
    pupils = ["One A", "Two B"]
    school = Years()
    for subject, teacher in (("Art", "T Art"), ("Greek", "T Two"), ("Maths", "T Maths"), ("Sports", "T Two")):
        school.taught("7A", subject, "2027", teacher, pupils)
    school.taught("8A", "Maths", "2028", "T Two", pupils)

    found = pairs(school, NEXT, linked_on(school, AUTUMN))

    assert [pair[0] for pair in found] == ["7A Maths", "7A Greek", "7A Sports"]


def test_a_changed_mode_finds_the_team_of_the_same_people_in_the_same_year():
    school = two_years()

    found = pairs(school, AUTUMN, linked_on(school, AUTUMN), profile(teams__create="group"))

    assert found[0] == ("7A Maths", "7A", False, 3, 3, 3)


def test_archived_teams_and_those_of_a_later_period_are_no_candidates():
    school = two_years()

    assert pairs(school, NEXT, linked_on(school, AUTUMN, archived=True)) == []
    assert pairs(school, AUTUMN, linked_on(school, NEXT), profile(academic_period="2027")) == []


def test_where_last_year_left_the_register_only_the_same_group_is_known():
    school = two_years()
    linked = linked_on(school, AUTUMN)
    school.forget("2027")

    assert pairs(school, NEXT, linked) == [("7A Maths", "7A Maths", True, 0, 3, 0)]


@pytest.mark.parametrize("becomes", [("7A", "Physics"), ("7C", "Maths")])
def test_a_class_whose_subject_or_group_was_corrected_may_go_on_within_its_year(becomes: tuple[str, str]):
    school = two_years()
    linked, earlier = linked_on(school, AUTUMN), school.roster()
    school.taught_in[*becomes, "2027"] = school.taught_in.pop(("7A", "Maths", "2027"))

    found = turn(school.roster(), suggested(), AUTUMN, linked, earlier)

    same_year = found.candidates.join(school.roster().academic_periods.filter(sourced_id="2027"), on="period")
    assert same_year.select("link", "shared", "students", "before").rows() == [(101, 3, 3, 3)]
    (ended,) = found.teams.filter(state="ends").iter_rows(named=True)
    assert (ended["link"], ended["why"]) == (101, "class_gone")


def test_a_school_without_teams_and_without_years_has_nothing_to_tell():
    nothing = turn(
        Years(years=()).roster(), profile(teams__create="nothing"), AUTUMN, linked_on(two_years(), AUTUMN).clear()
    )

    assert nothing.teams.is_empty()
    assert nothing.candidates.is_empty()


def left(school: Years, made_by: Profile, now: Profile, day: dt.date = AUTUMN, made_on: dt.date = AUTUMN) -> dict:
    """Why each group of the structure that `made_by` made is left over by `now`."""
    roster = school.roster()
    departed = roster.affiliations.select("person", "user_type").clear()
    nodes = managed_nodes(roster, made_by, made_on, managed_people(roster, made_by, made_on, departed)).nodes
    linked = nodes.select("key", "label", link=pl.col("node") + 1, archived=pl.lit(value=False))
    people = managed_people(roster, now, day, departed)
    return dict(left_over(roster, now, day, people, linked).select("key", "why").iter_rows())


def of_levels(**general) -> Profile:
    return profile(teams__create="subject", hierarchies__general={"levels": {"group": {}}, **general})


def test_groups_of_the_structure_are_left_over_for_a_reason():
    school = two_years()
    unified = {"group_type": "unified", "owners": ["p1"]}
    key = "general/security/group:7A"

    assert left(school, of_levels(), of_levels()) == {}
    assert left(school, of_levels(), of_levels(**unified)) == {key: "group_type_changed"}
    assert left(school, of_levels(), of_levels(levels={})) == {key: "level_off"}
    assert left(school, of_levels(), profile(hierarchies__general={"levels": {"group": {}}})) == {key: "level_off"}


def test_a_group_of_the_structure_where_nobody_is_any_more_says_so():
    school = two_years()
    school.taught("7B", "Maths", "2027", "Anna Ioannou", ["Other Pupil"])
    settings = of_levels()

    assert left(school, settings, settings, NEXT) == {"general/security/group:7B": "nobody_there"}
