"""Forgetting what runs and deliveries left and nobody asks for any more: set-based, a few thousand rows a transaction.

The trail is never touched: it is append-only, and each entry carries a hash over the one before. What stays of an emptied run is its
row, and of what it did the newest about each person, group and membership, because plans ask it whether somebody else undid it
(plan.by_hand.needed).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from django.contrib.sessions.models import Session
from django.db import connection, models, transaction
from django.db.models import F, Max, Min, Q
from django.db.models.functions import Coalesce

from rollbook.plan.by_hand import LOOKED_AT, VALUED, needed
from rollbook.plan.changes import ChangeVerdict
from rollbook.store import seen
from rollbook.store.bulk import among, read_frame, table_of
from rollbook.store.jobs import ENDED
from rollbook.store.keeping import RUNS, Keeping, expired
from rollbook.store.models import (
    PARTS,
    Answer,
    Change,
    ChangeDetail,
    Delivery,
    Deviation,
    Hold,
    Intent,
    Job,
    Link,
    Notice,
    Outbox,
    ProofGroup,
    Run,
    ScopeMark,
    Source,
    Tenant,
)
from rollbook.store.register import BY_NAME

CHUNK = 5_000
"""Rows a transaction deletes: it holds SQLite's one writing lock for well under a tenth of a second."""

BESIDE = (Hold, Intent, Answer, ProofGroup, Deviation)
"""What a run has beside its changes; all of it goes."""

VERSIONED = ("people", "enrolments", "teachings", "guardianships")
"""Tables of which replaced rows can go: of no other are former rows asked for once they were looked at (store.rosters, store.former)."""


def _history(of: str = "") -> str:
    """The condition that a change was done and is of a kind that later plans ask for."""
    kinds = ", ".join(str(int(kind)) for kind in sorted(LOOKED_AT))
    return f"{of}verdict = {int(ChangeVerdict.DONE)} AND {of}kind IN ({kinds})"


Pause = Callable[[], None]
"""Called between transactions, so that whoever waits for the database comes in between."""


@dataclass(slots=True)
class Pruned:
    """How much went, or would go: runs, and rows by table."""

    runs_gone: int = 0
    runs_emptied: int = 0
    rows: dict[str, int] = field(default_factory=dict)

    def note(self, what: str, count: int) -> None:
        """So many rows more of a table."""
        if count:
            self.rows[what] = self.rows.get(what, 0) + count


