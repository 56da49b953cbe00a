"""What the tenant should hold, given a register and a profile."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.world import AUTUMN, BEGIN, END, School, desire

from rollbook.desired.current import academic_periods, current_enrolments
from rollbook.desired.names import local_parts, nicknames, transliterated
from rollbook.errors import InputRefused
from rollbook.profiles import parse, suggested


def a_class() -> School:
    return School().klass("7A Maths", teachers=["Nikos Vasilakis"], students=["Maria Papadaki"])


def user(desired, link):
    return desired.state.users.filter(pl.col("link") == link).row(0, named=True)


def test_a_student_is_a_member_and_a_teacher_is_owner_and_member():
    memberships = desire(a_class()).state.memberships

    assert memberships.select("user", "relation").rows() == [(1, 0), (2, 0), (1, 1)]


def test_an_account_carries_names_number_country_and_the_licence_of_its_type():
    maria = user(desire(a_class()), 2)

    assert (maria["display_name"], maria["given_name"], maria["surname"]) == ("Maria Papadaki", "Maria", "Papadaki")
    assert (maria["employee_id"], maria["usage_location"], maria["licences"]) == ("S2", "GR", ["sku-student"])
    assert maria["account_enabled"]


def test_preferred_names_come_first():
    school = a_class()
    school.people["Maria Papadaki"]["preferred_given_name"] = "Mary"

    assert user(desire(school), 2)["display_name"] == "Mary Papadaki"


def test_a_sis_number_longer_than_microsofts_sixteen_characters_is_left_out_rather_than_cut():
    school = a_class()
    school.people["Maria Papadaki"]["sis_number"] = "1" * 17

    assert user(desire(school), 2)["employee_id"] is None


def test_somebody_without_enrolments_is_disabled_if_deactivate_is_on_and_has_no_licence():
    school = a_class()
    school.person("Left Alone", "student")

    desired = user(desire(school), 3)

    assert not desired["account_enabled"]
    assert desired["licences"] == []


def test_a_teacher_who_is_also_a_parent_is_provisioned_as_a_teacher():
    school = a_class()
    school.person("Nikos Vasilakis", "parent")

    people = desire(school).people

    assert people.filter(pl.col("link") == 1)["user_type"].to_list() == ["teacher"]


def test_a_parent_is_current_through_a_current_child():
    school = a_class()
    school.person("Petra Papadaki", "parent")
    school.guardians.append({"child": 2, "parent": 3})
    everything = {"create": True, "update": True, "deactivate": True, "sso": True}
    document = suggested().model_dump(mode="json")
    document["users"]["actions"]["parent"] = everything

    current = desire(school, profile=parse(document)).people.filter("current")["link"].to_list()
    orphaned = desire(school.drops("Maria Papadaki", "7A Maths"), profile=parse(document))

    assert 3 in current
    assert 3 not in orphaned.people.filter("current")["link"].to_list()


def test_a_class_nobody_attends_gets_no_team():
    school = a_class().klass("Empty")

    assert desire(school).state.groups["display_name"].to_list() == ["7A Maths"]


def test_with_teams_set_to_nothing_there_are_no_teams_but_accounts():
    desired = desire(a_class(), profile=parse({"teams": {"create": "nothing"}}))

    assert desired.state.groups.is_empty()
    assert desired.state.memberships.is_empty()
    assert desired.state.users.height == 2


def test_whoever_is_taught_and_teaching_in_one_class_appears_once_for_the_teaching():
    school = a_class().klass("7A Maths", students=["Nikos Vasilakis"])

    reasons = desire(school).reasons.filter(pl.col("user") == 1)

    assert reasons.select("relation", "because").rows() == [(0, "teaching"), (1, "teaching")]


@pytest.mark.parametrize(
    ("day", "sourced_ids"),
    [
        (AUTUMN, ["2027"]),
        (BEGIN - dt.timedelta(days=10), ["2026", "2027"]),
        (BEGIN - dt.timedelta(days=20), ["2026"]),
        (END + dt.timedelta(days=3), ["2027"]),
        (dt.date(2026, 2, 1), ["2026"]),
        (dt.date(2025, 7, 10), ["2026"]),
    ],
)
def test_the_school_year_of_the_day_counts_else_the_last_one_and_the_next_from_the_lead_days_on(day, sourced_ids):
    roster = a_class().roster()
    last_year = roster.academic_periods.with_columns(
        pl.lit(2, dtype=pl.Int64).alias("period"),
        pl.lit("2026").alias("sourced_id"),
        pl.lit(dt.date(2025, 9, 1)).alias("begin"),
        pl.lit(dt.date(2026, 7, 1)).alias("end"),
    )
    both = School().roster()
    object.__setattr__(both, "academic_periods", pl.concat([roster.academic_periods, last_year]))

    counting = academic_periods(both, suggested(), day)

    named = both.academic_periods.join(counting, on="period", how="semi")["sourced_id"]
    assert sorted(named) == sourced_ids


@pytest.mark.parametrize(
    ("ends", "day", "counts"),
    [
        (END, END + dt.timedelta(days=40), True),  # over the summer
        (END - dt.timedelta(days=12), END + dt.timedelta(days=40), True),  # the last lessons were a little earlier
        (END - dt.timedelta(days=12), END - dt.timedelta(days=3), True),
        (END - dt.timedelta(days=60), END - dt.timedelta(days=3), False),  # left during the year
        (END - dt.timedelta(days=60), END + dt.timedelta(days=40), False),
    ],
)
def test_a_summer_never_empties_a_school_and_whoever_left_before_is_no_longer_current(ends, day, counts):
    roster = School().klass("7A Maths", students=["Maria"], end=ends).roster()

    assert bool(current_enrolments(roster, suggested(), day).height) is counts


def test_an_academic_period_nobody_knows_is_refused_with_the_ones_there_are():
    with pytest.raises(InputRefused, match="1999") as refused:
        desire(a_class(), profile=parse({"academic_period": "1999"}))

    assert "2027" in refused.value.remedy


@pytest.mark.parametrize(
    ("name", "local_part"),
    [
        ("Jörg.Müßig", "jorg.mussig"),
        ("Łukasz.Żółć", "lukasz.zolc"),
        ("O'Brien. Smith", "obrien.smith"),
        ("王.小明", "wang.xiaoming"),
        ("..--..", None),
        ("Anna Maria.de la Cruz", "anna-maria.de-la-cruz"),
    ],
)
def test_a_name_becomes_what_microsoft_accepts_before_the_at_sign(name, local_part):
    plain = transliterated(pl.Series([name]))

    assert local_parts(plain).item() == local_part


@given(st.text(max_size=90))
def test_whatever_the_name_the_local_part_keeps_microsofts_rules(name):
    part = local_parts(transliterated(pl.Series([name]))).item()

    if part is not None:
        assert len(part) <= 56
        assert part.isascii()
        assert not part.endswith(".")
        assert set(part) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-_")


@given(st.text(max_size=90))
def test_whatever_the_class_is_called_the_nickname_keeps_microsofts_rules(name):
    nickname = nicknames(transliterated(pl.Series([name]))).item()

    assert 0 < len(nickname) <= 48
    assert set(nickname) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
