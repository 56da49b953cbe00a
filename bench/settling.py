"""A stored school, connected, with a tenant that equals it; needs the store to be open."""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from bench.emulating import Running
from bench.settled import AS_OF, school, seed
from rollbook.acts.actor import DEMO
from rollbook.acts.connections import Credentials, connect
from rollbook.acts.institutes import ensure_institute
from rollbook.acts.profiles import Author, exported, find, save
from rollbook.acts.runs import Session, Synchronized, session
from rollbook.acts.scopes import synchronize_changed, synchronize_everything
from rollbook.clock import SystemClock
from rollbook.errors import ApprovalDue
from rollbook.profiles import parse
from rollbook.store.bulk import execute_many, table_of
from rollbook.store.deliveries import Received, import_roster
from rollbook.store.memory import InstituteRegister
from rollbook.store.models import Institute, Link
from rollbook.sync import draft

NODES: dict[str, dict[str, str]] = {"institute": {}, "location": {}, "grade": {}}
PROFILE = "Suggested"


def settled(students: int, tenant: Running, said: dict[str, Any]) -> Institute:
    """The school of so many students, delivered and connected, after synchronizations that found nothing left to do."""
    roster = school(students)
    institute, source = ensure_institute(roster, "bench", DEMO, SystemClock())
    import_roster(source, roster, Received("bench", "usable", {}, [], dt.datetime.combine(AS_OF, dt.time(), dt.UTC)))
    _told(students, "delivered")
    app = said["apps"][0]
    given = (app["tenant"], app["client_id"], app["client_secret"], said["graph"], said["login"])
    connect(institute, Credentials(*given, emulated=True, quotas=False), DEMO, SystemClock())
    _with_structure(institute)
    _carried_out(institute, tenant)
    _told(students, "seeded")
    agreed(institute, synchronize_everything)
    _told(students, "synchronized")
    for _ in range(2):  # what the first one wrote is told by delta, and looked at once more
        agreed(institute, synchronize_changed)
    return institute


def _told(students: int, what: str) -> None:
    print(f"bench: {students:,} people {what} after {time.process_time():.0f} s of work", file=sys.stderr)


def _with_structure(institute: Institute) -> None:
    """Three nodes for everybody: the institute, a location, a grade."""
    profile = find(institute, PROFILE)
    known = exported(profile)
    document = known.profile.model_dump(mode="json")
    document["hierarchies"]["general"] |= {"levels": NODES, "group_type": "security"}
    author = Author(DEMO, SystemClock())
    save(profile, replace(known, profile=parse(document)), author)


def _carried_out(institute: Institute, tenant: Running) -> None:
    """The first plan, carried out by seeding; every link it makes an object for is bound to it."""
    with opened(institute) as looking:
        plan, _ = draft(looking.scope, InstituteRegister(institute), looking.memory, looking.tenant.reader)
        marks = dict(Link.objects.filter(tenant=looking.connection.tenant).values_list("pk", "mark"))
        objects = seed(tenant, plan, marks, looking.connection.mark_property)
    rows = [(object_id, link) for link, object_id in objects.items()]
    execute_many(f"UPDATE {table_of(Link)} SET object_id = %s, origin = 'made' WHERE id = %s", rows)


@contextmanager
def opened(institute: Institute) -> Iterator[Session]:
    """A session on the school's day."""
    with session(institute, AS_OF, DEMO, SystemClock()) as looking:
        yield looking


def agreed(institute: Institute, synchronize: Callable[..., Synchronized], *about: Any) -> Synchronized:
    """A synchronization to which somebody agrees if it asks; proven, or the measurement means nothing."""
    try:
        with opened(institute) as looking:
            done = synchronize(looking, *about, None)
    except ApprovalDue as due:
        with opened(institute) as looking:
            done = synchronize(looking, *about, due.fingerprint)
    if not done.proof.holds:
        raise RuntimeError(f"not proven: {done.proof.deviations.head(5)}")
    return done
