"""What somebody did in the tenant by hand: told so in the plan, and handled as docs/human-edits.md says, row by row."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from tests.world import AUTUMN, CLASS_LINKS_FROM, School, Tenant

from rollbook.plan.by_hand import DONE, LOOKED_AT, RULES, attributed, needed
from rollbook.plan.changes import CHANGES, DETAILS, Cause, ChangeVerdict, Kind, Plan
from rollbook.plan.make import fingerprint
from rollbook.plan.sentences import sentence

MATHS = CLASS_LINKS_FROM + 1


class Remembering(Tenant):
    """A tenant whose plans remember what those before them did."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[tuple[int, int, int | None, str | None, bool]] = []

    def look(self, school: School, *, settled: bool = True) -> Plan:
        """The plan, told by what was done before."""
        rows = [(*row[:4], settled) for row in self.done]
        return attributed(self.plan(school), pl.DataFrame(rows, schema=pl.Schema(DONE), orient="row"))

    def carry_out(self, school: School) -> Plan:
        """The plan, carried out and remembered."""
        plan = self.look(school)
        after = dict(plan.details.select("seq", "after").iter_rows())
        for seq, kind, subject, other, verdict in plan.changes.select(
            "seq", "kind", "subject", "object", "verdict"
        ).iter_rows():
            if verdict == ChangeVerdict.PLANNED:
                self.done.append((kind, subject, other, after.get(seq), True))
        self.apply(plan)
        return plan

    def group(self) -> dict[str, Any]:
        """The one group there is."""
        (found,) = self.groups
        return found

    def user(self, link: int) -> dict[str, Any]:
        """The account of a link."""
        return next(row for row in self.users if row["object_id"] == self.links[link]["object_id"])


def a_synchronized_school() -> tuple[School, Remembering]:
    """A class of a teacher (1) and two students (2, 3), everything as the register says."""
    school = School().klass("7A Maths", ["Nikos Vasilakis"], ["Maria Papadaki", "Jan Kowalski"])
    tenant = Remembering()
    tenant.carry_out(school)
    assert tenant.carry_out(school).changes.is_empty()
    return school, tenant


def causes(plan: Plan) -> dict[tuple[str, int, int | None], Cause]:
    """Why each change is planned, by kind, subject and object."""
    rows = plan.changes.select("kind", "subject", "object", "cause").iter_rows()
    return {(Kind(kind).name, subject, other): Cause(cause) for kind, subject, other, cause in rows}


def relation(team: int, user: int, kind: int) -> dict[str, int]:
    return {"team": team, "user": user, "relation": kind}


def test_a_member_who_was_taken_out_is_put_back_and_the_plan_says_by_whom_not():
    school, tenant = a_synchronized_school()
    tenant.memberships.remove(next(row for row in tenant.memberships if row["user"] == 2))

    plan = tenant.look(school)

    assert causes(plan) == {("ADD_MEMBER", MATHS, 2): Cause.TAKEN_OUT_BY_HAND}
    assert "by hand" in sentence(*plan.changes.select("kind", "cause").row(0), "7A Maths", "Maria").reason


def test_what_a_run_did_within_the_hour_is_no_proof_that_somebody_undid_it():
    school, tenant = a_synchronized_school()
    tenant.memberships.remove(next(row for row in tenant.memberships if row["user"] == 2))

    assert causes(tenant.look(school, settled=False)) == {("ADD_MEMBER", MATHS, 2): Cause.ENROLMENT_CURRENT}


def test_somebody_of_the_register_who_was_put_into_a_team_is_taken_out_again():
    school, tenant = a_synchronized_school()
    school.klass("7B Art", ["Eleni Demetriou"], ["Anna Rossi"])
    tenant.carry_out(school)
    anna = school.people["Anna Rossi"]["person"]
    tenant.memberships.append(relation(MATHS, anna, 0))

    plan = tenant.look(school)

    assert set(causes(plan).values()) == {Cause.PUT_IN_BY_HAND}


def test_a_pupil_who_left_a_class_and_was_put_in_again_is_taken_out_and_one_who_leaves_is_told_apart():
    school, tenant = a_synchronized_school()
    school.drops("Jan Kowalski", "7A Maths")
    assert causes(tenant.look(school))["REMOVE_MEMBER", MATHS, 3] == Cause.ENROLMENT_ENDED
    tenant.carry_out(school)
    tenant.memberships.append(relation(MATHS, 3, 0))

    assert causes(tenant.look(school)) == {("REMOVE_MEMBER", MATHS, 3): Cause.PUT_IN_BY_HAND}


def test_a_renamed_account_is_put_right_and_told_apart_from_a_register_that_changed():
    school, tenant = a_synchronized_school()
    tenant.user(2)["display_name"] = "Somebody Else"
    assert causes(tenant.look(school)) == {("UPDATE_USER", 2, None): Cause.CHANGED_BY_HAND}

    school.people["Maria Papadaki"] |= {"family_name": "Papadaki-Berg"}

    assert causes(tenant.look(school)) == {("UPDATE_USER", 2, None): Cause.VALUES_DIFFER}


