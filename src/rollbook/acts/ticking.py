"""What workers look at every second: schedules, registers that changed, jobs whose moment has come, workers that died.

Each look is level-triggered: it compares what is with what should be, so that whatever a dead worker left out the next one does, and
several workers that look at once do nothing twice.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import structlog
from django.db import DatabaseError
from django.db.models import Max, Min

from rollbook.acts.jobs import SCHEDULE, Wanted, ask_once, move
from rollbook.acts.profiles import slot_of
from rollbook.clock import Clock
from rollbook.jobs import Engine
from rollbook.profiles import Profile as Settings
from rollbook.profiles import parse, running
from rollbook.profiles.starts import Moment, last_full, last_look
from rollbook.store import jobs, leases, scopes
from rollbook.store.models import (
    Connection,
    Due,
    Institute,
    Job,
    ProfileVersion,
    ScopeMark,
    Source,
    Tenant,
    Worker,
)

log = structlog.get_logger()
State = Job.State

UNHEARD = dt.timedelta(seconds=10)
"""After so long a turn that nobody began is given to the engine again: whoever gave it may have died in between."""


@dataclass(frozen=True, slots=True)
class Running:
    """An institute something may begin in by itself: a profile of it runs, and it is connected and not frozen."""

    institute: Institute
    tenant: Tenant
    settings: Settings
    version: int
    enabled_at: dt.datetime

    def today(self, now: dt.datetime) -> dt.date:
        """The day it is where the institute is."""
        return now.astimezone(ZoneInfo(self.institute.time_zone)).date()


@dataclass(frozen=True, slots=True)
class Chore:
    """Something a worker does besides, at most so often; several workers may do it at once."""

    name: str
    seconds: float
    work: Callable[[Clock], object]


class Ticker:
    """The looks of one worker."""

    def __init__(self, engine: Engine, name: str, slots: int, clock: Clock, chores: Sequence[Chore] = ()) -> None:
        self._engine = engine
        self._name = name
        self._slots = slots
        self._clock = clock
        self._parsed: dict[int, Settings] = {}
        self._chores = chores
        self._done: dict[str, float] = {}

    def tick(self) -> None:
        """One look at everything; cheap where nothing is to be done."""
        jobs.seen(self._name, self._slots, self._clock.now())
        self._bury()
        self._wake()
        institutes = self._running()
        self._ask_by_schedule(institutes)
        self._ask_by_register(institutes)
        self._give()
        for chore in self._chores:
            if self._clock.monotonic() >= self._done.get(chore.name, -math.inf) + chore.seconds:
                self._done[chore.name] = self._clock.monotonic()
                self._do(chore)

    def _do(self, chore: Chore) -> None:
        """The chore, done; a defect in it is told with all its lines, and keeps nobody from being synchronized."""
        try:
            chore.work(self._clock)
        except DatabaseError:
            raise
        except Exception:
            log.exception("worker: a defect of Rollbook in a chore", chore=chore.name)

    def _bury(self) -> None:
        """What dead workers had goes on elsewhere."""
        now = self._clock.now()
        dead = [name for name in jobs.dead(now, leases.PATIENCE) if name != self._name]
        if dead:
            jobs.disconnect(dead)
            # The engine lets nobody else into their tenants until it is told.
            for turn in self._engine.take_over(dead):
                log.warning("worker: takes over", turn=turn)
            Worker.objects.filter(name__in=dead).delete()
        for job in jobs.regain(now, leases.PATIENCE):
            log.warning("job: goes on elsewhere", job=job.pk, turn=job.turn)
            self._engine.give(job.pk, job.turn, job.tenant_id)

    def _wake(self) -> None:
        for job in jobs.due(self._clock.now()):
            again = (
                {}
                if job.run is None or job.kind == Job.Kind.APPLY
                else {"kind": Job.Kind.CHANGED, "cause": Job.Cause.AGAIN}
            )
            move(job, State.QUEUED, self._clock, SCHEDULE, wake_at=None, given_at=None, run=None, notice=None, **again)
        for job in Job.objects.filter(state=State.PAUSED, notice__code="Frozen"):
            if not Connection.objects.filter(
                tenant=job.tenant_id, institute=job.institute_id, frozen_at__isnull=False
            ).exists():
                move(job, State.QUEUED, self._clock, SCHEDULE, given_at=None, notice=None)

    def _running(self) -> list[Running]:
        """The institutes something may begin in by itself now: whichever profile runs today where each of them is."""
        now = self._clock.now()
        connections = Connection.objects.filter(
            purpose=Connection.Purpose.MAIN, state=Connection.State.CONNECTED, frozen_at__isnull=True
        ).select_related("institute", "tenant")
        newest = dict(ProfileVersion.objects.values_list("profile").annotate(last=Max("pk")))
        chosen: list[tuple[Connection, int, dt.datetime]] = []
        for connection in connections.prefetch_related("institute__profiles"):
            profiles = {profile.name: profile for profile in connection.institute.profiles.all()}
            today = now.astimezone(ZoneInfo(connection.institute.time_zone)).date()
            slot = running([slot_of(profile) for profile in profiles.values()], today)
            if slot is not None and slot.enabled_at is not None:
                chosen.append((connection, newest[profiles[slot.name].pk], slot.enabled_at))
        unread = {version for _, version, _ in chosen} - self._parsed.keys()
        for version in ProfileVersion.objects.filter(pk__in=unread):
            self._parsed[version.pk] = parse(version.document)
        return [
            Running(connection.institute, connection.tenant, self._parsed[version], version, enabled)
            for connection, version, enabled in chosen
        ]

    def _ask_by_schedule(self, institutes: Sequence[Running]) -> None:
        now = self._clock.now()
        came: list[tuple[Running, Moment, Job.Kind]] = []
        for each in institutes:
            starts, zone = each.settings.starts, ZoneInfo(each.institute.time_zone)
            moments = ((last_full(starts, now, zone), Job.Kind.FULL), (last_look(starts, now), Job.Kind.CHANGED))
            # What was missed while the profile was not enabled is nothing to be made up.
            came += [(each, moment, kind) for moment, kind in moments if moment and moment.at >= each.enabled_at]
        known = self._asked({moment.name for _, moment, _ in came})
        for each, moment, kind in came:
            if (each.institute.pk, moment.name) not in known:
                self._ask(each, Wanted(kind, Job.Cause.SCHEDULE, slot=moment.name))

    def _ask_by_register(self, institutes: Sequence[Running]) -> None:
        """A change in the register since the last look starts one, once for each state the register is in."""
        now = self._clock.now()
        marks = {(mark.institute_id, mark.tenant_id): mark for mark in ScopeMark.objects.all()}
        published: defaultdict[int, dict[str, int]] = defaultdict(dict)
        for institute, source, number in Source.objects.values_list("institute", "pk", "published"):
            published[institute][str(source)] = number
        latest = max((each.today(now) for each in institutes), default=now.date())
        people = Due.objects.filter(kind=Due.Kind.PERSON, day__lte=latest)
        due = {
            institute: (day, last)
            for institute, day, last in people.values_list("institute").annotate(Min("day"), Max("pk"))
        }
        open_ones = Job.objects.exclude(state__in=(*jobs.ENDED, *jobs.HELD, *jobs.RESTING))
        busy = set(open_ones.values_list("institute", flat=True))
        changed: dict[str, Running] = {}
        for each in institutes:
            mark = marks.get((each.institute.pk, each.tenant.pk))
            day, last = due.get(each.institute.pk, (None, None))
            fallen = last if day is not None and day <= each.today(now) else None
            same = (
                mark is None
                or mark.profile_version_id != each.version
                or mark.deliveries == published[each.institute.pk]
            )
            if (
                mark is None
                or each.institute.pk in busy
                or (same and fallen is None)
                or each.settings.starts.on_change == "never"
            ):
                continue
            said = json.dumps([each.institute.pk, published[each.institute.pk], fallen, each.version], sort_keys=True)
            changed[f"register:{hashlib.sha256(said.encode()).hexdigest()[:32]}"] = each
        known = self._asked(changed)
        for slot, each in changed.items():
            if (each.institute.pk, slot) not in known:
                self._ask_for_changed(each, slot)

    def _ask_for_changed(self, each: Running, slot: str) -> None:
        """Whatever changed; or only people who have no account yet, where the profile says so, and the rest waits for the schedule."""
        if each.settings.starts.on_change == "always":
            self._ask(each, Wanted(Job.Kind.CHANGED, Job.Cause.REGISTER, slot=slot))
            return
        until = scopes.horizon(each.institute, each.tenant)
        wanted = scopes.to_look_at(each.institute, each.tenant, each.version, until, each.today(self._clock.now()))
        new = () if wanted is None else tuple(scopes.without_account(each.tenant, wanted.people))
        if new:
            self._ask(each, Wanted(Job.Kind.PEOPLE, Job.Cause.REGISTER, people=new, slot=slot))

    def _asked(self, slots: Collection[str]) -> set[tuple[int, str]]:
        """Which of these times, by institute, were asked for before."""
        found = Job.objects.filter(slot__in=list(slots)).values_list("institute", "slot")
        return {(institute, slot) for institute, slot in found if slot is not None}

    def _ask(self, each: Running, wanted: Wanted) -> None:
        ask_once(each.institute, wanted, SCHEDULE, self._clock)

    def _give(self) -> None:
        now = self._clock.now()
        for job in (*jobs.give_next(now), *jobs.given(now - UNHEARD).filter(state=State.QUEUED)):
            self._engine.give(job.pk, job.turn, job.tenant_id)