@dataclass(frozen=True, slots=True)
class Pruning:
    """One pruning of the whole database; `dry` only counts."""

    kept: Keeping
    now: dt.datetime
    dry: bool
    pause: Pause
    done: Pruned = field(default_factory=Pruned)

    def carried_out(self) -> Pruned:
        """What went. Ended in between, it is gone on with by the next one."""
        for tenant in Tenant.objects.order_by("pk"):
            self._runs(tenant)
        for source in Source.objects.order_by("pk"):
            self._replaced_rows(source)
        self._findings()
        self._jobs()
        self._notices()
        self._sessions()
        return self.done

    def _runs(self, tenant: Tenant) -> None:
        """Of one tenant: plans nobody approved, what runs left, and at last the runs."""
        runs = runs_of(tenant)
        past = expired(runs, self.kept, self.now)
        self.done.runs_emptied += len(past.emptied)
        self.done.runs_gone += len(past.gone)
        if not self.dry:
            # First, so that nobody undoes a run of which a part is gone already.
            _each(past.emptied, lambda part: Run.objects.filter(pk__in=part).update(pruned_at=self.now))
        for batch in _batches(runs, past.gone):
            for model in (Change, ChangeDetail, *BESIDE):
                self._rows(model, *among("run_id", batch))
        for batch in _batches(runs, past.emptied):
            chosen, listed = among("run_id", batch)
            self._rows(Change, f"{chosen} AND NOT ({_history()})", listed)
            for model in BESIDE:
                self._rows(model, chosen, listed)
        before = runs.filter("pruned")["run"].to_list()
        self._left_over(before)
        self._history(tenant, [*before, *past.emptied])
        if not self.dry:
            _each(past.gone, lambda part: Run.objects.filter(pk__in=part).delete())

    def _left_over(self, emptied: Sequence[int]) -> None:
        """What a pruning that was cut off left of runs it had begun to empty; looked for without holding anybody up."""
        chosen, listed = among("run_id", emptied)
        for model in (Change, *BESIDE):
            more = f"AND NOT ({_history()})" if model is Change else ""
            found = read_frame(f"SELECT id FROM {table_of(model)} WHERE {chosen} {more}", listed, {"id": pl.Int64})
            self._keys(model, found["id"].to_list())

    def _history(self, tenant: Tenant, emptied: Sequence[int]) -> None:
        """Of what emptied runs did, all that no plan can ask for any more; and values, but of what may be asked for."""
        if not emptied:
            return
        told = _told(tenant)
        asked = needed(told.rename({"id": "key"}))
        old = told.filter(pl.col("run").is_in(emptied))
        forgotten = old.filter(~pl.col("id").is_in(asked.implode()))
        self._keys(Change, forgotten["id"].to_list())
        valued = old.filter(pl.col("id").is_in(asked.implode()), pl.col("kind").is_in([int(kind) for kind in VALUED]))
        details = _details(emptied)
        kept = details.join(valued, on=["run", "seq"], how="semi")
        self._keys(ChangeDetail, details.join(kept, on="id", how="anti")["id"].to_list())
        if not self.dry:
            former = kept.filter("former")["id"].to_list()
            _each(former, lambda part: ChangeDetail.objects.filter(pk__in=part).update(before=None, found=None))

    def _replaced_rows(self, source: Source) -> None:
        """Rows of a source that a later delivery replaced long ago, and that every tenant's synchronization has looked at."""
        marks = ScopeMark.objects.filter(institute=source.institute_id).values_list("deliveries", flat=True)
        tenants = Tenant.objects.filter(runs__institute=source.institute_id).distinct()
        carried_out = (seen.last_carried_out(tenant, source.institute) for tenant in tenants)
        seen_by = [*marks, *(run.looked.get("deliveries", {}) for run in carried_out if run is not None)]
        looked = [int(deliveries.get(str(source.pk), 0)) for deliveries in seen_by]
        before = self.now - dt.timedelta(days=self.kept.delivery_days)
        recent = source.deliveries.filter(received_at__gte=before).aggregate(first=Min("number"))["first"]
        until = min([source.published, *looked, *([] if recent is None else [recent - 1])])
        for name in VERSIONED:
            table = table_of(BY_NAME[name].model)
            statement = (
                f"SELECT r.id FROM {table} r JOIN (SELECT entity, MAX(since) AS newest FROM {table} WHERE source_id = %s "
                "GROUP BY entity) n ON n.entity = r.entity WHERE r.source_id = %s AND r.until <= %s AND r.since < n.newest"
            )
            replaced = read_frame(statement, [source.pk, source.pk, until], {"id": pl.Int64})
            self._keys(BY_NAME[name].model, replaced["id"].to_list())

    def _findings(self) -> None:
        """Findings of old deliveries; how many there were stays, and so do those of what is published."""
        before = self.now - dt.timedelta(days=self.kept.delivery_days)
        old = Delivery.objects.filter(received_at__lt=before).exclude(findings=[])
        old = old.exclude(number=F("source__published"))
        self.done.note("findings of deliveries", old.count())
        if not self.dry:
            old.update(findings=[])

    def _jobs(self) -> None:
        """Jobs that ended long ago, but of each institute the newest of each cause: it says what was asked for already."""
        before = self.now - dt.timedelta(days=self.kept.change_days)
        newest = (
            Job.objects.filter(state__in=ENDED).values("institute", "cause").annotate(last=Max("pk")).values("last")
        )
        old = Job.objects.filter(state__in=ENDED, since__lt=before).exclude(pk__in=newest)
        self._keys(Job, list(old.order_by("pk").values_list("pk", flat=True)))

    def _notices(self) -> None:
        """Notices that ended long ago, and what of the outbox is as old, but the newest of each institute, from which it counts on."""
        before = self.now - dt.timedelta(days=self.kept.change_days)
        ended = Notice.objects.filter(ended_at__lt=before).order_by("pk")
        self._keys(Notice, list(ended.filter(mails=None).values_list("pk", flat=True)))
        newest = Outbox.objects.values("institute").annotate(last=Max("pk")).values("last")
        old = Outbox.objects.filter(at__lt=before).exclude(pk__in=newest).order_by("pk")
        self._keys(Outbox, list(old.values_list("pk", flat=True)))

    def _sessions(self) -> None:
        """Sign-ins that have ended."""
        over = Session.objects.filter(expire_date__lt=self.now)
        self.done.note("sessions", over.count())
        if not self.dry:
            over.delete()

    def _rows(self, model: type[models.Model], condition: str, parameters: Sequence[Any]) -> None:
        """Delete the rows of a table that fulfil a condition."""
        name = str(model._meta.verbose_name_plural)
        with connection.cursor() as cursor:
            if self.dry:
                cursor.execute(f"SELECT COUNT(*) FROM {table_of(model)} WHERE {condition}", parameters)
                self.done.note(name, int(cursor.fetchone()[0]))
                return
            key, table = connection.ops.quote_name(str(model._meta.pk.column)), table_of(model)
            some = f"SELECT {key} FROM {table} WHERE {condition} LIMIT {CHUNK}"
            gone = CHUNK
            while gone == CHUNK:
                cursor.execute(f"DELETE FROM {table} WHERE {key} IN ({some})", parameters)
                gone = int(cursor.rowcount)
                self.done.note(name, gone)
                if gone:
                    self.pause()

    def _keys(self, model: type[models.Model], keys: Sequence[int]) -> None:
        """Delete the rows with these keys."""
        for start in range(0, len(keys), CHUNK):
            chosen, listed = among("id", keys[start : start + CHUNK])
            self._rows(model, chosen, listed)


