"""Concluding: what saving does and does not do, and what is known of the last synchronization."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from tests.scenarios.stage import FIRST_PROFILE, Stage, proves

from rollbook.acts import profiles
from rollbook.apply.whys import STATUSES
from rollbook.errors import InputRefused
from rollbook.profiles import parse, suggested
from rollbook.store.models import Profile, Run


def only_a_draft(stage: Stage) -> Profile:
    """A school whose only profile that matters is a draft."""
    stage.school.student("Maria Papadaki", "7A")
    profiles.disable(stage.profile_named(FIRST_PROFILE), stage.author)
    return profiles.new(stage.institute(), "Year", dt.date(2026, 9, 1), None, stage.author)


def save(stage: Stage, profile: Profile) -> None:
    """The profile, saved with seven lead days."""
    document = suggested().model_dump(mode="json")
    document["users"]["lead_days"] = 7
    profiles.save(profile, replace(profiles.exported(profile), profile=parse(document)), stage.author)


@proves("P105", "P106")
def test_saving_keeps_the_settings_and_the_profile_does_not_run_before_somebody_enables_it(stage: Stage):
    draft = only_a_draft(stage)
    save(stage, draft)
    assert profiles.exported(stage.profile_named("Year")).profile.users.lead_days == 7

    with pytest.raises(InputRefused, match="nothing says what to synchronize") as refused:
        stage.synchronise()
    assert stage.tenant.names() == set()
    assert refused.value.remedy.startswith("Enable one of its profiles")
    profiles.enable(draft, stage.author)
    stage.synchronise()

    assert stage.tenant.names() == {"Maria Papadaki"}


@proves("P105")
def test_saving_a_profile_that_is_enabled_changes_what_the_next_synchronization_does(stage: Stage):
    stage.school.student("Maria Papadaki", "7A")
    stage.synchronise()

    stage.profile(users={"mappings": {"city": {"type": "static", "value": "Athens"}}})
    stage.synchronise()

    assert stage.tenant.account("Maria Papadaki")["city"] == "Athens"


@proves("P107")
def test_saving_and_enabling_lets_the_saved_settings_run_at_once(stage: Stage):
    draft = only_a_draft(stage)

    save(stage, draft)
    profiles.enable(draft, stage.author)
    stage.synchronise()

    (run,) = Run.objects.all()
    assert (run.profile_version.profile.name, run.profile_version.number) == ("Year", 2)


@proves("P110", "P110a")
def test_of_the_last_synchronization_the_day_the_time_and_the_result_are_known(stage: Stage):
    stage.school.teacher("Nikos Vasilakis", "7A").student("Maria Papadaki", "7A")
    stage.on("2026-10-01").synchronise()
    stage.on("2026-10-02").synchronise()

    last = Run.objects.filter(profile_version__profile__name=FIRST_PROFILE).latest("started_at")

    assert last.started_at == last.finished_at == dt.datetime(2026, 10, 2, 8, tzinfo=dt.UTC)
    assert last.state == Run.State.PROVEN
    assert last.proof == {"teams": 1, "groups": 0, "members_expected": 3, **dict.fromkeys(STATUSES, 0)}
