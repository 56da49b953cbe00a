"""Profiles in the store: versions, copies, edits by two people, restoration, the trail; on both databases."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from tests.store.world import ACTOR, Frozen, a_school, deliver

from rollbook.acts import profiles
from rollbook.acts.profiles import Author
from rollbook.errors import InputRefused
from rollbook.profiles import Exported, parse, suggested
from rollbook.store.models import Trail

DAY = dt.date(2026, 10, 1)


@pytest.fixture
def author():
    return Author(ACTOR, Frozen())


@pytest.fixture
def school(store):
    institute, _, _ = deliver(a_school())
    return institute


def changed(exported: Exported, **users: object) -> Exported:
    document = exported.profile.model_dump(mode="json")
    document["users"] |= users
    return replace(exported, profile=parse(document))


def said(institute):
    return {entry.profile.name: str(entry.standing) for entry in profiles.listed(institute, DAY)}


def test_a_new_profile_is_a_draft_until_it_is_enabled_and_then_goes_before_the_first(school, author):
    made = profiles.new(school, "Year", dt.date(2026, 9, 1), dt.date(2027, 6, 30), author)
    assert said(school) == {"Year": "Draft", "Suggested": "Running"}

    assert profiles.enable(made, author) == ["Suggested"]
    assert said(school) == {"Year": "Running", "Suggested": "Enabled behind Year"}
    assert profiles.profile_in_force(school, DAY).profile == made
    assert profiles.profile_in_force(school, dt.date(2027, 7, 1)).profile.name == "Suggested"
    profiles.disable(made, author)
    assert said(school) == {"Year": "Disabled", "Suggested": "Running"}


def test_without_an_enabled_profile_nothing_says_what_to_synchronize(school, author):
    profiles.disable(profiles.find(school, "Suggested"), author)

    with pytest.raises(InputRefused, match="nothing says what to synchronize"):
        profiles.profile_in_force(school, DAY)
    with pytest.raises(InputRefused, match="not enabled"):
        profiles.disable(profiles.find(school, "Suggested"), author)


def test_every_save_is_a_version_and_any_can_be_compared_and_restored(school, author):
    found = profiles.find(school, "suggested")
    profiles.save(found, changed(profiles.exported(found), lead_days=7), author)
    profiles.save(found, changed(profiles.exported(found), lead_days=3), author)
    assert [v.number for v in found.versions.order_by("number")] == [1, 2, 3]
    assert [str(d) for d in profiles.compare(found, 1, 3)] == ["users.lead_days: 14 -> 3"]
    assert [str(d) for d in profiles.compare(found, None, None)] == ["users.lead_days: 7 -> 3"]

    restored = profiles.restore(found, 1, author)
    assert (restored.number, parse(restored.document)) == (4, suggested())
    assert restored.note == "version 1 restored"
    with pytest.raises(InputRefused, match="no version 9"):
        profiles.restore(found, 9, author)


def test_a_save_without_a_change_makes_no_version(school, author):
    found = profiles.find(school, "Suggested")
    renamed = replace(profiles.exported(found), name="Renamed", begin=dt.date(2026, 9, 1))

    assert profiles.save(found, renamed, author).number == 1
    assert (found.name, found.begin) == ("Renamed", dt.date(2026, 9, 1))


def test_the_second_of_two_people_is_told_what_the_first_changed_and_loses_nothing(school, author):
    found = profiles.find(school, "Suggested")
    mine, theirs = profiles.exported(found), profiles.exported(found)
    profiles.save(found, changed(theirs, lead_days=7), author)

    with pytest.raises(InputRefused, match=r"users.lead_days: 14 -> 7") as refused:
        profiles.save(found, changed(mine, lead_days=3), author)
    assert "tester" in refused.value.message
    assert parse(profiles.newest(found).document).users.lead_days == 7


def test_a_copy_takes_every_setting_and_neither_runs_nor_the_enabled_status(school, author):
    found = profiles.find(school, "Suggested")
    profiles.save(found, changed(profiles.exported(found), lead_days=7), author)
    copied = profiles.copy(found, "Next year", dt.date(2027, 9, 1), None, "2027", author)

    settings = parse(profiles.newest(copied).document)
    assert (settings.users.lead_days, settings.academic_period) == (7, "2027")
    assert (copied.enabled_at, profiles.newest(copied).number) == (None, 1)


def test_names_are_taken_once_and_periods_make_sense(school, author):
    with pytest.raises(InputRefused, match="already"):
        profiles.new(school, "SUGGESTED", None, None, author)
    with pytest.raises(InputRefused, match="before it begins"):
        profiles.new(school, "Year", dt.date(2027, 1, 1), dt.date(2026, 1, 1), author)
    with pytest.raises(InputRefused, match="no profile 'nothing'") as refused:
        profiles.find(school, "nothing")
    assert refused.value.remedy == "There are: Suggested."


def test_every_act_is_in_the_trail(school, author):
    made = profiles.new(school, "Year", None, None, author)
    profiles.enable(made, author)
    profiles.save(made, changed(profiles.exported(made), lead_days=1), author)
    profiles.disable(made, author)

    actions = list(Trail.objects.order_by("pk").values_list("action", flat=True))
    assert actions[-4:] == ["profile.made", "profile.enabled", "profile.saved", "profile.disabled"]
