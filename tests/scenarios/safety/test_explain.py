"""Why an account or a team is as it is: the rule, the row, the run, the answer."""

from __future__ import annotations

import pytest
from tests.scenarios.stage import Stage

from rollbook.acts.explain import Explanation, explain
from rollbook.errors import InputRefused
from rollbook.store.models import Grouping, Run


def explained(stage: Stage, text: str) -> Explanation:
    return explain(stage.connected(), text, stage.today)


def said(found: Explanation, heading: str) -> list[str]:
    (facts,) = [facts for title, facts in found.parts.items() if title.startswith(heading)]
    return [f"{fact.text} [{fact.source}]" for fact in facts]


def test_somebody_is_explained_by_rule_row_run_and_answer(stage: Stage):
    stage.school.teacher("Nikos Vasilakis", "7A Maths").student("Maria Papadaki", "7A Maths")
    stage.synchronise()
    stage.tenant.refuses_changes_of("Maria Papadaki")
    stage.school.changes("Maria Papadaki", family_name="Ng")
    stage.attempt()

    found = explained(stage, stage.school.people["Maria Papadaki"]["sourced_id"])

    assert any("learns in 7A Maths" in line and "since delivery" in line for line in said(found, "In the register"))
    assert any("counts as a student" in line for line in said(found, "By the profile Suggested"))
    assert any("was made by Rollbook" in line for line in said(found, "At Microsoft"))
    (place,) = [line for line in said(found, "Teams and groups") if line.startswith("7A Maths")]
    assert "member, enrolment is current" in place
    assert "enrolments" in place
    refused, first = found.events[0], next(event for event in found.events if event.run == 1)
    assert (refused.line.kind, refused.line.verdict) == ("update_user", "never")
    assert refused.line.answer
    assert (first.run, first.line.kind) == (1, "create_user")


def test_who_is_in_the_register_no_more_is_explained_with_the_account_that_is_left(stage: Stage):
    stage.school.teacher("Nikos Vasilakis", "7A Maths").student("Maria Papadaki", "7A Maths")
    stage.synchronise()
    person = stage.school.people["Maria Papadaki"]
    stage.school.vanishes("Maria Papadaki")
    stage.synchronise()

    found = explained(stage, person["sourced_id"])

    assert found.name == "Maria Papadaki"
    assert any("no longer in the register [" in line and "not in delivery 2" in line for line in said(found, "In the"))
    assert any(line.startswith("has left") for line in said(found, "By the profile"))
    assert any("was disabled by run 2" in line for line in said(found, "At Microsoft"))
    assert any(event.line.kind == "disable_user" for event in found.events)


def test_a_long_history_says_that_it_is_cut_and_what_somebody_did_by_hand_is_told(stage: Stage):
    stage.school.teacher("Nikos Vasilakis", "7A Maths").student("Maria Papadaki", "7A Maths")
    stage.synchronise()
    maria = stage.tenant.account("Maria Papadaki").object_id
    stage.tenant.control("edit", user=maria, set={"accountEnabled": False})
    stage.synchronise()
    Run.objects.filter(number=2).update(state=Run.State.SUPERSEDED, started_at=None)
    person = stage.school.people["Maria Papadaki"]["sourced_id"]

    whole = explain(stage.connected(), person, stage.today, None)
    cut = explain(stage.connected(), person, stage.today, 1)

    assert {event.run for event in whole.events} == {1}
    assert (len(cut.events), cut.more_events) == (1, len(whole.events) - 1)
    assert any("disabled, by somebody else" in line for line in said(whole, "At Microsoft"))


def test_a_team_is_explained_by_its_classes_and_people(stage: Stage):
    stage.school.teacher("Nikos Vasilakis", "7A Maths").student("Maria Papadaki", "7A Maths")
    stage.synchronise()

    found = explained(stage, "7A Maths")

    assert found.kind == "team"
    assert any("holds the class" in line and "since delivery 1" in line for line in said(found, "In the register"))
    assert {line.split(" (")[0] for line in said(found, "People")} == {"Nikos Vasilakis", "Maria Papadaki"}
    assert {event.line.kind for event in found.events} >= {"create_class", "create_team", "add_owner", "add_member"}


def test_a_group_of_the_structure_is_explained_by_its_path_and_people(stage: Stage):
    stage.school.teacher("Nikos Vasilakis", "7A Maths").student("Maria Papadaki", "7A Maths")
    stage.profile(hierarchies={"general": {"levels": {"institute": {}, "grade": {}}}})
    stage.school.is_of("7A Maths", grade="7th grade")
    stage.synchronise()
    (key,) = Grouping.objects.filter(kind="node", key__contains="/grade:").values_list("key", flat=True)

    found = explained(stage, key)

    assert found.kind == "hierarchy"
    assert any("security group of the level grade" in line for line in said(found, "By the profile"))
    assert {line.split(" (")[0] for line in said(found, "People")} == {"Nikos Vasilakis", "Maria Papadaki"}


def test_what_is_neither_is_refused_with_a_sentence(stage: Stage):
    stage.school.student("Maria Papadaki", "7A Maths")
    stage.connected()

    with pytest.raises(InputRefused, match="neither a person nor a team"):
        explained(stage, "nobody")