def _each(keys: Sequence[int], work: Callable[[Sequence[int]], object]) -> None:
    """`work` on some hundreds of keys at a time, each in a transaction."""
    for start in range(0, len(keys), 500):
        with transaction.atomic():
            work(keys[start : start + 500])


def _batches(runs: pl.DataFrame, chosen: Sequence[int]) -> Iterable[list[int]]:
    """These runs, some at a time: so many that they have about CHUNK changes together."""
    about = runs.filter(pl.col("run").is_in(list(chosen))).sort("number")
    numbered = about.with_columns(batch=(pl.col("changes") + 50).cum_sum() // CHUNK)
    return [part["run"].to_list() for part in numbered.partition_by("batch", maintain_order=True)]


BESIDE_COLUMNS = ("needed", "changes", "acted")


def runs_of(tenant: Tenant) -> pl.DataFrame:
    """All runs of a tenant as the choice looks at them (schema RUNS)."""
    told = (
        Run.objects.filter(tenant=tenant)
        .annotate(
            part=Q(scope__in=PARTS),
            synchronization=Q(purpose=Run.Purpose.SYNCHRONIZATION),
            begun=Q(started_at__isnull=False),
            proven=Q(proof__isnull=False),
            counted=~Q(register={}),
            totals=Q(looked__has_key="teams"),
            pruned=Q(pruned_at__isnull=False),
            last=Coalesce("finished_at", "started_at", "made_at"),
        )
        .values_list(*(COLUMNS.get(name, name) for name in RUNS if name not in BESIDE_COLUMNS))
    )
    schema = pl.Schema({name: kind for name, kind in RUNS.items() if name not in BESIDE_COLUMNS})
    disabled = Link.objects.filter(tenant=tenant, disabled_by_run__isnull=False).values_list(
        "disabled_by_run", flat=True
    )
    return (
        pl.DataFrame(list(told), schema=schema, orient="row")
        .join(_rows_of_runs(tenant), on="run", how="left")
        .with_columns(
            pl.col("changes", "acted").fill_null(0),
            needed=pl.col("run").is_in(list(disabled.distinct())),
        )
        .with_columns(pl.col("acted") > 0)
        .select(RUNS.keys())
    )


COLUMNS = {"run": "pk", "institute": "institute_id", "profile": "profile_version__profile_id"}
"""Columns of RUNS that the model calls otherwise."""


def _rows_of_runs(tenant: Tenant) -> pl.DataFrame:
    """[run, changes, acted]: how many changes of a run are there, and how many of them did more than wait."""
    acts = f"SUM(CASE WHEN verdict <> {int(ChangeVerdict.WAITS)} THEN 1 ELSE 0 END)"
    statement = (
        f"SELECT run_id, COUNT(*), {acts} FROM {table_of(Change)} "
        f"WHERE run_id IN (SELECT id FROM {table_of(Run)} WHERE tenant_id = %s) GROUP BY run_id"
    )
    return read_frame(statement, [tenant.pk], {"run": pl.Int64, "changes": pl.Int64, "acted": pl.Int64})


TOLD = {
    "id": pl.Int64,
    "run": pl.Int64,
    "seq": pl.Int64,
    "kind": pl.UInt8,
    "subject": pl.Int64,
    "object": pl.Int64,
    "after": pl.String,
}


def _told(tenant: Tenant) -> pl.DataFrame:
    """Everything that was done in a tenant and that plans ask for (schema TOLD), the oldest first; values where they count."""
    valued = ", ".join(str(int(kind)) for kind in sorted(VALUED))
    statement = (
        f'SELECT c.id, c.run_id, c.seq, c.kind, c.subject, c."object", d.after FROM {table_of(Change)} c '
        f"JOIN {table_of(Run)} r ON r.id = c.run_id "
        f"LEFT JOIN {table_of(ChangeDetail)} d ON d.run_id = c.run_id AND d.seq = c.seq AND c.kind IN ({valued}) "
        f"WHERE r.tenant_id = %s AND {_history('c.')} ORDER BY r.number, c.seq"
    )
    return read_frame(statement, [tenant.pk], TOLD)


def _details(runs: Sequence[int]) -> pl.DataFrame:
    """[id, run, seq, former] of the values of these runs; `former` where they say what there was."""
    chosen, listed = among("run_id", runs)
    former = "CASE WHEN before IS NULL AND found IS NULL THEN 0 ELSE 1 END"
    statement = f"SELECT id, run_id, seq, {former} FROM {table_of(ChangeDetail)} WHERE {chosen}"
    raw = {"id": pl.Int64, "run": pl.Int64, "seq": pl.Int64, "former": pl.Int64}
    return read_frame(statement, listed, raw).with_columns(pl.col("former") > 0)


PRUNING = 7236003
"""The advisory lock of whoever prunes a PostgreSQL database; on SQLite there is one worker."""


@contextmanager
def alone() -> Iterator[bool]:
    """Whether nobody else prunes this database while the block runs."""
    if connection.vendor == "sqlite":
        yield True
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [PRUNING])
        got = bool(cursor.fetchone()[0])
        try:
            yield got
        finally:
            if got:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [PRUNING])


def free_space() -> float:
    """The share of an SQLite file that is free, between 0 and 1; 0 on PostgreSQL, which keeps house itself."""
    if connection.vendor != "sqlite":
        return 0.0
    return _pragma("freelist_count") / max(1, _pragma("page_count"))


def shrinks() -> bool:
    """Whether an SQLite file can give free pages back bit by bit: one made by this version, or rewritten by it since."""
    return connection.vendor == "sqlite" and _pragma("auto_vacuum") == INCREMENTAL


INCREMENTAL = 2
PAGES = 2_000


def give_back(pause: Pause) -> int:
    """Give free pages of an SQLite file back to the disk, eight megabytes a transaction; how many there were."""
    if not shrinks():
        return 0
    free = _pragma("freelist_count")
    for _ in range(0, free, PAGES):
        # As a script: the driver ends an ordinary statement without columns after its first step, which is one page.
        connection.connection.executescript(f"PRAGMA incremental_vacuum({PAGES})")
        pause()
    return free


def rewrite() -> None:
    """Write an SQLite file anew without free pages, once; afterwards it gives them back by itself. Nobody else can write meanwhile."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.fetchall()


def _pragma(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        return int(cursor.fetchone()[0])
