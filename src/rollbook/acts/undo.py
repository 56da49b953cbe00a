"""A run undone: a run of its own whose plan puts back what the other one did, agreed to by whoever asked."""

from __future__ import annotations

import polars as pl

from rollbook.acts.new_passwords import carry_out, withdraw
from rollbook.acts.runs import Session, finish_unfinished
from rollbook.directory.state import MEMBERSHIPS, State, guarded
from rollbook.errors import InputRefused
from rollbook.plan.changes import Kind, Plan
from rollbook.plan.reverse import ARCHIVING, RELATIONS, Asked, plan_undo
from rollbook.store import undoing
from rollbook.store.models import Run
from rollbook.sync import read_memberships

__all__ = ["carry_out", "propose_undo", "withdraw"]


def propose_undo(session: Session, run: Run) -> Run:
    """A stored run that puts back what `run` did; what cannot be put back, or was changed since, waits in it with a reason.

    A run that was cut off is finished first. Raises InputRefused where the run changed nothing at Microsoft, or is no longer kept.
    """
    if run.pruned_at is not None:
        raise InputRefused(
            f"Of run {run.number} only the numbers are kept since {run.pruned_at:%Y-%m-%d}, so it cannot be put back.",
            remedy="Correct the register or the profile; the next synchronization follows. How long runs are kept: docs/operations.md.",
        )
    finish_unfinished(session)
    done = undoing.carried_out(run)
    if done.is_empty():
        raise InputRefused(
            f"Run {run.number} changed nothing, so there is nothing to put back.",
            remedy="`rollbook show` with the number of a run says what it did.",
        )
    return session.save(_plan(session, run, done), Run.Purpose.UNDO)


def _plan(session: Session, run: Run, done: pl.DataFrame) -> Plan:
    session.show.tell("tenant")
    reader, scope = session.tenant.reader, session.scope
    links = undoing.links_of(run, done)
    bound = links.drop_nulls("object_id")
    users = guarded(reader.users_and_roles(bound.filter("person")["object_id"].to_list()), session.memory.protected())
    held = bound.filter(~pl.col("person"))
    groups = reader.groups_by_id(held["object_id"].to_list())
    there = held.join(groups, on="object_id", how="semi").select("link", "object_id")
    archiving = there.join(_subjects(done, list(ARCHIVING)), on="link", how="semi")
    related = there.join(_subjects(done, list(RELATIONS)), on="link", how="semi")
    session.show.tell("memberships")
    memberships = (
        read_memberships(reader, bound.filter("person").select("link", "object_id"), there, related)
        if related.height
        else pl.DataFrame(schema=pl.Schema(MEMBERSHIPS))
    )
    plans = pl.DataFrame(
        [(sku, plan) for sku, plans in reader.facts().plans.items() for plan in plans.values()],
        schema={"sku": pl.String, "plan": pl.String},
        orient="row",
    )
    session.show.tell("plan")
    return plan_undo(
        done,
        links,
        State(users, groups, memberships),
        pl.Series(sorted(reader.archived(archiving["object_id"].to_list())), dtype=pl.String),
        Asked(scope.tenant, scope.profile_version, scope.as_of, plans),
    )


def _subjects(done: pl.DataFrame, kinds: list[Kind]) -> pl.DataFrame:
    """[link] of what changes of these kinds are about."""
    return done.filter(pl.col("kind").is_in([int(kind) for kind in kinds])).select(link="subject").unique()
