"""Links by hand over the emulated tenant: set, undone, in bulk, rebuilt; and what the next synchronization makes of them."""

from __future__ import annotations

import pytest
from tests.apply.desk import AUTHOR, account, desk, person
from tests.apply.wire import connected, control, opened, set_profile, synchronized, users_of
from tests.store.world import Frozen, a_school

from rollbook.acts.linkfiles import exported, import_file
from rollbook.acts.links import find_subject, listed, set_link, shown, undo_link
from rollbook.acts.rebuild import rebuild
from rollbook.acts.runs import apply_run
from rollbook.errors import FileInvalid, InputRefused, TenantBusy
from rollbook.graph.codec import UNIQUE_NAME
from rollbook.plan.changes import Cause, ChangeVerdict
from rollbook.store import leases
from rollbook.store.models import Account, Grouping, Link, LinkHistory, Run, Trail


def waiting(done):
    rows = done.plan.changes.filter(done.plan.changes["verdict"] == int(ChangeVerdict.WAITS))
    return {Cause(cause) for cause in rows["cause"]}


def held_by(sourced_id, institute):
    return shown(institute, person(institute, sourced_id)).link.object_id


def key_of(tenant, name):
    return next(user["id"] for user in users_of(tenant) if user["displayName"] == name)


def test_a_person_is_linked_by_hand_to_an_account_found_by_name_and_nothing_is_written(store, tenant):
    institute = connected(a_school(1), tenant)
    other = account(tenant, "old.name", mail="old@mail.example")
    control(tenant, "/counters/reset", {})

    with desk(institute) as held:
        done = set_link(held, person(institute, "p2"), "OLD.name@sample-school.example", "the office said so")
    assert (done.object_id, done.before, done.changed, list(done.notes)) == (other, None, True, [])
    assert control(tenant, "/counters")["writes"] == 0
    assert Account.objects.get().mail == "old@mail.example"
    assert Trail.objects.get(action="link.set").content["object_id"] == other

    synchronized(institute)
    assert tenant.directory.users.get(other)["displayName"] == "Pupil No0"
    assert len(users_of(tenant)) == 2
    with desk(institute) as held:
        assert not set_link(held, person(institute, "S2"), other).changed


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("nobody@sample-school.example", "there is no nobody@sample-school.example in the tenant"),
        ("00000000-0000-0000-0000-000000000000", "there is no 0000"),
        ("visitor@sample-school.example", "is a guest"),
        ("nikos.vasilakis@sample-school.example", "is linked to p1 already"),
        ("foreign@sample-school.example", "carries a mark that nobody here knows"),
    ],
)
def test_what_cannot_be_linked_is_refused_with_a_sentence(sqlite_store, tenant, wanted, said):
    institute = connected(a_school(1), tenant)
    synchronized(institute)
    account(tenant, "visitor", userType="Guest")
    marked = institute.connections.get().mark_property
    account(tenant, "foreign", **{marked: "f" * 32})

    with desk(institute) as held, pytest.raises(InputRefused, match=said):
        set_link(held, person(institute, "p2"), wanted)
    assert LinkHistory.objects.count() == 3  # two people and their class, of the synchronization


