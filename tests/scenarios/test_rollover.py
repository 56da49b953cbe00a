"""The end of a school year: which teams end, continue and begin, and what becomes of those that ended."""

from __future__ import annotations

import pytest
from tests.scenarios.stage import Stage, proves

NEXT_YEAR = "2027-2028"
CALLED = {"mappings": {"display_name": {"type": "expression", "value": "{{ name }} {{ academic_period }}"}}}


def two_years(stage: Stage) -> None:
    """7A in two school years: other pupils, the same group and subject; a teacher of both."""
    stage.school.opens(NEXT_YEAR, "2027-09-01", "2028-07-01")
    stage.school.klass("7A", teachers=["Nikos Vasilakis"], students=["Maria Papadaki"])
    stage.school.again("7A", NEXT_YEAR, teachers=["Nikos Vasilakis"], students=["Jan Kowalski"])
    stage.profile(teams=CALLED)


@proves("P75a")
def test_next_years_class_of_the_same_group_and_subject_is_another_team_and_reads_nothing_of_the_old_one(stage: Stage):
    two_years(stage)
    stage.synchronise()
    assert stage.tenant.teams() == {"7A 2026-2027"}

    stage.on("2027-09-01").synchronise()

    assert stage.tenant.teams() == {"7A 2026-2027", "7A 2027-2028"}
    assert stage.tenant.members("7A 2027-2028") == {"Nikos Vasilakis", "Jan Kowalski"}
    assert stage.tenant.members("7A 2026-2027") == {"Nikos Vasilakis", "Maria Papadaki"}


@proves("P75a")
@pytest.mark.parametrize("mode", ["group", "subject", "group_subject"])
def test_a_group_or_subject_that_goes_on_under_its_id_has_another_team_in_the_new_year(stage: Stage, mode: str):
    two_years(stage)
    stage.profile(teams={"create": mode, "match": "external_id"})
    stage.synchronise()

    done = stage.on("2027-09-01").synchronise()

    assert stage.tenant.members("7A 2027-2028") == {"Nikos Vasilakis", "Jan Kowalski"}
    assert stage.tenant.members("7A 2026-2027") == {"Nikos Vasilakis", "Maria Papadaki"}
    assert not done.said("belongs to somebody else already")


@proves("P75a")
def test_within_the_lead_days_the_teams_of_both_years_are_kept(stage: Stage):
    two_years(stage)
    stage.synchronise()

    stage.on("2027-08-20").synchronise()

    assert stage.tenant.members("7A 2026-2027") == {"Nikos Vasilakis", "Maria Papadaki"}
    assert stage.tenant.members("7A 2027-2028") == {"Nikos Vasilakis", "Jan Kowalski"}
