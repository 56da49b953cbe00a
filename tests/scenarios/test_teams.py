"""Teams: what becomes a team and what it is like, and what is left alone."""

from __future__ import annotations

import pytest
from tests.scenarios.stage import Stage, proves, roles
from tests.scenarios.two_classes import expression, named, two_classes

from rollbook.errors import ProfileInvalid


def and_art(stage: Stage) -> None:
    """Art for group A, too, by another teacher, with a student who has no Maths."""
    two_classes(stage)
    stage.school.is_taught("7A Art", group="7A", subject="Art")
    stage.school.klass("7A Art", teachers=["Eleni Demetriou"], students=["Maria Papadaki", "Anna Rossi"])


@proves("P70", "P70a", "P35")
def test_name_description_address_class_code_and_external_id_are_mapped_from_what_group_subject_and_grade_are(
    stage: Stage,
):
    two_classes(stage)
    for title in ("7A Maths", "7B Maths"):
        stage.school.is_of(title, grade="7th grade", location="Lycee")
    stage.school.has_code("subject", "Maths", "MAT").has_code("group", "7A", "SEVEN-A")
    rows = {
        "display_name": expression("{{ subject }} for {{ group }}, {{ academic_period }}"),
        "description": expression("{{ grade }} at {{ location }} ({{ institute }})"),
        "mail_nickname": expression("{{ subject }}-{{ group }}", casing="lower"),
        "class_code": {"value": "subject_code"},
        "external_id": expression("{{ group_id }}+{{ subject_id }}"),
    }
    stage.profile(teams={"mappings": rows})

    stage.synchronise()

    team = stage.tenant.group("Maths for 7A, 2026-2027")
    assert team.description == "7th grade at Lycee (The School)"
    assert (team.nickname, team.class_code) == ("maths-7a", "MAT")
    assert team.external_id == "group 7A+subject Maths"


@proves("P70", "P32")
def test_a_team_follows_what_its_mappings_say_but_keeps_its_address(stage: Stage):
    two_classes(stage)
    rows = {"display_name": expression("{{ subject }} {{ group }}"), "mail_nickname": expression("{{ group }}")}
    stage.profile(teams={"mappings": rows})
    stage.synchronise()
    before = stage.tenant.group("Maths 7A")
    stage.school.renames("group", "7A", "7 Alpha")

    stage.synchronise()

    after = stage.tenant.group("Maths 7 Alpha")
    assert (after.object_id, after.nickname) == (before.object_id, before.nickname)


@proves("P70a")
def test_what_is_mapped_on_creation_only_is_left_alone_afterwards(stage: Stage):
    two_classes(stage)
    stage.profile(teams={"mappings": {"display_name": {"value": "name", "on_creation_only": True}}})
    stage.synchronise()
    stage.tenant.edits("7A Maths", displayName="Our maths")

    done = stage.synchronise()

    assert stage.tenant.teams() == {"Our maths", "7B Maths"}
    assert done.changes == 0


@proves("P70b")
def test_a_name_longer_than_microsoft_takes_stops_that_team_only_before_anything_is_sent(stage: Stage):
    two_classes(stage)
    stage.profile(teams=named("{{ group }}{{ group }}"))
    stage.school.renames("group", "7B", "B" * 200)

    done = stage.synchronise()

    assert stage.tenant.teams() == {"7A7A"}
    assert stage.tenant.groups() == {"7A7A"}
    assert done.said("7B Maths", "a mapping gives no usable value")


@proves("P70b")
def test_an_empty_name_stops_that_team_only(stage: Stage):
    two_classes(stage)
    stage.school.is_of("7A Maths", grade="7th grade")
    stage.profile(teams=named("{{ grade }}"))

    done = stage.synchronise()

    assert stage.tenant.groups() == {"7th grade"}
    assert done.said("7B Maths", "a mapping gives no usable value")


@proves("P70b")
def test_two_teams_never_have_one_address(stage: Stage):
    two_classes(stage)
    stage.profile(teams={"mappings": {"mail_nickname": {"value": "subject"}}})

    stage.synchronise()

    addresses = {stage.tenant.group(name).nickname for name in ("7A Maths", "7B Maths")}
    assert len(addresses) == 2
    assert all(address.startswith("maths") for address in addresses)


@proves("P71")
def test_a_mode_there_is_none_of_is_refused(stage: Stage):
    with pytest.raises(ProfileInvalid, match=r"teams\.create"):
        stage.profile(teams={"create": "everything"})


@proves("P72")
def test_with_nothing_no_team_is_made_and_people_have_their_accounts_all_the_same(stage: Stage):
    two_classes(stage)
    stage.profile(teams={"create": "nothing"})

    stage.synchronise()

    assert stage.tenant.teams() == set()
    assert stage.tenant.names() == {"Nikos Vasilakis", "Maria Papadaki", "Jan Kowalski"}


