"""The proof of a part: its groups as the mirror holds them, compared with what was desired."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from rollbook.apply.evidence import Reading, gathered
from rollbook.apply.proof import Proof, prove
from rollbook.plan.match import Matched
from rollbook.scoped.around import memberships
from rollbook.scoped.drafting import Part
from rollbook.scoped.ports import World
from rollbook.sync import GROUPS, PAUSES, USER, Scope


def prove_part(
    part: Part,
    changes: pl.DataFrame,
    scope: Scope,
    world: World,
    look: Callable[[], object],
    wait: Callable[[float], None],
) -> Proof:
    """The proof of a part after applying: the mirror catches up by `look`, and its groups are compared with what was desired.

    `changes` have the verdicts they have now. Groups that do not show yet what was done are looked at again, a few times.
    """
    plan = replace(part.plan, changes=changes)
    for pause in (*PAUSES, None):
        look()
        proof = prove(gathered(plan, part.wanted, part.view.actual.memberships, _again(part, world), scope.profile))
        if pause is None or proof.unsettled.is_empty():
            return proof
        wait(pause)
    raise AssertionError("unreachable: the last look returns")


def prove_as_read(part: Part, scope: Scope) -> Proof:
    """The proof of a part of which nothing had to be done: what was read for the plan is the evidence."""
    view = part.view
    groups = view.actual.groups.drop("link").join(view.matched.groups.select("link", "object_id"), on="object_id")
    users = pl.concat([view.matched.users.select("link"), part.around])
    reading = Reading(view.actual.memberships, groups, users)
    return prove(gathered(part.plan, part.wanted, view.actual.memberships, reading, scope.profile))


def _again(part: Part, world: World) -> Reading:
    """What the mirror holds now of the part's groups."""
    desired, memory = part.view.desired, world.memory
    held = memory.links_among([USER], pl.concat([desired.state.users["link"], part.around["link"]]), [])
    users = held.drop_nulls("object_id").select("link", "object_id")
    made = memory.links_among(GROUPS, desired.state.groups["link"], []).drop_nulls("object_id")
    groups = world.mirror.groups(made["object_id"]).drop("link").join(made.select("link", "object_id"), on="object_id")
    around = users.join(part.around, on="link", how="semi").select("object_id", user="link")
    mine = users.join(part.around, on="link", how="anti")
    matched = Matched(mine, made.select("link", "object_id"), part.view.matched.changes)
    return Reading(memberships(desired, matched, around, world.mirror), groups, users)
