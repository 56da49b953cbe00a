"""Days of synchronizations written in bulk, as real ones left them; needs the store to be open and three real runs in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import polars as pl
from django.db import connection, transaction
from django.forms.models import model_to_dict

from bench.retention import A_DAY, BUSY, CHANGED, WAITING
from rollbook.acts.retention import BREATH
from rollbook.clock import SystemClock
from rollbook.plan.changes import Cause, ChangeVerdict, Kind
from rollbook.store import trail
from rollbook.store.bulk import insert_frame, table_of
from rollbook.store.keeping import keeping
from rollbook.store.models import (
    Answer,
    Change,
    ChangeDetail,
    Delivery,
    Intent,
    Link,
    Run,
    ScopeMark,
    Source,
    Trail,
)
from rollbook.store.register import BY_NAME
from rollbook.store.retention import Pruning, give_back

SAID = ("job.queued", "job.planning", "run.planned", "job.applying", "run.proven", "job.finished")
"""What a run leaves in the trail."""

FINDINGS = 50
MOVES = 3
"""Memberships that change with one person."""

MOVED = CHANGED * (1 + MOVES)
"""Changes of a look that finds something changed."""

REGISTER = {"people": CHANGED, "enrolments": CHANGED * MOVES}
"""Rows of the register that a delivery with changes replaces."""


Row = tuple[Kind, int, int | None]
"""What is done, about whom or what, with whom."""


class Year:
    """Lives through days, one after the other."""

    def __init__(self) -> None:
        runs = Run.objects.order_by("-number")
        self.whole = runs.filter(scope=Run.Scope.EVERYTHING)[0]
        self.busy = next(run for run in runs.filter(scope=Run.Scope.CHANGED) if run.changes.count() >= CHANGED)
        self.number = int(runs.values_list("number", flat=True)[0])
        self.users = list(Link.objects.filter(kind=Link.Kind.USER).order_by("pk").values_list("pk", flat=True))
        self.teams = list(Link.objects.filter(kind=Link.Kind.TEAM).order_by("pk").values_list("pk", flat=True))
        self.told = list(ChangeDetail.objects.filter(run=self.busy).order_by("seq").values_list("before", "after"))
        self.source = Source.objects.get()
        self.delivery = int(self.source.published)
        self.turn = 0
        self.began = max(run.made_at for run in (self.whole, self.busy))
        self.last = Trail.objects.order_by("-pk")[0]
        self.like = Delivery.objects.filter(source=self.source)[0]

    def prune(self, day: int) -> None:
        """Prune as on this day, as a worker does."""
        clock = SystemClock()
        breathe = partial(clock.sleep, BREATH)
        Pruning(keeping({}), self.began + dt.timedelta(days=day + 1), dry=False, pause=breathe).carried_out()
        give_back(breathe)

    def first_run(self) -> None:
        """The run that made everybody and every membership, some ten thousand changes."""
        made: list[Row] = [(Kind.CREATE_USER, user, None) for user in self.users]
        made += [(Kind.CREATE_CLASS, team, None) for team in self.teams]
        made += [
            (Kind.ADD_MEMBER, self.teams[(n + 37 * turn) % len(self.teams)], user)
            for n, user in enumerate(self.users)
            for turn in range(10)
        ]
        with transaction.atomic():
            run = self._run(self.busy, self.began, first_run=False)
            self._changes(run, made)
            valued = [
                (seq, row[1], None, self.told[0][1]) for seq, row in enumerate(made, 1) if row[0] != Kind.ADD_MEMBER
            ]
            self._details(run, valued)
            self._journal(run, len(made), self.began)

    def live(self, day: int) -> None:
        """One day of looks at everything, some of which find that something changed."""
        with transaction.atomic():
            for turn in range(A_DAY):
                self.turn += 1
                at = self.began + dt.timedelta(days=day, hours=24 / A_DAY * turn)
                busy = self.turn % BUSY == 0
                self._deliver(at, busy=busy)
                run = self._run(self.whole, at)
                self._waiting(run, MOVED if busy else 0)
                if busy:
                    self._moved(run, at)

    def _run(self, like: Run, at: dt.datetime, **more: Any) -> Run:
        """One run as the real one was, with its entries in the trail."""
        self.number += 1
        plain = model_to_dict(like, exclude=("id", "tenant", "institute", "profile_version", "public_id"))
        plain |= {"number": self.number, "made_at": at, "started_at": at, "finished_at": at, **more}
        run = Run.objects.create(
            tenant=like.tenant, institute=like.institute, profile_version=like.profile_version, **plain
        )
        Trail.objects.bulk_create(self._entries(run, at))
        return run

    def _entries(self, run: Run, at: dt.datetime) -> Iterator[Trail]:
        for action in SAID:
            content = {
                "run": run.number,
                "job": str(run.public_id),
                **((run.proof or {}) if action == "run.proven" else {}),
            }
            facts = {"actor_kind": "schedule", "actor": "every two hours", "place": "worker", "action": action}
            entry = Trail(institute=run.institute, content=content, at=at, previous=self.last.digest, **facts)
            entry.digest = trail.digest(entry)
            self.last = entry
            yield entry

    def _changes(
        self, run: Run, rows: Sequence[Row], verdict: int = ChangeVerdict.DONE, cause: int = 8, after: int = 0
    ) -> None:
        frame = pl.DataFrame(rows, schema={"kind": pl.Int64, "subject": pl.Int64, "object": pl.Int64}, orient="row")
        facts = {"run_id": run.pk, "cause": int(cause), "verdict": int(verdict)}
        numbered = frame.with_row_index("seq", after + 1).with_columns(
            **{name: pl.lit(value) for name, value in facts.items()}
        )
        insert_frame(Change, numbered.with_columns(day=pl.lit(run.as_of)))

    def _details(self, run: Run, rows: Sequence[tuple[int, int, str | None, str | None]]) -> None:
        schema = {"seq": pl.Int64, "subject": pl.Int64, "before": pl.String, "after": pl.String}
        insert_frame(ChangeDetail, pl.DataFrame(rows, schema=schema, orient="row").with_columns(run_id=pl.lit(run.pk)))

    def _journal(self, run: Run, count: int, at: dt.datetime) -> None:
        """A request for each change, as of different people and groups, and its answer."""
        Intent.objects.bulk_create(
            Intent(run=run, number=n, kind=81, seqs=str(n), sent_at=at) for n in range(1, count + 1)
        )
        answers = (
            Answer(run=run, number=n, verdict=int(ChangeVerdict.DONE), status=204, at=at, request_id=str(run.public_id))
            for n in range(1, count + 1)
        )
        Answer.objects.bulk_create(answers)

    def _waiting(self, run: Run, after: int) -> None:
        waiting: list[Row] = [(Kind.LICENSE_USER, user, None) for user in self.users[:WAITING]]
        self._changes(run, waiting, ChangeVerdict.WAITS, Cause.NO_SEATS, after)

    def _moved(self, run: Run, at: dt.datetime) -> None:
        """Some people have another name, and other classes."""
        who = [self.users[(self.turn * CHANGED + n) % len(self.users)] for n in range(CHANGED)]
        rows: list[Row] = [(Kind.UPDATE_USER, user, None) for user in who]
        kinds = (Kind.ADD_MEMBER, Kind.REMOVE_MEMBER, Kind.ADD_MEMBER)
        rows += [
            (kind, self.teams[(user * 7 + self.turn + n) % len(self.teams)], user)
            for user in who
            for n, kind in enumerate(kinds)
        ]
        self._changes(run, rows)
        self._details(run, [(seq, user, *self.told[seq % len(self.told)]) for seq, user in enumerate(who, 1)])
        self._journal(run, len(rows), at)

    def _deliver(self, at: dt.datetime, *, busy: bool) -> None:
        """A delivery with findings; of some people and enrolments it says something else than the one before."""
        self.delivery += 1
        finding = {
            "code": "unknown-reference",
            "severity": "rejected",
            "file": "enrollments.csv",
            "line": 12345,
            "value": "",
        }
        finding |= {"column": "classSourcedId", "remedy": "Deliver the class, or leave the enrolment out.", "count": 1}
        plain = model_to_dict(self.like, exclude=("id", "source", "public_id"))
        plain |= {
            "number": self.delivery,
            "received_at": at,
            "findings": [finding] * FINDINGS,
            "state": Delivery.State.PUBLISHED,
        }
        Delivery.objects.create(source=self.source, **plain)
        if busy:
            for name, count in REGISTER.items():
                self._replace(name, count)
        Source.objects.filter(pk=self.source.pk).update(published=self.delivery)
        ScopeMark.objects.update(deliveries={str(self.source.pk): self.delivery})

    def _replace(self, name: str, count: int) -> None:
        """So many visible rows of a table end, and begin anew."""
        model = BY_NAME[name].model
        named = (str(field.column) for field in model._meta.concrete_fields)
        columns = [connection.ops.quote_name(name) for name in named if name not in ("id", "since", "until")]
        visible = f"FROM {table_of(model)} WHERE until > {self.delivery}"
        offset = f"{self.turn * count} % (SELECT COUNT(*) {visible})"
        some = f"SELECT id {visible} ORDER BY entity LIMIT {count} OFFSET {offset}"
        with connection.cursor() as cursor:
            cursor.execute(some)
            keys = ", ".join(str(row[0]) for row in cursor.fetchall())
            listed = ", ".join(columns)
            cursor.execute(
                f"INSERT INTO {table_of(model)} ({listed}, since, until) "
                f"SELECT {listed}, {self.delivery}, until FROM {table_of(model)} WHERE id IN ({keys})"
            )
            cursor.execute(f"UPDATE {table_of(model)} SET until = {self.delivery} WHERE id IN ({keys})")
