"""Scoped synchronizations: chosen people, whatever changed, everything by delta, everything read anew.

Where a part cannot decide (scoped.draft_part), everything is looked at. What a look at everything, read anew, finds beyond what
scoped ones would have looked at, they have missed: that is a defect of ours, kept with the run and shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import polars as pl

from rollbook.acts.runs import Session, Synchronized, applied_as_stored, apply_run, finish_unfinished, nothing_done
from rollbook.apply.proof import Proof
from rollbook.desired import TenantFacts, near
from rollbook.errors import InputRefused
from rollbook.plan.changes import ChangeVerdict, Plan
from rollbook.scoped import Part, World, draft_part, prove_as_read, prove_part
from rollbook.store import freezes, mirror, mirrored, runs, scopes
from rollbook.store.models import PARTS, Institute, PersonRecord, Run, Tenant
from rollbook.store.points import MemoryByPoints, MirrorByPoints, RegisterByPoints

KEPT = 200
"""So many changes that scoped synchronizations missed are told one by one; their number is told in any case."""


class ByDelta:
    """The tenant's reading side (sync.TenantReader), read by delta: what is asked is answered by the mirror."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tenant: Tenant = session.connection.tenant

    def facts(self) -> TenantFacts:
        """Domains, country and licences, asked of the tenant itself."""
        return self._session.tenant.reader.facts()

    def seats(self) -> pl.DataFrame:
        """Free seats, asked of the tenant itself."""
        return self._session.tenant.reader.seats()

    def users(self) -> pl.DataFrame:
        """All users (schema USERS), after the mirror has caught up."""
        reader = self._session.tenant.reader
        return mirrored.users(self._tenant, None, reader.mark_property, reader.role_holders())

    def groups(self) -> pl.DataFrame:
        """All groups (schema GROUPS)."""
        return mirrored.groups(self._tenant, None)

    def memberships(self, object_ids: Sequence[str]) -> pl.DataFrame:
        """[group_object_id, user_object_id, relation] of these groups."""
        there = mirrored.groups(self._tenant, object_ids)["object_id"]
        return mirrored.members(self._tenant, there)


def synchronize_everything(session: Session, fingerprint: str | None, *, anew: bool = False) -> Synchronized:
    """Everything planned, applied and proven; the tenant read by delta, or `anew`, which tells what scoped ones missed."""
    _begin(session)
    expected = _expected(session) if anew else None
    catch_up(session, anew=anew)
    session.kind = Run.Scope.FULL if anew else Run.Scope.EVERYTHING
    session.looked = scopes.horizon(session.institute, session.connection.tenant)
    plan, view = session.plan(ByDelta(session))
    if expected is not None:
        session.looked["missed"] = _missed(plan, expected, session.memory.waited())
    run = session.save(plan)
    session.approve(run, plan, fingerprint)
    session.apply(run)
    return Synchronized(run, plan, session.prove(run, plan, view))


def synchronize_changed(session: Session, fingerprint: str | None) -> Synchronized:
    """Whatever changed or fell due since the last look, planned, applied and proven."""
    _begin(session)
    catch_up(session)
    looked = scopes.horizon(session.institute, session.connection.tenant)
    scope = session.scope
    wanted = scopes.to_look_at(session.institute, session.connection.tenant, scope.profile_version, looked, scope.as_of)
    return _part(session, wanted, Run.Scope.CHANGED, looked, fingerprint)


def synchronize_people(session: Session, names: Sequence[str], fingerprint: str | None) -> Synchronized:
    """These people, named by sourced id or SIS number, with what depends on them; planned, applied and proven."""
    return synchronize_chosen(session, [find_person(session.institute, name) for name in names], fingerprint)


def synchronize_chosen(session: Session, people: Sequence[int], fingerprint: str | None) -> Synchronized:
    """These people, by their keys, with what depends on them; planned, applied and proven."""
    _begin(session)
    catch_up(session)
    looked = scopes.horizon(session.institute, session.connection.tenant)
    return _part(session, near.seeds(people), Run.Scope.PEOPLE, looked, fingerprint)


def _begin(session: Session) -> None:
    """Nothing begins in a frozen tenant, and what was cut off is finished first."""
    freezes.require_thawed(session.connection)
    finish_unfinished(session)


def find_person(institute: Institute, name: str) -> int:
    """The key of the person of this sourced id or SIS number; InputRefused if there is none, or several."""
    records = PersonRecord.objects.filter(source__institute=institute)
    for column in ("sourced_id", "sis_number"):
        found = set(records.filter(**{column: name}).values_list("entity", flat=True))
        if len(found) == 1:
            return int(found.pop())
        if found:
            break
    said = "several people" if found else "nobody"
    raise InputRefused(
        f"The register has {said} of the id or number {name!r}.", remedy="Name somebody by the sourced id."
    )


