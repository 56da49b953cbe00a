"""The end of a school year: which teams end, continue and begin, and what becomes of those that ended."""

from __future__ import annotations

import pytest
from tests.scenarios.stage import Stage, proves
from tests.scenarios.turn_of_year import asked, carried, goes_on, states

from rollbook.acts import rollover
from rollbook.acts.archiving import Chosen, propose_archiving, propose_taking_back
from rollbook.errors import InputRefused

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


def seventh_becomes_eighth(stage: Stage) -> None:
    """7A of one year is 8A of the next, with somebody new; 7A of the next year is others. Sourced ids c1, c2 and c3."""
    stage.school.opens(NEXT_YEAR, "2027-09-01", "2028-07-01")
    stage.school.klass("7A", ["Nikos Vasilakis"], ["Maria Papadaki", "Anna Rossi"])
    stage.school.klass("8A", ["Nikos Vasilakis"], ["Maria Papadaki", "Anna Rossi", "Lena Berg"], year=NEXT_YEAR)
    stage.school.again("7A", NEXT_YEAR, teachers=["Eleni Demetriou"], students=["Jan Kowalski"])
    stage.profile(teams=CALLED)


@proves("P75e")
def test_at_the_end_of_the_year_it_is_told_which_teams_end_and_which_begin_and_nothing_is_changed(stage: Stage):
    seventh_becomes_eighth(stage)
    stage.synchronise()
    before = stage.tenant.everything()

    stage.on("2027-09-01")

    assert states(stage) == {"7A (2026-2027)": "ends", "8A (2027-2028)": "begins", "7A (2027-2028)": "begins"}
    (ended,) = rollover.look(asked(stage)).of(rollover.State.ENDS)
    assert "academic period is over" in ended.reason
    assert stage.tenant.everything() == before


@proves("P75e")
def test_it_is_told_which_team_may_go_on_as_which_with_how_many_of_its_people(stage: Stage):
    seventh_becomes_eighth(stage)
    stage.synchronise()

    found = rollover.look(asked(stage.on("2027-08-25"))).candidates

    (eighth,) = [each for each in found if (each.old, each.new) == ("7A (2026-2027)", "8A (2027-2028)")]
    assert (eighth.shared, eighth.students) == (2, 3)


@proves("P75e")
def test_in_the_midst_of_the_year_every_team_goes_on(stage: Stage):
    seventh_becomes_eighth(stage)
    stage.synchronise()

    assert states(stage)["7A (2026-2027)"] == "continues"


@proves("P75f")
def test_a_team_that_continues_is_the_same_team_under_the_new_name_with_the_people_of_the_new_class(stage: Stage):
    seventh_becomes_eighth(stage)
    stage.synchronise()
    before = stage.tenant.group("7A 2026-2027")

    goes_on(stage.on("2027-08-10"), "c1", "c2")
    assert stage.tenant.group("7A 2026-2027") == before
    stage.on("2027-09-01").synchronise()

    after = stage.tenant.group("8A 2027-2028")
    assert (after.object_id, after.nickname) == (before.object_id, before.nickname)
    assert stage.tenant.members("8A 2027-2028") == {"Nikos Vasilakis", "Maria Papadaki", "Anna Rossi", "Lena Berg"}
    assert stage.tenant.teams() == {"8A 2027-2028", "7A 2027-2028"}
    assert stage.tenant.members("7A 2027-2028") == {"Eleni Demetriou", "Jan Kowalski"}


@proves("P75f")
def test_who_says_that_a_team_continues_is_told_who_will_read_what_was_written_there(stage: Stage):
    seventh_becomes_eighth(stage)
    stage.synchronise()

    pair = rollover.going_on(asked(stage.on("2027-09-01")), "c1", "c2")

    assert any("2 of the 3 students" in sentence for sentence in pair.told)


@proves("P75f")
def test_a_team_cannot_continue_as_one_that_has_a_team_already_or_is_of_an_earlier_year(stage: Stage):
    seventh_becomes_eighth(stage)
    stage.synchronise()
    stage.on("2027-09-01").synchronise()

    with pytest.raises(InputRefused, match="has a team of its own already"):
        goes_on(stage, "c1", "c2")
    with pytest.raises(InputRefused, match="has a team of its own already"):
        goes_on(stage, "c2", "c1")


@proves("P75g")
def test_teams_that_ended_are_archived_with_their_people_and_conversations_and_nothing_is_deleted(slow_stage: Stage):
    seventh_becomes_eighth(slow_stage)
    slow_stage.synchronise_until_done()
    slow_stage.on("2027-09-01").synchronise_until_done()
    people = slow_stage.tenant.members("7A 2026-2027")

    carried(slow_stage, lambda session: propose_archiving(session, Chosen(ended=True)))

    slow_stage.hours_go_by(1)
    archived = {group.name: group.archived for group in slow_stage.tenant.every_group()}
    assert archived == {"7A 2026-2027": True, "8A 2027-2028": False, "7A 2027-2028": False}
    assert slow_stage.tenant.members("7A 2026-2027") == people
    assert not any(call.startswith("DELETE") for call in slow_stage.tenant.writes())
    assert slow_stage.synchronise_until_done()[0].changes == 0


@proves("P75g")
def test_an_archived_team_is_brought_back_as_it_was(stage: Stage):
    seventh_becomes_eighth(stage)
    stage.synchronise()
    stage.on("2027-09-01").synchronise()
    before = stage.tenant.group("7A 2026-2027"), stage.tenant.members("7A 2026-2027")
    carried(stage, lambda session: propose_archiving(session, Chosen(named=("c1",))))
    assert stage.tenant.group("7A 2026-2027").archived

    carried(stage, lambda session: propose_taking_back(session, ["c1"]))

    assert (stage.tenant.group("7A 2026-2027"), stage.tenant.members("7A 2026-2027")) == before


@proves("P75g", "P72a")
def test_teams_of_a_mode_that_is_over_are_listed_as_ended_with_the_reason_and_can_be_archived(stage: Stage):
    two_years(stage)
    stage.synchronise()
    stage.profile(teams={"create": "nothing"})
    stage.synchronise()

    (ended,) = rollover.look(asked(stage)).of(rollover.State.ENDS)
    assert "nothing becomes a team" in ended.reason

    carried(stage, lambda session: propose_archiving(session, Chosen(ended=True)))
    assert stage.tenant.group("7A 2026-2027").archived


@proves("P72b")
def test_teams_of_another_mode_are_listed_as_ended_with_the_reason(stage: Stage):
    two_years(stage)
    stage.synchronise()
    stage.profile(teams={"create": "group"})
    stage.synchronise()

    ended = rollover.look(asked(stage)).of(rollover.State.ENDS)

    assert [line.name for line in ended] == ["7A (2026-2027)"]
    assert "each group now" in ended[0].reason


@proves("P89a", "P93a")
def test_groups_of_a_level_teams_took_or_of_another_type_are_listed_for_removal(stage: Stage):
    two_years(stage)
    owner = {"owners": ["p1"]}
    stage.profile(teams={"create": "nothing"}, hierarchies={"student": {"levels": {"group": {}, "institute": {}}}})
    stage.synchronise()

    stage.profile(teams={"create": "group"})
    stage.synchronise()
    assert [line.name for line in rollover.look(asked(stage)).left] == ["The School / 7A"]

    stage.profile(hierarchies={"student": {"group_type": "unified", **owner}})
    stage.synchronise()
    left = rollover.look(asked(stage)).left
    assert {line.name for line in left} == {"The School / 7A", "The School"}
    assert any("groups of the other type" in line.reason for line in left)
