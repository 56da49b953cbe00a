"""Plans that archive teams and take them back: what is done, what waits and why, and that a person always has to agree."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from tests.world import AUTUMN

from rollbook.apply.approval import approve, needs_person
from rollbook.directory.state import as_groups
from rollbook.errors import ApprovalDue
from rollbook.plan.archiving import Asked, plan_archiving
from rollbook.plan.changes import Cause, ChangeVerdict, Kind, Plan
from rollbook.plan.sentences import objection_sentence, sentence


def planned(
    kind: Kind = Kind.ARCHIVE_TEAM,
    link: dict[str, Any] | None = None,
    group: dict[str, Any] | None = None,
    archived: frozenset[str] = frozenset(),
    *,
    there: bool = True,
) -> Plan:
    """The plan for one team, whose link or group is different in something."""
    row = {"link": 1, "mark": "mark-1", "object_id": "g1", "adopted": False} | (link or {})
    schema = {"link": pl.Int64, "mark": pl.String, "object_id": pl.String, "adopted": pl.Boolean}
    group = {"object_id": "g1", "kind": "class", "mark": "mark-1", "has_team": True} | (group or {})
    actual = as_groups(pl.DataFrame([group], schema_overrides={"mark": pl.String}))
    chosen = pl.DataFrame([row], schema=schema)
    return plan_archiving(chosen, actual if there else actual.clear(), archived, Asked("tenant", 1, AUTUMN, kind))


def causes(plan: Plan) -> list[Cause]:
    return [Cause(cause) for cause in plan.changes["cause"]]


@pytest.mark.parametrize(
    ("kind", "archived"), [(Kind.ARCHIVE_TEAM, frozenset()), (Kind.UNARCHIVE_TEAM, frozenset({"g1"}))]
)
def test_a_team_that_is_not_yet_as_asked_is_changed(kind, archived):
    plan = planned(kind, archived=archived)

    assert plan.changes.select("seq", "kind", "subject", "object", "verdict").row(0) == (
        1,
        kind,
        1,
        None,
        ChangeVerdict.PLANNED,
    )
    assert causes(plan) == [Cause.ASKED_FOR]
    assert plan.counts == {"changes": 1, "waiting": 0, "newly_waiting": 0}


@pytest.mark.parametrize(
    ("kind", "link", "group", "archived", "cause"),
    [
        (Kind.ARCHIVE_TEAM, {}, {"has_team": False}, frozenset(), Cause.NO_TEAM_TO_ARCHIVE),
        (Kind.ARCHIVE_TEAM, {}, {}, frozenset({"g1"}), Cause.ARCHIVED_ALREADY),
        (Kind.UNARCHIVE_TEAM, {}, {}, frozenset(), Cause.NOT_ARCHIVED),
        (Kind.ARCHIVE_TEAM, {}, {"mark": "somebody else's"}, frozenset(), Cause.FOREIGN_MARK),
        (Kind.ARCHIVE_TEAM, {}, {"mark": None}, frozenset(), Cause.FOREIGN_MARK),
        (Kind.ARCHIVE_TEAM, {}, {"object_id": "another"}, frozenset(), Cause.TEAM_GONE),
    ],
)
def test_what_cannot_be_archived_or_taken_back_waits_for_a_reason(kind, link, group, archived, cause):
    plan = planned(kind, link, group, archived)

    assert causes(plan) == [cause]
    assert plan.changes["verdict"].to_list() == [ChangeVerdict.WAITS]
    assert plan.counts == {"changes": 0, "waiting": 1, "newly_waiting": 0}
    assert plan.objections == ()
    assert sentence(kind, cause, "7A").reason.startswith("waits: ")


def test_an_adopted_team_without_a_mark_is_ours_and_one_that_is_gone_is_not_looked_for():
    assert causes(planned(link={"adopted": True}, group={"mark": None})) == [Cause.ASKED_FOR]
    assert causes(planned(there=False)) == [Cause.TEAM_GONE]


def test_a_person_always_has_to_agree_to_exactly_this_plan():
    plan = planned()

    assert needs_person(plan) == ["teams-archived"]
    with pytest.raises(ApprovalDue):
        approve(plan, None)
    assert objection_sentence(plan.objections[0]).startswith("1 team would be archived; a person")
    assert needs_person(planned(Kind.UNARCHIVE_TEAM, archived=frozenset({"g1"}))) == ["teams-unarchived"]
    assert planned().fingerprint == plan.fingerprint