@proves("P72", "P72a")
def test_teams_that_are_there_are_left_alone_once_nothing_is_to_be_a_team(stage: Stage):
    two_classes(stage)
    stage.synchronise()
    stage.profile(teams={"create": "nothing"})
    stage.school.drops("Maria Papadaki", "7A Maths")

    stage.synchronise()

    assert stage.tenant.teams() == {"7A Maths", "7B Maths"}
    assert stage.tenant.members("7A Maths") == {"Nikos Vasilakis", "Maria Papadaki"}


@proves("P73")
def test_each_group_is_a_team_of_everybody_who_learns_or_teaches_any_subject_in_it(stage: Stage):
    and_art(stage)
    stage.profile(teams={"create": "group"})

    stage.synchronise()

    assert stage.tenant.teams() == {"7A", "7B"}
    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Eleni Demetriou", "Maria Papadaki", "Anna Rossi"}
    assert stage.tenant.owners("7A") == {"Nikos Vasilakis", "Eleni Demetriou"}
    assert stage.tenant.members("7B") == {"Nikos Vasilakis", "Jan Kowalski"}


@proves("P73")
def test_whoever_leaves_one_subject_of_a_group_stays_in_its_team_for_the_others(stage: Stage):
    and_art(stage)
    stage.profile(teams={"create": "group"})
    stage.synchronise()
    stage.school.drops("Maria Papadaki", "7A Maths").drops("Anna Rossi", "7A Art")

    stage.synchronise()

    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Eleni Demetriou", "Maria Papadaki"}


@proves("P74")
def test_each_subject_is_a_team_of_everybody_who_learns_or_teaches_it_in_any_group(stage: Stage):
    and_art(stage)
    stage.profile(teams={"create": "subject"})

    stage.synchronise()

    assert stage.tenant.teams() == {"Maths", "Art"}
    assert stage.tenant.members("Maths") == {"Nikos Vasilakis", "Maria Papadaki", "Jan Kowalski"}
    assert stage.tenant.owners("Maths") == {"Nikos Vasilakis"}
    assert stage.tenant.members("Art") == {"Eleni Demetriou", "Maria Papadaki", "Anna Rossi"}


@proves("P75")
def test_each_combination_of_group_and_subject_is_a_team_of_its_own(stage: Stage):
    and_art(stage)
    stage.profile(teams=named("{{ subject }} {{ group }}"))

    stage.synchronise()

    assert stage.tenant.teams() == {"Maths 7A", "Maths 7B", "Art 7A"}
    assert stage.tenant.members("Maths 7A") == {"Nikos Vasilakis", "Maria Papadaki"}
    assert stage.tenant.members("Maths 7B") == {"Nikos Vasilakis", "Jan Kowalski"}
    assert stage.tenant.members("Art 7A") == {"Eleni Demetriou", "Maria Papadaki", "Anna Rossi"}


@proves("P75")
def test_a_combination_that_is_taught_in_several_classes_is_one_team(stage: Stage):
    two_classes(stage)
    stage.school.is_taught("7A Maths, Friday", group="7A", subject="Maths")
    stage.school.klass("7A Maths, Friday", teachers=["Eleni Demetriou"], students=["Maria Papadaki", "Anna Rossi"])
    stage.profile(teams=named("{{ subject }} {{ group }}"))

    stage.synchronise()

    assert stage.tenant.teams() == {"Maths 7A", "Maths 7B"}
    assert stage.tenant.owners("Maths 7A") == {"Nikos Vasilakis", "Eleni Demetriou"}
    assert stage.tenant.members("Maths 7A") - stage.tenant.owners("Maths 7A") == {"Maria Papadaki", "Anna Rossi"}


@proves("P72b")
def test_another_mode_makes_other_teams_and_leaves_those_of_the_mode_before_as_they_are(stage: Stage):
    and_art(stage)
    stage.synchronise()
    before = {name: stage.tenant.members(name) for name in stage.tenant.teams()}
    stage.profile(teams={"create": "group"})
    stage.school.drops("Maria Papadaki", "7A Maths")

    stage.synchronise()

    assert stage.tenant.teams() == {*before, "7A", "7B"}
    assert {name: stage.tenant.members(name) for name in before} == before
    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Eleni Demetriou", "Maria Papadaki", "Anna Rossi"}


@proves("P71a")
def test_a_class_team_has_hidden_members_and_pupils_see_it_once_a_teacher_activates_it(stage: Stage):
    two_classes(stage)

    done = stage.synchronise()

    team = stage.tenant.group("7A Maths")
    assert (team.kind, team.visibility, team.locked) == ("class", "HiddenMembership", True)
    assert stage.tenant.roster("7A Maths") == {"Nikos Vasilakis": "owner"}
    assert stage.tenant.members("7A Maths") == {"Nikos Vasilakis", "Maria Papadaki"}
    assert done.proof_says("7A Maths", "Maria Papadaki") <= {"pending"}

    stage.tenant.activates("7A Maths")
    assert stage.tenant.roster("7A Maths") == {"Nikos Vasilakis": "owner", "Maria Papadaki": "member"}
    assert stage.synchronise().changes == 0