def test_a_renamed_class_is_put_right():
    school, tenant = a_synchronized_school()
    tenant.group()["display_name"] = "The best class"

    assert causes(tenant.look(school)) == {("UPDATE_CLASS", MATHS, None): Cause.CHANGED_BY_HAND}


def test_what_somebody_disabled_stays_disabled_and_is_shown():
    school, tenant = a_synchronized_school()
    tenant.user(2)["account_enabled"] = False

    plan = tenant.look(school)

    assert causes(plan) == {("ENABLE_USER", 2, None): Cause.DISABLED_ELSEWHERE}
    assert plan.changes["verdict"].to_list() == [ChangeVerdict.WAITS]


def test_a_leaver_whom_somebody_enabled_is_disabled_again():
    school, tenant = a_synchronized_school()
    school.leaves("Jan Kowalski")
    tenant.carry_out(school)
    tenant.user(3)["account_enabled"] = True

    assert causes(tenant.look(school))["DISABLE_USER", 3, None] == Cause.ENABLED_BY_HAND


def test_a_licence_that_was_taken_away_is_given_again():
    school, tenant = a_synchronized_school()
    tenant.user(2)["licences"] = []

    assert causes(tenant.look(school)) == {("LICENSE_USER", 2, None): Cause.UNLICENSED_BY_HAND}


def test_a_deleted_account_is_restored_under_its_name():
    school, tenant = a_synchronized_school()
    tenant.user(2)["deleted"] = True

    plan = tenant.look(school)

    assert causes(plan)["RESTORE_USER", 2, None] == Cause.DELETED
    assert json.loads(plan.details.row(0, named=True)["after"]) == {"user_principal_name": None}


def test_an_account_deleted_for_good_and_made_again_under_its_name_waits_for_a_person():
    school, tenant = a_synchronized_school()
    gone = tenant.user(2)
    tenant.users.remove(gone)
    tenant.account("another", **{**gone, "object_id": "made-by-hand", "mark": None})

    plan = tenant.look(school)

    assert causes(plan)["UPDATE_USER", 2, None] == Cause.ACCOUNT_GONE
    assert not {kind for kind, subject, _ in causes(plan) if subject == 2} - {"UPDATE_USER"}


def test_a_deleted_group_waits_and_another_of_its_name_is_not_touched():
    school, tenant = a_synchronized_school()
    gone = tenant.group()
    tenant.groups = [{**gone, "object_id": "made-by-hand", "mark": None}]

    plan = tenant.look(school)

    assert causes(plan) == {("UPDATE_GROUP", MATHS, None): Cause.TEAM_GONE}
    assert plan.changes["verdict"].to_list() == [ChangeVerdict.WAITS]


def test_a_class_that_somebody_else_marks_as_theirs_is_left_alone():
    school, tenant = a_synchronized_school()
    tenant.group()["mark"] = "School Data Sync"

    assert causes(tenant.look(school)) == {("UPDATE_GROUP", MATHS, None): Cause.FOREIGN_MARK}


def test_a_plan_that_is_told_what_was_done_by_hand_has_the_fingerprint_of_what_it_says():
    school, tenant = a_synchronized_school()
    plain = tenant.plan(school)
    assert fingerprint(plain.changes, plain.details, plain.tenant, plain.profile_version) == plain.fingerprint
    tenant.user(2)["display_name"] = "Somebody Else"
    plain, told = tenant.plan(school, AUTUMN), tenant.look(school)

    assert plain.fingerprint == fingerprint(plain.changes, plain.details, plain.tenant, plain.profile_version)
    assert told.fingerprint != plain.fingerprint
    assert told.fingerprint == tenant.look(school).fingerprint


LINKS = st.integers(1, 3)
KINDS = st.sampled_from(sorted(LOOKED_AT))
VALUES = st.sampled_from(
    [None, '{"display_name": "A"}', '{"display_name": "B", "given_name": "A"}', '{"given_name": "B"}']
)


@given(
    done=st.lists(st.tuples(KINDS, LINKS, LINKS, VALUES, st.booleans()), max_size=30),
    planned=st.lists(st.tuples(st.sampled_from(sorted(RULES)), LINKS, LINKS, VALUES, VALUES), min_size=1, max_size=8),
)
def test_what_is_not_needed_of_what_was_done_can_be_forgotten_and_plans_say_the_same(done, planned):
    told = pl.DataFrame(done, schema=pl.Schema(DONE), orient="row").with_row_index("key")
    kept = told.filter(pl.col("key").is_in(needed(told.drop("settled")).implode()))
    numbered = [(seq, *row) for seq, row in enumerate(planned, start=1)]
    changes = pl.DataFrame(
        [(seq, kind, subject, other, 3, None, None, None, 0) for seq, kind, subject, other, *_ in numbered],
        schema=pl.Schema(CHANGES),
        orient="row",
    )
    details = [(seq, subject, before or "{}", after or "{}") for seq, _, subject, _, before, after in numbered]
    plan = Plan("t", 1, AUTUMN, changes, pl.DataFrame(details, schema=pl.Schema(DETAILS), orient="row"), (), "f", False)

    assert attributed(plan, kept.drop("key")).changes.equals(attributed(plan, told.drop("key")).changes)
