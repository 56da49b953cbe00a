"""Links: what waits is decided by a person; links are looked at, corrected, undone, carried in bulk, made anew, written back."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from tests.scenarios.stage import Stage, proves
from tests.scenarios.tenant import made_by_others

from rollbook.acts import accounts, linkfiles, links, matches, rebuild
from rollbook.errors import FileInvalid, InputRefused
from rollbook.store.changes import select
from rollbook.store.models import Decision, Link, Run

MARIA = "maria.papadaki@sample-school.example"


def two_marias(stage: Stage) -> None:
    """A student whose number two accounts carry, after the first synchronization."""
    stage.school.student("Maria Papadaki", "7A", sis_number="S1")
    stage.tenant_holds(made_by_others("old", employee_id="S1"), made_by_others("new", employee_id="S1"))
    stage.synchronise()


def to_review(stage: Stage) -> dict[str, tuple[str, dict[str, list[str]]]]:
    """The list of matches to review: for each name the reason, and what speaks for and against each candidate."""
    return {
        entry.called: (entry.reason, {c.display_name: list(c.why) for c in entry.candidates})
        for entry in matches.waiting(stage.institute())
    }


@proves("P59c", "P59b")
def test_what_waits_stands_on_a_list_with_what_could_be_meant_and_why(stage: Stage):
    two_marias(stage)

    number = ["its employee id is the SIS number"]
    assert to_review(stage) == {"Maria Papadaki": ("several match; choose one", {"old": number, "new": number})}


@proves("P59c")
def test_the_account_somebody_decides_for_is_linked_and_the_list_is_empty(stage: Stage):
    two_marias(stage)

    with stage.desk() as desk:
        matches.decide_account(desk, stage.person("Maria Papadaki"), "new@sample-school.example", "has her photo")
    assert to_review(stage) == {}
    stage.synchronise()

    assert stage.tenant.account("new").name == "Maria Papadaki"
    assert stage.tenant.names() == {"old", "Maria Papadaki"}


@proves("P59c")
@pytest.mark.parametrize(
    ("decision", "names"),
    [(Decision.Kind.NEW, {"old", "new", "Maria Papadaki"}), (Decision.Kind.NOBODY, {"old", "new"})],
    ids=["none of them is meant", "there is to be no account"],
)
def test_it_can_be_decided_that_none_is_meant_or_that_there_is_to_be_no_account(
    stage: Stage, decision: Decision.Kind, names: set[str]
):
    two_marias(stage)

    with stage.desk() as desk:
        matches.decide_without(desk, stage.person("Maria Papadaki"), decision)
    stage.synchronise()

    assert stage.tenant.names() == names
    assert to_review(stage) == {}


@proves("P59c", "P60a")
def test_staff_found_by_e_mail_stand_on_the_list_too(stage: Stage):
    stage.school.teacher("Nikos Vasilakis", "7A", email="nikos@sample-school.example")
    stage.tenant_holds(made_by_others("nikos"))
    stage.profile(users={"match": "email"})
    stage.synchronise()

    with stage.desk() as desk:
        matches.decide_account(desk, stage.person("Nikos Vasilakis"), "nikos@sample-school.example")
    stage.synchronise()

    assert stage.tenant.names() == {"Nikos Vasilakis"}


@proves("P59f")
@pytest.mark.parametrize("match", ["username", "email"])
def test_a_shared_mailbox_is_not_matched_but_stands_on_the_list(stage: Stage, match: str):
    stage.school.student("Maria Papadaki", "7A", username="office", email="office@sample-school.example")
    stage.tenant_holds(made_by_others("office", accountEnabled=False, mail="office@sample-school.example"))
    stage.profile(users={"match": match})

    done = stage.synchronise()

    assert "looks like a shared mailbox" in done.reason("Maria Papadaki")
    assert stage.tenant.names() == {"office"}
    assert "looks like a shared mailbox" in to_review(stage)["Maria Papadaki"][1]["office"]


@proves("P59f")
def test_an_account_in_a_unit_with_restricted_management_is_not_matched_but_stands_on_the_list(stage: Stage):
    stage.school.student("Maria Papadaki", "7A", sis_number="S1")
    stage.tenant_holds(made_by_others("closed", employee_id="S1"))
    stage.tenant.close_off("closed")

    done = stage.synchronise()

    assert "administrative unit with restricted management" in done.reason("Maria Papadaki")
    assert stage.tenant.names() == {"closed"}
    assert "Maria Papadaki" in to_review(stage)


@proves("P59f")
def test_a_group_whose_members_microsoft_finds_by_a_rule_is_not_taken_for_a_class(stage: Stage):
    stage.school.teacher("Nikos Vasilakis", "7A")
    rule = {"groupTypes": ["Unified", "DynamicMembership"], "membershipRule": '(user.department -eq "7A")'}
    stage.tenant.control("seed", classes=[{"displayName": "All of 7A", "externalId": "c1", **rule}])

    stage.attempt()

    assert "All of 7A" in stage.tenant.groups()
    assert stage.tenant.members("All of 7A") == set()


@proves("P63c")
def test_links_can_be_looked_through_and_each_says_whether_we_made_the_account(stage: Stage):
    stage.school.student("Maria Papadaki", "7A").student("Jan Kowalski", "7A")
    stage.tenant_holds(made_by_others("jan", employee_id="S2"))
    stage.synchronise()

    listed = links.listed(stage.institute(), "user").select("number", "name", "origin").rows()

    assert listed == [("S1", MARIA, "made"), ("S2", "jan@sample-school.example", "adopted")]


@proves("P63c")
def test_a_wrong_link_is_undone_without_deleting_anything_and_does_not_come_back_by_itself(stage: Stage):
    stage.school.student("Maria Papadaki", "7A", sis_number="S1")
    stage.tenant_holds(made_by_others("maria", "M. P.", employee_id="S1"))
    stage.synchronise()

    with stage.desk() as desk:
        links.undo_link(desk, stage.person("Maria Papadaki"), "another Maria")
    done = stage.synchronise()

    assert "its link was undone" in done.reason("Maria Papadaki")
    assert done.writes == 0
    assert stage.tenant.user_names() == {"maria"}


@proves("P63c")
def test_a_link_is_corrected_and_the_right_account_is_kept_from_then_on(stage: Stage):
    stage.school.student("Maria Papadaki", "7A", sis_number="S1")
    stage.tenant_holds(made_by_others("wrong", employee_id="S1"), made_by_others("right"))
    stage.synchronise()
    stage.school.changes("Maria Papadaki", family_name="Makri")

    with stage.desk() as desk:
        links.undo_link(desk, stage.person("Maria Papadaki"))
        links.set_link(desk, stage.person("Maria Papadaki"), "right@sample-school.example", "the office said so")
    stage.synchronise()

    assert stage.tenant.account("right").name == "Maria Makri"
    assert stage.tenant.account("wrong").name == "Maria Papadaki"


@proves("P63c")
@pytest.mark.parametrize(
    ("account", "because"),
    [("visitor", "is a guest"), ("maria.papadaki", "is linked to p1 already"), ("nobody", "there is no nobody@")],
)
def test_what_cannot_be_somebodys_account_is_not_linked_by_hand_either(stage: Stage, account: str, because: str):
    stage.school.student("Maria Papadaki", "7A").student("Jan Kowalski", "7A")
    stage.tenant_holds(made_by_others("visitor", userType="Guest"))
    stage.synchronise()

    with stage.desk() as desk, pytest.raises(InputRefused, match=because):
        links.set_link(desk, stage.person("Jan Kowalski"), f"{account}@sample-school.example")


def in_a_file(stage: Stage, folder: Path, text: str) -> int:
    """A file of links is taken in; how many links it changed."""
    file = folder / "links.csv"
    file.write_text(text)
    with stage.desk() as desk:
        return linkfiles.import_file(desk, file)


@proves("P63d")
def test_links_are_taken_out_as_a_file_and_taken_in_again_as_they_were(stage: Stage, tmp_path: Path):
    stage.school.teacher("Nikos Vasilakis", "7A").student("Maria Papadaki", "7A")
    stage.tenant_holds(made_by_others("maria", employee_id="S2"))
    stage.synchronise()
    text, _ = linkfiles.exported(stage.institute(), stage.author)
    Link.objects.all().delete()

    assert in_a_file(stage, tmp_path, text) == 3

    assert linkfiles.exported(stage.institute(), stage.author)[0] == text
    assert stage.synchronise().writes == 0


@proves("P63d", "P63c")
def test_two_students_whose_accounts_were_mixed_up_exchange_them_in_one_file(stage: Stage, tmp_path: Path):
    stage.school.student("Maria Papadaki", "7A").student("Jan Kowalski", "7A")
    stage.tenant_holds(made_by_others("maria", employee_id="S2"), made_by_others("jan", employee_id="S1"))
    stage.synchronise()

    names = "number,user_name\nS1,maria@sample-school.example\nS2,jan@sample-school.example\n"
    assert in_a_file(stage, tmp_path, names) == 2
    stage.synchronise()

    assert stage.tenant.account("maria").name == "Maria Papadaki"
    assert stage.tenant.account("jan").name == "Jan Kowalski"


@proves("P63d")
def test_a_file_of_links_with_mistakes_is_told_all_of_them_and_changes_nothing(stage: Stage, tmp_path: Path):
    stage.school.student("Maria Papadaki", "7A")
    stage.synchronise()

    with pytest.raises(FileInvalid) as refused:
        in_a_file(stage, tmp_path, "number,user_name\nS9,x@sample-school.example\nS1,y@sample-school.example\n")

    assert refused.value.mistakes == [
        (2, "the register knows nobody and nothing called S9"),
        (3, "there is no y@sample-school.example in the tenant"),
    ]
    assert stage.synchronise().changes == 0


@proves("P63e")
def test_a_link_says_who_changed_it_when_from_what_to_what_and_why(stage: Stage):
    stage.school.student("Maria Papadaki", "7A", sis_number="S1")
    stage.tenant_holds(made_by_others("wrong", employee_id="S1"), made_by_others("right"))
    stage.synchronise()
    stage.on("2026-10-02")
    with stage.desk() as desk:
        links.undo_link(desk, stage.person("Maria Papadaki"), "another Maria")
        links.set_link(desk, stage.person("Maria Papadaki"), "right@sample-school.example", "the office said so")

    history = links.shown(stage.institute(), stage.person("Maria Papadaki")).history

    wrong, right = (stage.tenant.account(name).object_id for name in ("Maria Papadaki", "right"))
    told = [(e.before, e.object_id, e.actor, e.at.date().isoformat(), e.reason) for e in history]
    assert [line[:2] for line in told] == [(None, wrong), (wrong, None), (None, right)]
    assert [line[2:] for line in told[1:]] == [
        ("tester", "2026-10-02", "another Maria"),
        ("tester", "2026-10-02", "the office said so"),
    ]


@proves("P63f")
def test_after_all_links_were_lost_they_are_made_anew_from_the_marks_on_the_accounts(stage: Stage):
    stage.school.teacher("Nikos Vasilakis", "7A").student("Maria Papadaki", "7A")
    stage.synchronise()
    before = links.listed(stage.institute(), "user").rows()
    stage.tenant.control("edit", user=MARIA, set={"employeeId": "something else", "displayName": "M. P."})
    Link.objects.all().delete()

    with stage.desk() as desk:
        made = rebuild.rebuild(desk).made

    assert (made, links.listed(stage.institute(), "user").rows()) == (3, before)
    stage.synchronise()
    assert stage.tenant.names() == {"Nikos Vasilakis", "Maria Papadaki"}


@proves("P63h")
@pytest.mark.parametrize("ours", [True, False], ids=["made by us", "made by others"])
def test_an_account_deleted_and_made_anew_by_hand_is_not_taken_for_the_one_that_was_linked(stage: Stage, ours: bool):
    stage.school.teacher("Nikos Vasilakis", "7A").student("Maria Papadaki")
    anew = made_by_others("maria.papadaki", "Made anew", employee_id="S2")
    if not ours:
        stage.tenant_holds(anew)
    stage.synchronise()
    gone = stage.tenant.account("Maria Papadaki").object_id
    stage.tenant.control("delete", user=MARIA, forever=True)
    stage.tenant_holds(anew)

    done = stage.synchronise()

    assert "no longer in the tenant; restore it at Microsoft, or `rollbook link unlink`" in done.reason(
        "Maria Papadaki"
    )
    (line,) = select(Run.objects.order_by("-number")[0]).lines()
    assert line.reason.endswith(f"(object {gone})")
    assert done.writes == 0
    assert stage.tenant.names() == {"Nikos Vasilakis", "Made anew"}


@proves("P63i")
def test_user_name_mail_and_object_id_go_back_to_the_school_as_a_file_with_why_somebody_has_none(stage: Stage):
    stage.school.student("Maria Papadaki", "7A").student("Jan Kowalski", "7A").student("???", "7A")
    stage.school.parent("Eva Papadaki")
    stage.tenant_holds(made_by_others("jan", employee_id="S2", mail="jan@sample-school.example"))
    stage.synchronise()
    stage.school.leaves("Jan Kowalski")
    stage.synchronise()

    text, _ = accounts.exported(stage.institute(), stage.today, None, stage.author)

    rows = {row["sis_number"]: row for row in csv.DictReader(io.StringIO(text))}
    maria, jan = stage.tenant.account("Maria Papadaki"), stage.tenant.account("Jan Kowalski")
    assert (rows["S1"]["user_name"], rows["S1"]["object_id"]) == (MARIA, maria.object_id)
    assert (rows["S2"]["mail"], rows["S2"]["object_id"]) == ("jan@sample-school.example", jan.object_id)
    assert [rows[f"S{n}"]["state"] for n in (1, 2, 3, 4)] == ["active", "disabled", "waiting", "none"]
    assert rows["S3"]["why"] == "no user name can be made from what the register says"