@proves("P71b")
def test_a_standard_team_is_private_open_at_once_and_sends_no_welcome_mail(stage: Stage):
    two_classes(stage)
    stage.profile(teams={"template": "standard"})

    stage.synchronise()

    team = stage.tenant.group("7A Maths")
    assert (team.kind, team.visibility, team.locked, team.has_team) == ("unified", "Private", False, True)
    assert "WelcomeEmailDisabled" in team.behaviours
    assert stage.tenant.roster("7A Maths") == {"Nikos Vasilakis": "owner", "Maria Papadaki": "member"}


@proves("P71b")
def test_another_template_is_for_new_teams_and_leaves_those_that_are_there_what_they_are(stage: Stage):
    two_classes(stage)
    stage.synchronise()
    stage.profile(teams={"template": "standard"})
    stage.school.klass("7C", teachers=["Nikos Vasilakis"], students=["Anna Rossi"])

    stage.synchronise()

    kinds = {group.name: group.kind for group in stage.tenant.every_group()}
    assert kinds == {"7A Maths": "class", "7B Maths": "class", "7C": "unified"}


@proves("P71c")
def test_whoever_joins_is_in_the_group_at_once_and_on_the_teams_own_list_a_day_later(slow_stage: Stage):
    two_classes(slow_stage)
    slow_stage.synchronise_until_done()
    slow_stage.tenant.activates("7A Maths")
    slow_stage.school.joins("Anna Rossi", "7A Maths")

    done = slow_stage.attempt()

    slow_stage.hours_go_by(0.1)
    assert "Anna Rossi" in slow_stage.tenant.members("7A Maths")
    assert "Anna Rossi" not in slow_stage.tenant.roster("7A Maths")
    assert done.proof_says("7A Maths", "Anna Rossi") <= {"pending"}

    slow_stage.on("2026-10-03")
    assert slow_stage.tenant.roster("7A Maths")["Anna Rossi"] == "member"


@proves("P71d")
@pytest.mark.parametrize("template", ["class", "standard"])
def test_a_group_too_young_for_a_team_becomes_one_in_a_later_synchronization_and_no_second_group_is_made(
    slow_stage: Stage, template: str
):
    two_classes(slow_stage)
    slow_stage.profile(teams={"template": template})

    rounds = slow_stage.synchronise_until_done()

    assert 1 < len(rounds) <= 3
    assert all(done.refused == 0 for done in rounds)
    assert sorted(group.name for group in slow_stage.tenant.every_group()) == ["7A Maths", "7B Maths"]
    assert slow_stage.tenant.teams() == {"7A Maths", "7B Maths"}
    assert slow_stage.tenant.members("7A Maths") == {"Nikos Vasilakis", "Maria Papadaki"}


@proves("P71d")
@pytest.mark.parametrize("template", ["class", "standard"])
def test_a_group_too_young_for_a_team_is_waited_for_and_hardly_asked_about(slow_stage: Stage, template: str):
    two_classes(slow_stage)
    slow_stage.profile(teams={"template": template})

    done = slow_stage.attempt()

    assert (done.refused, done.later) == (0, 0)
    assert slow_stage.tenant.teams() == {"7A Maths", "7B Maths"}
    # One tries at once and at most twice more, for all; after fifteen minutes each goes once.
    assert sum(write.startswith("POST /teams") for write in slow_stage.tenant.writes()) <= 5


@proves("P71e")
def test_a_class_team_of_more_than_300_people_is_made_and_warned_of(stage: Stage):
    stage.profile(users=roles(student={"licences": []}))
    stage.school.klass("All", teachers=["Nikos Vasilakis"], students=[f"Pupil {n}" for n in range(300)])
    stage.school.klass("7A", teachers=["Nikos Vasilakis"], students=["Pupil 1"])

    warned = stage.preview().crowded
    stage.synchronise()

    assert warned == (("All", 301),)
    assert len(stage.tenant.members("All")) == 301
    assert stage.tenant.group("All").has_team


@proves("P79a")
@pytest.mark.parametrize(("mode", "kind", "name"), [("group", "group", "7A"), ("subject", "subject", "Maths")])
def test_what_is_called_something_else_now_keeps_its_team_under_the_new_name(
    stage: Stage, mode: str, kind: str, name: str
):
    two_classes(stage)
    stage.profile(teams={"create": mode})
    stage.synchronise()
    before = stage.tenant.group(name)
    stage.school.renames(kind, name, "Renamed")

    stage.synchronise()

    assert stage.tenant.group("Renamed").object_id == before.object_id
    assert name not in stage.tenant.groups()


@proves("P79a")
def test_a_class_that_is_called_something_else_now_keeps_its_team(stage: Stage):
    two_classes(stage)
    stage.synchronise()
    before = stage.tenant.group("7A Maths").object_id
    stage.school.renames("class", "7A Maths", "Maths for the seventh")

    stage.synchronise()

    assert stage.tenant.group("Maths for the seventh").object_id == before
    assert stage.tenant.teams() == {"Maths for the seventh", "7B Maths"}
