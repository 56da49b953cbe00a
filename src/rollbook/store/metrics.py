"""What the store knows as Prometheus metrics, read when they are asked for: jobs, runs, changes, lag, quotas. Ids, never names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from django.db import connection
from django.db.models import Count, Max, Min
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from rollbook.clock import Clock
from rollbook.plan.changes import ChangeVerdict, Kind
from rollbook.store import jobs, leases
from rollbook.store.bulk import table_of
from rollbook.store.models import Change, Connection, Job, QuotaLevel, Run

CONTENT_TYPE = CONTENT_TYPE_LATEST


def exposed(clock: Clock) -> bytes:
    """Everything this process and the store know, as Prometheus reads it."""
    store = CollectorRegistry()
    store.register(StoreMetrics(clock))
    return generate_latest(REGISTRY) + generate_latest(store)


LATELY = dt.timedelta(hours=24)
"""Changes are counted in runs as young as this: counting all that ever were would cost more with every year."""

Family = GaugeMetricFamily


class StoreMetrics:
    """A collector of the Prometheus client; every scrape costs a fixed number of queries."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing before it is asked for, so that registering reads no database."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The metrics now."""
        now = self._clock.now()
        yield _counted(
            "rollbook_jobs", "Jobs by state", "state", Job.objects.values_list("state").annotate(n=Count("pk"))
        )
        yield _counted(
            "rollbook_runs", "Runs by state", "state", Run.objects.values_list("state").annotate(n=Count("pk"))
        )
        oldest = Job.objects.filter(state=Job.State.QUEUED).aggregate(at=Min("since"))["at"]
        yield Family(
            "rollbook_queue_age_seconds",
            "Age of the oldest queued job",
            (now - oldest).total_seconds() if oldest else 0,
        )
        yield Family("rollbook_workers", "Workers that are alive", len(jobs.alive(now, leases.PATIENCE)))
        yield self._changes(now)
        yield self._lag(now)
        failing = Family("rollbook_connection_failures", "Failures in a row of a connection", labels=["tenant"])
        for tenant, failures in Connection.objects.values_list("tenant__tid", "failures"):
            failing.add_metric([tenant], failures)
        yield failing
        quota = Family(
            "rollbook_quota_level",
            "What is left of a quota of Microsoft's, when it was last drawn on",
            labels=["holder", "quota"],
        )
        for holder, name, level in QuotaLevel.objects.values_list("holder", "name", "level"):
            quota.add_metric([holder, name], level)
        yield quota

    def _changes(self, now: dt.datetime) -> GaugeMetricFamily:
        found = Family("rollbook_changes", "Changes of the last 24 hours' runs", labels=["kind", "verdict"])
        young = list(Run.objects.filter(made_at__gte=now - LATELY).values_list("pk", flat=True))
        if not young:
            return found
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT kind, verdict, COUNT(*) FROM {table_of(Change)} WHERE run_id >= %s GROUP BY kind, verdict",
                [min(young)],
            )
            for kind, verdict, count in cursor.fetchall():
                found.add_metric([Kind(kind).name.lower(), ChangeVerdict(verdict).name.lower()], count)
        return found

    def _lag(self, now: dt.datetime) -> GaugeMetricFamily:
        found = Family(
            "rollbook_lag_seconds",
            "Since the last synchronization of an institute that came to its end",
            labels=["institute", "profile"],
        )
        runs = Run.objects.filter(finished_at__isnull=False, purpose=Run.Purpose.SYNCHRONIZATION)
        last = runs.values_list("institute__public_id", "profile_version__profile__public_id").annotate(
            at=Max("finished_at")
        )
        for institute, profile, at in last:
            found.add_metric([str(institute), str(profile)], (now - at).total_seconds())
        return found


def _counted(name: str, meaning: str, label: str, rows: Iterable[tuple[str, int]]) -> GaugeMetricFamily:
    found = Family(name, meaning, labels=[label])
    for value, count in rows:
        found.add_metric([value], count)
    return found