def catch_up(session: Session, *, anew: bool = False, again: bool = False) -> int:
    """Let the mirror catch up with the tenant, or `again` after what was written; how much differs."""
    session.show.tell("tenant")
    tenant, reader = session.connection.tenant, session.tenant.reader
    return mirrored.catch_up(tenant, reader, session.clock.now(), anew=anew, again=again)


def world_of(session: Session) -> World:
    """What a part is planned from."""
    reader, memory = session.tenant.reader, session.memory
    points = MirrorByPoints(session.connection.tenant, reader.mark_property, reader.role_holders())
    remembered = MemoryByPoints(memory.tenant, memory.institute, memory.profile, memory.at)
    return World(RegisterByPoints(session.institute), remembered, points, reader)


def _part(
    session: Session, wanted: near.Seeds | None, kind: Run.Scope, looked: dict[str, Any], fingerprint: str | None
) -> Synchronized:
    world = world_of(session)
    began = session.clock.now()
    part = None if wanted is None else draft_part(session.scope, wanted, world, session.show.tell)
    if part is None:
        return synchronize_everything(session, fingerprint)
    session.kind, session.looked = kind, {**looked, "people": part.people.to_list()}
    seen = mirror.Reading(part.view.actual.users.filter(~pl.col("deleted")), began)
    mirror.end_claims(session.connection.tenant, seen)
    mirror.see(session.connection.tenant, seen)
    session.note_leaving(part.view)
    run = session.save(part.plan)
    session.approve(run, part.plan, fingerprint)
    session.apply(run)
    return Synchronized(run, part.plan, _proven(session, run, part, world))


def _proven(session: Session, run: Run, part: Part, world: World) -> Proof:
    session.show.tell("proof")
    changes = runs.load_changes(run)
    if nothing_done(part.plan):
        carried_out = replace(part, plan=replace(part.plan, changes=changes))
        return session.proven(run, prove_as_read(carried_out, session.scope))
    look = partial(catch_up, session, again=True)
    return session.proven(run, prove_part(part, changes, session.scope, world, look, session.clock.sleep))


@dataclass(frozen=True, slots=True)
class Expected:
    """Links of people and of teams that a scoped synchronization would have looked at now."""

    people: frozenset[int]
    teams: frozenset[int]


def _expected(session: Session) -> Expected | None:
    """What the next scoped synchronization would look at, by delta; None if at everything."""
    catch_up(session)
    institute, tenant, scope = session.institute, session.connection.tenant, session.scope
    looked = scopes.horizon(institute, tenant)
    wanted = scopes.to_look_at(institute, tenant, scope.profile_version, looked, scope.as_of)
    if wanted is None:
        return None
    world = world_of(session)
    people = near.with_parents(world.register, wanted.people)
    inside = world.memory.holders(world.mirror.members(user_ids=world.memory.objects_of(people))["group_object_id"])
    theirs = inside.filter(pl.col("kind") == "team").select("key", "period")
    asked = replace(wanted, teams=pl.concat([wanted.teams, theirs]).unique())
    classes = near.classes_of_teams(world.register, scope.profile, people, asked)
    keys = pl.concat([classes.select("key", "period"), asked.teams]).unique()
    links = scopes.links_of(institute, tenant, people, keys)
    return Expected(*links)


def _missed(plan: Plan, expected: Expected, waited: pl.DataFrame) -> dict[str, Any]:
    """What is planned beyond what was expected: how many changes, and the numbers of the first of them.

    What waited until now is no such thing: it waits for something outside, such as seats, that nobody tells of.
    """
    people, teams = list(expected.people), list(expected.teams)
    covered = pl.col("subject").is_in([*people, *teams]) | pl.col("object").is_in(people).fill_null(value=False)
    planned = plan.changes.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED))
    beside = planned.filter(covered)
    told = pl.concat([beside["subject"], beside["object"], waited["subject"], waited["object"]]).drop_nulls().unique()
    missed = planned.filter(~covered, ~pl.col("subject").is_in(told.implode()))
    return {"changes": missed.height, "seqs": missed["seq"].head(KEPT).to_list()}


def apply_planned(session: Session, run: Run, fingerprint: str | None) -> Synchronized:
    """Apply exactly the stored plan of `run`, whatever it was about, and prove the result of that; `fingerprint` as in `apply_run`."""
    if run.scope not in PARTS:
        return apply_run(session, run, fingerprint)
    plan = applied_as_stored(session, run, fingerprint)
    catch_up(session)
    world = world_of(session)
    part = draft_part(session.scope, near.seeds(run.looked["people"]), world, session.show.tell)
    if part is None:
        _, view = session.plan(ByDelta(session))
        session.believe(run)
        return Synchronized(run, plan, session.prove(run, plan, view))
    return Synchronized(run, plan, _proven(session, run, replace(part, plan=plan), world))