def test_a_mark_that_nobody_knows_can_be_taken_over_expressly(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    marked = institute.connections.get().mark_property
    foreign = account(tenant, "foreign", **{marked: "f" * 32})

    with desk(institute) as held:
        set_link(held, person(institute, "p2"), foreign, take_over=True)
    done = synchronized(institute)
    assert Cause.FOREIGN_MARK not in waiting(done)
    assert tenant.directory.users.get(foreign)["displayName"] == "Pupil No0"


def test_a_protected_account_is_linked_said_and_never_changed(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    head = account(tenant, "head")
    control(tenant, "/role", {"principal": head})

    with desk(institute) as held:
        done = set_link(held, person(institute, "p1"), head)
    assert done.notes == ["head@sample-school.example is protected, so it is linked and never changed"]
    synchronized(institute)
    assert tenant.directory.users.get(head)["displayName"] == "head"


def test_people_are_named_by_sourced_id_or_sis_number_and_whoever_is_unknown_is_said(sqlite_store, tenant):
    school = a_school(2)
    school.people["Pupil No1"]["sis_number"] = "S2"
    institute = connected(school, tenant)

    assert person(institute, "p2").sourced_id == "p2"
    assert person(institute, "S1").sourced_id == "p1"
    with pytest.raises(InputRefused, match="Several have the SIS number 'S2'"):
        person(institute, "S2")
    with pytest.raises(InputRefused, match="no person"):
        person(institute, "nobody")
    with pytest.raises(InputRefused, match="no class"):
        find_subject(institute, "nothing", "team")


def test_an_undone_link_waits_and_neither_comes_back_nor_makes_a_second_account(store, tenant):
    institute = connected(a_school(1), tenant)
    adopted = account(tenant, "adopted", employeeId="S2")
    synchronized(institute)
    assert held_by("p2", institute) == adopted

    with desk(institute) as held:
        assert undo_link(held, person(institute, "p2"), "wrong Maria") == adopted
    done = synchronized(institute)
    assert Cause.LINK_UNDONE in waiting(done)
    assert held_by("p2", institute) is None
    assert len(users_of(tenant)) == 2
    assert [d.kind for d in shown(institute, person(institute, "p2")).decisions] == ["refused"]
    with desk(institute) as held, pytest.raises(InputRefused, match="not linked"):
        undo_link(held, person(institute, "p2"))

    with desk(institute) as held:
        set_link(held, person(institute, "p2"), adopted)
    assert Cause.LINK_UNDONE not in waiting(synchronized(institute))


def test_an_account_we_made_can_be_undone_and_given_to_somebody_else(sqlite_store, tenant):
    institute = connected(a_school(2), tenant)
    synchronized(institute)
    first, second = held_by("p2", institute), held_by("p3", institute)

    with desk(institute) as held:
        undo_link(held, person(institute, "p2"))
        undo_link(held, person(institute, "p3"))
        set_link(held, person(institute, "p2"), second)
    done = synchronized(institute)

    assert Cause.FOREIGN_MARK not in waiting(done)
    assert tenant.directory.users.get(second)["displayName"] == "Pupil No0"
    assert tenant.directory.users.get(first)["displayName"] == "Pupil No0"  # untouched
    assert len(users_of(tenant)) == 3


def test_a_plan_made_before_a_link_was_changed_is_not_applied_any_more(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    other = account(tenant, "other")
    with opened(institute) as session:
        plan, _ = session.plan()
        run = session.save(plan)
    with desk(institute) as held:
        set_link(held, person(institute, "p2"), other)

    run.refresh_from_db()
    assert run.state == Run.State.SUPERSEDED
    with opened(institute) as session, pytest.raises(InputRefused, match="superseded"):
        apply_run(session, run, run.fingerprint)


def test_nobody_decides_while_a_run_goes_on_or_is_not_finished(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    lease = leases.acquire(institute.connections.get().tenant, Frozen().now(), holder="elsewhere:1")
    with pytest.raises(TenantBusy), desk(institute):
        pass
    leases.release(lease)

    done = synchronized(institute)
    Run.objects.filter(pk=done.run.pk).update(state=Run.State.APPLYING)
    with pytest.raises(InputRefused, match="not finished"), desk(institute):
        pass


def test_a_class_is_linked_and_undone_like_a_person(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    synchronized(institute)
    maths = find_subject(institute, "C1", "team")
    (group,) = tenant.directory.groups.values()
    with desk(institute) as held:
        assert undo_link(held, maths) == group["id"]
    assert Cause.LINK_UNDONE in waiting(synchronized(institute))
    assert len(tenant.directory.groups) == 1

    with desk(institute) as held:
        set_link(held, maths, group["mailNickname"])
    done = synchronized(institute)
    assert not waiting(done)
    assert done.proof.holds
    assert listed(institute, "team").select("sourced_id", "object_id").rows() == [("c1", group["id"])]


def bulk(tmp_path, text):
    file = tmp_path / "links.csv"
    file.write_text(text)
    return file


def test_links_travel_as_a_file_and_come_back_as_they_were(store, tenant, tmp_path):
    institute = connected(a_school(2), tenant)
    account(tenant, "adopted", employeeId="S2")
    synchronized(institute)
    text, rows = exported(institute, AUTHOR)
    assert rows == 4
    before = set(Link.objects.values_list("kind", "object_id", "origin"))

    with desk(institute) as held:
        assert import_file(held, bulk(tmp_path, text)) == 0
    Link.objects.all().delete()
    with desk(institute) as held:
        assert import_file(held, bulk(tmp_path, text)) == 4
    assert set(Link.objects.values_list("kind", "object_id", "origin")) == before
    assert exported(institute, AUTHOR)[0] == text
    control(tenant, "/counters/reset", {})
    done = synchronized(institute)
    assert not waiting(done)
    assert control(tenant, "/counters")["writes"] == 0


def test_all_mistakes_of_a_file_are_told_with_their_lines_and_nothing_changes(sqlite_store, tenant, tmp_path):
    institute = connected(a_school(3), tenant)
    synchronized(institute)
    account(tenant, "visitor", userType="Guest")
    free = account(tenant, "free")
    history = LinkHistory.objects.count()
    text = f"""kind,sourced_id,number,object_id,user_name
user,p2,,,visitor@sample-school.example
user,nobody,,{free},
user,p3,,,missing@sample-school.example
colour,p3,,{free},
user,,,{free},
user,p4,,,
user,p2,,{free},
user,,S4,,nikos.vasilakis@sample-school.example
"""
    with desk(institute) as held, pytest.raises(FileInvalid) as refused:
        import_file(held, bulk(tmp_path, text))

    assert refused.value.mistakes == [
        (2, "p2 is there twice"),
        (2, "visitor@sample-school.example is a guest; guests are never linked"),
        (3, "the register knows nobody and nothing called nobody"),
        (4, "there is no missing@sample-school.example in the tenant"),
        (5, "there is no kind 'colour'; there are user, team"),
        (6, "neither sourced_id nor number is given"),
        (7, "neither object_id nor user_name is given"),
        (8, "p2 is there twice"),
        (9, "nikos.vasilakis@sample-school.example is linked to p1 already; undo that link first"),
    ]
    assert "line 9: nikos" in refused.value.message
    assert LinkHistory.objects.count() == history


def test_people_whose_accounts_were_mixed_up_exchange_them_in_one_file(sqlite_store, tenant, tmp_path):
    institute = connected(a_school(2), tenant)
    synchronized(institute)
    first, second = held_by("p2", institute), held_by("p3", institute)

    with desk(institute) as held:
        text = f"sourced_id,object_id\np2,{second}\np3,{first}\n"
        assert import_file(held, bulk(tmp_path, text)) == 2
    done = synchronized(institute)
    assert not waiting(done)
    assert tenant.directory.users.get(second)["displayName"] == "Pupil No0"
    assert tenant.directory.users.get(first)["displayName"] == "Pupil No1"


def test_after_a_lost_database_links_are_remade_from_marks_and_the_rest_is_reported(store, tenant):
    school = a_school(2)
    institute = connected(school, tenant)
    synchronized(institute)
    before = set(Link.objects.values_list("kind", "object_id", "origin", "mark"))
    marked = institute.connections.get().mark_property
    account(tenant, "foreign", **{marked: "f" * 32})
    Link.objects.all().delete()
    control(tenant, "/counters/reset", {})

    with desk(institute) as held:
        done = rebuild(held)
        again = rebuild(held)
    assert (done.made, done.known) == (4, 0)
    assert list(done.left) == [("user", "foreign@sample-school.example", "nobody here knows its mark")]
    assert (again.made, again.known) == (0, 4)
    assert set(Link.objects.values_list("kind", "object_id", "origin", "mark")) == before
    assert Account.objects.count() == 3
    synchronized(institute)
    assert control(tenant, "/counters")["writes"] == 0


def test_links_of_the_structure_and_of_licences_are_remade_too_and_foreign_groups_are_told(store, tenant):
    institute = connected(a_school(2), tenant)
    levels = {"levels": {"institute": {}, "group": {}}}
    set_profile(institute, teams__create="subject", users__licences_by_group=True, hierarchies={"general": levels})
    synchronized(institute)
    synchronized(institute)
    held = Link.objects.exclude(object_id=None)
    before = set(held.values_list("kind", "object_id", "origin", "mark"))
    assert {kind for kind, *_ in before} == {"user", "team", "node", "licence"}
    made = {"displayName": "Foreign", "mailEnabled": False, "mailNickname": "foreign", "securityEnabled": True}
    control(tenant, "/seed", {"groups": [made | {"uniqueName": UNIQUE_NAME + "f" * 32}]})
    Link.objects.all().delete()
    Grouping.objects.all().delete()
    control(tenant, "/counters/reset", {})

    with desk(institute) as at:
        done = rebuild(at)
        again = rebuild(at)
    assert (done.made, again.made, again.known) == (len(before), 0, len(before))
    assert list(done.left) == [("group", "Foreign", "nobody here knows its mark")]
    assert set(held.values_list("kind", "object_id", "origin", "mark")) == before
    synchronized(institute)
    assert control(tenant, "/counters")["writes"] == 0


def test_without_rebuilding_the_next_plan_finds_its_own_marks_too(sqlite_store, tenant):
    institute = connected(a_school(2), tenant)
    synchronized(institute)
    Link.objects.all().delete()
    control(tenant, "/counters/reset", {})

    done = synchronized(institute)
    assert control(tenant, "/counters")["writes"] == 0
    assert not waiting(done)


def test_an_account_that_was_moved_by_hand_does_not_go_back_after_a_lost_database(sqlite_store, tenant):
    institute = connected(a_school(2), tenant)
    synchronized(institute)
    moved = held_by("p3", institute)
    with desk(institute) as held:
        undo_link(held, person(institute, "p2"))
        undo_link(held, person(institute, "p3"))
        set_link(held, person(institute, "p2"), moved)
    synchronized(institute)  # the account now carries p2's SIS number and p3's mark
    Link.objects.all().delete()

    with desk(institute) as held:
        done = rebuild(held)
    assert [(kind, why) for kind, _, why in done.left if kind == "user"] == [
        ("user", "it carries one person's mark and another's SIS number")
    ]
    assert Cause.AMBIGUOUS_MATCH in waiting(synchronized(institute))
    assert tenant.directory.users.get(moved)["displayName"] == "Pupil No0"


def test_what_was_undone_by_hand_is_not_remade_from_its_mark(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    synchronized(institute)
    with desk(institute) as held:
        undo_link(held, person(institute, "p2"))
        done = rebuild(held)
    assert done.made == 0
    assert [why for _, _, why in done.left] == ["its link was undone by a person"]
