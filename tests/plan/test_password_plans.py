"""Plans that set new passwords: who gets one, who waits and why, and that a person always has to agree."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from tests.world import AUTUMN

from rollbook.apply.approval import approve, needs_person
from rollbook.directory.state import USERS
from rollbook.errors import ApprovalDue
from rollbook.plan.changes import Cause, ChangeVerdict, Kind, Plan
from rollbook.plan.passwords import Asked, plan_passwords
from rollbook.plan.sentences import objection_sentence, sentence

ASKED = Asked("tenant", 1, AUTUMN, {"school.example"})
ACCOUNT = {
    "object_id": "o1",
    "user_principal_name": "maria@school.example",
    "mark": "mark-1",
    "account_enabled": True,
    "licences": [],
    "on_premises": False,
    "guest": False,
    "protected": False,
}


def planned(link: dict[str, Any] | None = None, account: dict[str, Any] | None = None, *, there: bool = True) -> Plan:
    """The plan for one person, whose link or account is different in something."""
    row = {"link": 1, "mark": "mark-1", "object_id": "o1", "adopted": False} | (link or {})
    schema = {"link": pl.Int64, "mark": pl.String, "object_id": pl.String, "adopted": pl.Boolean}
    accounts = [ACCOUNT | (account or {})] if there else []
    return plan_passwords(pl.DataFrame([row], schema=schema), pl.DataFrame(accounts, schema=pl.Schema(USERS)), ASKED)


def causes(plan: Plan) -> list[Cause]:
    return [Cause(cause) for cause in plan.changes["cause"]]


def test_a_linked_account_gets_a_new_password_and_the_plan_holds_its_user_name():
    plan = planned()

    assert plan.changes.select("seq", "kind", "subject", "verdict").row(0) == (
        1,
        Kind.SET_PASSWORD,
        1,
        ChangeVerdict.PLANNED,
    )
    assert causes(plan) == [Cause.ASKED_FOR]
    assert plan.details["after"].to_list() == ['{"user_principal_name":"maria@school.example"}']
    assert plan.counts == {"changes": 1, "waiting": 0, "newly_waiting": 0}


@pytest.mark.parametrize(
    ("link", "account", "there", "cause"),
    [
        ({"object_id": None}, {}, False, Cause.NOT_LINKED),
        ({}, {}, False, Cause.ACCOUNT_GONE),
        ({}, {"mark": "somebody else's"}, True, Cause.FOREIGN_MARK),
        ({}, {"mark": None}, True, Cause.FOREIGN_MARK),
        ({}, {"protected": True}, True, Cause.PROTECTED),
        ({}, {"on_premises": True}, True, Cause.ON_PREMISES),
        ({}, {"guest": True}, True, Cause.SIGNS_IN_ELSEWHERE),
        ({}, {"user_principal_name": "maria@federated.example"}, True, Cause.SIGNS_IN_ELSEWHERE),
        ({}, {"protected": True, "on_premises": True}, True, Cause.PROTECTED),
    ],
)
def test_who_cannot_or_must_not_get_one_waits_for_a_reason(link, account, there, cause):
    plan = planned(link, account, there=there)

    assert causes(plan) == [cause]
    assert plan.changes["verdict"].to_list() == [ChangeVerdict.WAITS]
    assert plan.details.is_empty()
    assert plan.counts == {"changes": 0, "waiting": 1, "newly_waiting": 0}
    assert sentence(Kind.SET_PASSWORD, cause, "Maria").reason.startswith("waits: ")


def test_an_adopted_account_without_a_mark_is_ours_and_domains_have_no_capitals():
    plan = planned({"adopted": True}, {"mark": None, "user_principal_name": "Maria@School.Example"})

    assert causes(plan) == [Cause.ASKED_FOR]


def test_a_person_always_has_to_agree_to_exactly_this_plan():
    plan = planned()

    assert needs_person(plan) == ["passwords-set"]
    with pytest.raises(ApprovalDue):
        approve(plan, None)
    assert objection_sentence(plan.objections[0]).startswith("1 new password would be set;")
    assert planned(account={"user_principal_name": "m@school.example"}).fingerprint != plan.fingerprint
    assert planned().fingerprint == plan.fingerprint


def test_a_plan_that_sets_nothing_needs_nobody():
    assert needs_person(planned({"object_id": None}, there=False)) == []
