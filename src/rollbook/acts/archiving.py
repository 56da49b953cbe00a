"""Teams archived, and taken back from the archive: a run whose plan is made from teams somebody chose, agreed to by whoever asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from rollbook.acts.new_passwords import carry_out, withdraw
from rollbook.acts.rollover import judged
from rollbook.acts.runs import Session, finish_unfinished
from rollbook.acts.teams_known import find_all, known
from rollbook.desired.rollover import State, Why
from rollbook.errors import InputRefused
from rollbook.plan.archiving import Asked, plan_archiving
from rollbook.plan.changes import Kind, Plan
from rollbook.store import links
from rollbook.store.models import Link, Run

__all__ = ["Chosen", "carry_out", "propose_archiving", "propose_taking_back", "withdraw"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which teams are meant: those that are named, all that ended, all groups of the structure that are left over."""

    named: Sequence[str] = ()
    ended: bool = False
    left_over: bool = False


def propose_archiving(session: Session, chosen: Chosen) -> Run:
    """A stored run that archives every team that is meant; what cannot be archived waits in it, with a reason.

    Of those that ended or are left over, what we archived before is not looked at again. A run that was cut off is finished first.
    """
    finish_unfinished(session)
    rows = known(session.institute)
    linked = set(_linked(rows, chosen.named))
    if chosen.ended or chosen.left_over:
        turned, left = judged(session.institute, session.scope.profile, session.scope.as_of, rows)
        # A team outside a scope, or of the year of another profile, is going on somewhere: it is archived by name only.
        over = (Why.PERIOD_OVER, Why.CLASS_GONE, Why.MODE_CHANGED, Why.NOTHING)
        ended = turned.teams.filter(
            pl.col("state") == State.ENDS.value, ~pl.col("archived"), pl.col("why").is_in([why.value for why in over])
        )
        linked |= set(ended["link"]) if chosen.ended else set()
        linked |= set(left.filter(~pl.col("archived"))["link"]) if chosen.left_over else set()
    if not linked:
        raise InputRefused(
            "There is nothing to archive.", remedy="`rollbook rollover` lists what ended and is left over."
        )
    return session.save(_plan(session, sorted(linked), Kind.ARCHIVE_TEAM), Run.Purpose.ARCHIVING)


def propose_taking_back(session: Session, named: Sequence[str]) -> Run:
    """A stored run that takes the teams that are named back from the archive; what is not archived waits in it."""
    finish_unfinished(session)
    linked = sorted(set(_linked(known(session.institute), named)))
    return session.save(_plan(session, linked, Kind.UNARCHIVE_TEAM), Run.Purpose.ARCHIVING)


def _linked(rows: pl.DataFrame, named: Sequence[str]) -> list[int]:
    """The links of teams that are named; InputRefused if one of them has no group at Microsoft."""
    teams = find_all(rows, named)
    without = [team.name for team in teams if team.object_id is None]
    if without:
        raise InputRefused(
            f"{', '.join(without)}: there is no team at Microsoft.",
            remedy="`rollbook rollover` lists those that have one.",
        )
    return [team.link for team in teams if team.link is not None]


def _plan(session: Session, linked: Sequence[int], kind: Kind) -> Plan:
    session.show.tell("tenant")
    tenant = session.connection.tenant
    held = pl.concat([links.held(tenant, each) for each in (Link.Kind.TEAM, Link.Kind.NODE)])
    chosen = held.filter(pl.col("link").is_in(list(linked))).select(
        "link", "mark", object_id="held", adopted=pl.col("origin") == Link.Origin.ADOPTED.value
    )
    reader, scope = session.tenant.reader, session.scope
    groups = reader.groups_by_id(chosen["object_id"].to_list())
    archived = reader.archived(groups.filter("has_team")["object_id"].to_list())
    _learn(session, chosen, groups, archived)
    limit = scope.profile.guards.teams_archived
    asked = Asked(scope.tenant, scope.profile_version, scope.as_of, kind, limit)
    return plan_archiving(chosen.sort("link"), groups, archived, asked)


def _learn(session: Session, chosen: pl.DataFrame, groups: pl.DataFrame, archived: frozenset[str]) -> None:
    """Remember what was read: somebody may have archived a team at Microsoft, or taken it back, or Microsoft was done after we looked."""
    there = chosen.join(groups.select("object_id"), on="object_id", how="semi")
    is_archived = pl.col("object_id").is_in(sorted(archived))
    links.remember_archived(
        session.connection.tenant,
        there.filter(is_archived)["link"].to_list(),
        there.filter(~is_archived)["link"].to_list(),
        session.clock.now(),
    )
