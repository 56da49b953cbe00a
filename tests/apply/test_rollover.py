"""A school year ends over the emulated tenant: last year's teams are left alone, one goes on in the next year, and is given back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from tests.apply.desk import AUTHOR, desk
from tests.apply.wire import Later, carried_out, connected, control, members_of, set_profile, synchronized_on
from tests.store.world import ACTOR, deliver
from tests.years import two_years

from rollbook.acts.links import find_subject, set_link, undo_link
from rollbook.acts.profiles import copy, enable, find
from rollbook.acts.rollover import Request, Seen, continue_team, going_on, look, part_team, parting
from rollbook.acts.runs import session
from rollbook.errors import InputRefused
from rollbook.plan.changes import Cause
from rollbook.store.models import Grouping, Institute, Link, LinkHistory, Trail

AUTUMN, SUMMER = dt.date(2026, 10, 1), dt.date(2027, 8, 10)
LEAD, NEXT = dt.date(2027, 8, 20), dt.date(2027, 9, 1)
OLD_7A, NEW_8A, NEW_7A = "7A-Maths-2027@2026-2027", "8A-Maths-2028@2027-2028", "7A-Maths-2028@2027-2028"


def seen(institute: Institute, day: dt.date, profile: str | None = None) -> Seen:
    return look(Request(institute, profile, day, AUTHOR))


def states(found: Seen) -> dict[str, str]:
    """What becomes of each team, by what to type for it."""
    return {line.handle: line.state for line in found.teams}


def goes_on(institute: Institute, day: dt.date, old: str = OLD_7A, new: str = NEW_8A) -> None:
    with desk(institute) as held:
        continue_team(held, going_on(Request(institute, None, day, AUTHOR), old, new))


def link_of(handle: str) -> Link:
    """The link of a team, by sourced id before the @."""
    return Link.objects.get(kind="team", subject=Grouping.objects.get(sourced_id=handle.partition("@")[0]).pk)


def names(tenant: Any) -> list[str]:
    """What the groups of the tenant are called."""
    return sorted(group["displayName"] for group in tenant.directory.groups.values())


def test_from_the_day_the_next_year_counts_last_years_team_is_left_alone(sqlite_store, tenant):
    school = two_years()
    institute = connected(school, tenant)
    assert synchronized_on(institute, AUTUMN).proof.holds
    assert states(seen(institute, AUTUMN)) == {OLD_7A: "continues", NEW_8A: "begins", NEW_7A: "begins"}

    # In the lead days both years count, and both are kept in step.
    assert synchronized_on(institute, LEAD).proof.holds
    assert names(tenant) == ["Maths 7A", "Maths 7A", "Maths 8A"]
    assert states(seen(institute, LEAD)) == {OLD_7A: "continues", NEW_8A: "continues", NEW_7A: "continues"}

    assert states(seen(institute, NEXT)) == {OLD_7A: "ends", NEW_8A: "continues", NEW_7A: "continues"}
    school.leaves("Pupil No0")
    deliver(school, accepted=True)
    control(tenant, "/counters/reset", {})
    done = synchronized_on(institute, NEXT)
    assert done.proof.holds
    old = tenant.directory.groups.get(link_of(OLD_7A).object_id)
    assert len(list(tenant.directory.members.of(old["id"]))) == 4
    assert link_of(OLD_7A).pk not in done.plan.changes["subject"].to_list()
    assert synchronized_on(institute, NEXT).plan.counts["changes"] == 0


def test_a_year_that_leaves_the_register_ends_its_teams_and_takes_nobody_out_of_them(sqlite_store, tenant):
    school = two_years()
    institute = connected(school, tenant)
    synchronized_on(institute, AUTUMN)

    deliver(school.forget("2027"), accepted=True)
    (line,) = [line for line in seen(institute, NEXT).teams if line.state == "ends"]
    assert (line.handle, line.name) == (OLD_7A, "Maths 7A (2026-2027)")
    synchronized_on(institute, NEXT)

    assert len(list(tenant.directory.members.of(link_of(OLD_7A).object_id))) == 4


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"teams__create": "nothing"}, "by the profile nothing becomes a team"),
        ({"teams__create": "subject"}, "the profile makes a team of each subject now"),
        ({"left_out__classes": ["7A-Maths-2027"]}, "the profile leaves it out"),
    ],
)
def test_what_the_profile_no_longer_asks_for_is_left_alone_listed_and_kept_again(
    sqlite_store, tenant, settings, reason
):
    school = two_years()
    institute = connected(school, tenant)
    synchronized_on(institute, AUTUMN)
    group = link_of(OLD_7A).object_id

    set_profile(institute, **settings)
    deliver(school.drops("Pupil No0", "Maths 7A 2027"), accepted=True)
    synchronized_on(institute, AUTUMN)
    (line,) = [line for line in seen(institute, AUTUMN).teams if line.state == "ends"]
    assert (line.handle, line.reason) == (OLD_7A, reason)
    assert len(list(tenant.directory.members.of(group))) == 4

    before = {key: "group_subject" if key == "teams__create" else [] for key in settings}
    set_profile(institute, **before)
    synchronized_on(institute, AUTUMN)
    assert states(seen(institute, AUTUMN))[OLD_7A] == "continues"
    assert len(list(tenant.directory.members.of(group))) == 3
    assert link_of(OLD_7A).object_id == group


def test_a_copied_profile_of_the_next_year_lets_the_old_ones_teams_end(sqlite_store, tenant):
    institute = connected(two_years(), tenant)
    set_profile(institute, academic_period="2027")
    synchronized_on(institute, AUTUMN)
    following = copy(find(institute, "Suggested"), "Next year", LEAD, None, "2028", AUTHOR)
    assert states(seen(institute, AUTUMN, "Next year")) == {OLD_7A: "ends", NEW_8A: "begins", NEW_7A: "begins"}
    enable(following, AUTHOR)

    done = synchronized_on(institute, LEAD)

    assert done.proof.holds
    assert names(tenant) == ["Maths 7A", "Maths 7A", "Maths 8A"]
    found = seen(institute, LEAD)
    assert (found.profile, states(found)) == (
        "Next year",
        {OLD_7A: "ends", NEW_8A: "continues", NEW_7A: "continues"},
    )


def test_a_team_goes_on_in_the_next_year_with_its_people_its_mark_and_the_new_name(store, tenant):
    institute = connected(two_years(), tenant)
    synchronized_on(institute, AUTUMN)
    group, mark = link_of(OLD_7A).object_id, link_of(OLD_7A).mark
    control(tenant, "/counters/reset", {})

    goes_on(institute, SUMMER)

    assert control(tenant, "/counters")["writes"] == 0
    new = link_of(NEW_8A)
    assert (new.object_id, new.mark, new.origin) == (group, mark, "made")
    assert link_of(OLD_7A).object_id is None
    assert link_of(OLD_7A).mark != mark
    assert Trail.objects.get(action="team.continued").content["object_id"] == group
    (line,) = [line for line in seen(institute, SUMMER).teams if line.handle == NEW_8A]
    assert (line.state, line.day, line.after) == ("continues", NEXT, "Maths 7A (2026-2027)")

    done = synchronized_on(institute, LEAD)
    assert done.proof.holds
    assert tenant.directory.groups.get(group)["displayName"] == "Maths 8A"
    assert members_of(tenant, "Maths 8A") == ["Nikos Vasilakis", "Pupil No0", "Pupil No1", "Pupil No2"]
    assert names(tenant) == ["Maths 7A", "Maths 8A"]
    # What it went on from is not made anew, though its year still counts.
    waiting = done.plan.changes.filter(pl.col("subject") == link_of(OLD_7A).pk)
    assert {Cause(cause) for cause in waiting["cause"]} == {Cause.WENT_ON}
    assert synchronized_on(institute, NEXT).proof.holds


def test_what_went_on_is_given_back_and_the_new_class_gets_a_team_of_its_own(store, tenant):
    institute = connected(two_years(), tenant)
    synchronized_on(institute, AUTUMN)
    group, mark = link_of(OLD_7A).object_id, link_of(OLD_7A).mark
    goes_on(institute, SUMMER)

    with desk(institute) as held:
        pair = parting(held, NEW_8A)
        part_team(held, pair)

    assert (pair.old.handle, pair.new.handle) == (OLD_7A, NEW_8A)
    assert (link_of(OLD_7A).object_id, link_of(OLD_7A).mark) == (group, mark)
    assert link_of(NEW_8A).object_id is None
    assert [entry.reason for entry in LinkHistory.objects.filter(link=link_of(NEW_8A)).order_by("pk")] == [
        "goes on",
        "does not go on",
    ]
    assert synchronized_on(institute, LEAD).proof.holds
    assert names(tenant) == ["Maths 7A", "Maths 7A", "Maths 8A"]
    assert link_of(OLD_7A).object_id == group
    with desk(institute) as held, pytest.raises(InputRefused, match="did not take over"):
        part_team(held, parting(held, NEW_8A))


@pytest.mark.parametrize("match", ["name", "external_id", "email", "nothing"])
def test_next_years_class_of_the_same_group_has_a_team_of_its_own_however_teams_are_found(sqlite_store, tenant, match):
    institute = connected(two_years(), tenant)
    set_profile(institute, teams__create="group", teams__match=match)
    synchronized_on(institute, AUTUMN)

    done = synchronized_on(institute, LEAD)

    assert done.proof.holds
    old, new = Link.objects.filter(kind="team", object_id__isnull=False, subject__in=subjects("7A")).order_by("period")
    assert len(list(tenant.directory.members.of(old.object_id))) == 4
    people = {tenant.directory.users.get(key)["displayName"] for key in tenant.directory.members.of(new.object_id)}
    assert people == {"Anna Ioannou", "Young No0", "Young No1", "Young No2"}


def subjects(sourced_id: str) -> list[int]:
    """What teams of this sourced id stand for."""
    return list(Grouping.objects.filter(sourced_id=sourced_id).values_list("pk", flat=True))


@pytest.mark.parametrize(
    ("day", "old", "new", "said"),
    [
        (NEXT, "nothing", NEW_8A, "There is no class or team 'nothing'"),
        (NEXT, OLD_7A, OLD_7A, "is the same team twice"),
        (NEXT, NEW_8A, NEW_7A, "has no team"),
        (AUTUMN, OLD_7A, "7B-Maths-2027", "is still wanted beside"),
    ],
)
def test_what_cannot_go_on_is_refused_with_a_sentence(sqlite_store, tenant, day, old, new, said):
    school = two_years().taught("7B", "Maths", "2027", "Anna Ioannou", [])
    institute = connected(school, tenant)
    synchronized_on(institute, AUTUMN)
    undone = link_of("7B-Maths-2027")
    Link.objects.filter(pk=undone.pk).update(object_id=None, origin=None)

    with pytest.raises(InputRefused, match=said):
        goes_on(institute, day, old, new)
    assert link_of(OLD_7A).object_id is not None


def test_a_team_of_its_own_and_an_earlier_year_are_refused(sqlite_store, tenant):
    institute = connected(two_years(), tenant)
    synchronized_on(institute, LEAD)

    with pytest.raises(InputRefused, match="has a team of its own already"):
        goes_on(institute, NEXT)
    Link.objects.filter(pk=link_of(OLD_7A).pk).update(object_id=None, origin=None)
    with pytest.raises(InputRefused, match="belongs to a later academic period"):
        goes_on(institute, NEXT, NEW_8A, OLD_7A)


def test_whether_a_team_is_archived_is_asked_of_microsoft_before_it_goes_on(sqlite_store, tenant):
    institute = connected(two_years(), tenant)
    synchronized_on(institute, AUTUMN)
    group = tenant.directory.groups.get(link_of(OLD_7A).object_id)
    tenant.directory.groups.put(group["id"], {**group, "_team": {**group["_team"], "archived": True}})

    with pytest.raises(InputRefused, match="is archived") as refused:
        goes_on(institute, SUMMER)
    assert refused.value.remedy.endswith(f"rollbook rollover unarchive {OLD_7A}")
    assert link_of(OLD_7A).archived_at is not None

    tenant.directory.groups.put(group["id"], group)
    goes_on(institute, SUMMER)
    assert link_of(NEW_8A).object_id == group["id"]
    assert link_of(NEW_8A).archived_at is None


def test_a_group_that_is_gone_or_somebody_elses_is_not_taken_over(sqlite_store, tenant):
    institute = connected(two_years(), tenant)
    synchronized_on(institute, AUTUMN)
    Link.objects.filter(pk=link_of(OLD_7A).pk).update(mark="another")
    with pytest.raises(InputRefused, match="does not carry our mark"):
        goes_on(institute, SUMMER)

    Link.objects.filter(pk=link_of(OLD_7A).pk).update(object_id="00000000-0000-0000-0000-000000000000")
    with pytest.raises(InputRefused, match="no longer in the tenant"):
        goes_on(institute, SUMMER)
    assert not Trail.objects.filter(action="team.continued").exists()


def test_a_plan_that_waits_does_not_count_any_more_once_a_team_goes_on(sqlite_store, tenant):
    institute = connected(two_years(), tenant)
    synchronized_on(institute, AUTUMN)
    with session(institute, LEAD, ACTOR, Later(LEAD)) as open_session:
        plan, _ = open_session.plan()
        run = open_session.save(plan)

    goes_on(institute, LEAD)

    run.refresh_from_db()
    assert run.state == "superseded"
    with session(institute, LEAD, ACTOR, Later(LEAD)) as open_session:
        assert carried_out(open_session).proof.holds


def test_an_adopted_team_goes_on_as_an_adopted_one(sqlite_store, tenant):
    institute = connected(two_years(), tenant)
    synchronized_on(institute, AUTUMN)
    old = find_subject(institute, "7A-Maths-2027", "team")
    with desk(institute) as held:
        undo_link(held, old)
    control(
        tenant, "/seed", {"groups": [{"displayName": "By hand", "mailNickname": "by-hand", "groupTypes": ["Unified"]}]}
    )
    with desk(institute) as held:
        set_link(held, old, "by-hand")

    goes_on(institute, SUMMER)

    new = link_of(NEW_8A)
    assert new.origin == "adopted"
    assert tenant.directory.groups.get(new.object_id)["displayName"] == "By hand"
