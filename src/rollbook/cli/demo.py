"""`rollbook demo`: everything at once on this machine: an emulated Microsoft 365, a school, two synchronizations, the proof."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollbook.cli import processes
from rollbook.cli.console import Json, Stages, err, out, print_json, stages
from rollbook.errors import Exit, InputRefused
from rollbook.words import counted

if TYPE_CHECKING:
    from rich.console import Console

    from rollbook.acts.runs import Session, Synchronized
    from rollbook.clock import Clock
    from rollbook.store.models import Institute

MOST_WAITING_PERCENT = 2


@dataclass(frozen=True, slots=True)
class Running:
    """A server of the demo."""

    pid: int
    said: dict[str, Any]


def demo(
    source: Annotated[
        Path | None,
        typer.Option("--from", help="A OneRoster folder or zip instead of the sample school.", show_default=False),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="The day that counts. Default: today, if it lies in the latest school year.")
    ] = None,
    people: Annotated[int, typer.Option(min=100, max=100_000, help="Size of the sample school.")] = 2_000,
    institute: Annotated[str | None, typer.Option(help="Which topmost org to read, if there are several.")] = None,
    headless: Annotated[bool, typer.Option("--headless", help="Do not stay up: stop everything at the end.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the portal; 0 picks a free one.")] = 8364,
    quotas: Annotated[
        bool, typer.Option("--quotas", help="The tenant keeps Microsoft's quotas: see how long they make it last.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Try Rollbook: sync a school into an emulated Microsoft 365 and look at both.

    Exit status 0 only if everything was applied or waits for a stated reason, a second synchronization found nothing to do,
    and the proof has nothing missing or extra.
    """
    from rollbook.clock import SystemClock
    from rollbook.store.home import home
    from rollbook.store.setup import explained, open_store

    clock = SystemClock()
    open_store()
    with (
        explained(),
        _servers(home(), headless=headless, port=port, quotas=quotas) as (emulator, portal),
        stages(quiet=False) as shown,
    ):
        school, day = _school(home(), source, people, institute, as_of, clock)
        _connect(school, emulator.said, clock, quotas=quotas)
        document = _story(school, day, emulator.said["control"], clock, shown)
    if as_json:
        print_json(document)
    else:
        _summary(document)
    good = succeeded(document)
    if headless:
        raise typer.Exit(int(Exit.OK if good else Exit.CHANGES_FAILED))
    _stay(emulator, portal, home(), err if as_json else out)


@contextmanager
def _servers(home: Path, *, headless: bool, port: int, quotas: bool) -> Iterator[tuple[Running, Running]]:
    """The emulated tenant and the portal, running; both stopped afterwards if headless, or if the demo failed."""
    emulator = _emulator(home, quotas=quotas)
    try:
        portal = Running(
            *processes.start(["serve", "--port", str(0 if headless else port), "--json"], home / "portal.log")
        )
    except BaseException:
        processes.stop(emulator.pid)
        raise
    err.print(f"The portal is at {portal.said['portal']}, the emulated Microsoft 365 at {emulator.said['login']}.")
    try:
        yield emulator, portal
    except BaseException:
        processes.stop(portal.pid)
        processes.stop(emulator.pid)
        raise
    if headless:
        processes.stop(portal.pid)
        processes.stop(emulator.pid)


def _emulator(home: Path, *, quotas: bool) -> Running:
    """The emulated tenant of this installation: the one that is running, else a new process on the same state.

    It keeps Microsoft's quotas, or none, from now on; delays it has none.
    """
    note = home / "emulator.json"
    if note.exists():
        known = json.loads(note.read_text(encoding="utf-8"))
        if processes.alive(known["pid"]) and processes.answers(f"{known['said']['control']}/health"):
            processes.post(f"{known['said']['control']}/quotas", {"scale": 1.0 if quotas else None})
            return Running(known["pid"], known["said"])
    state = home / "tenant.state"
    kept = ["--quota-scale", "1" if quotas else "off", "--delays", "off"]
    arguments = ["emulator", "serve", "--port", "0", "--state", str(state), *kept]
    pid, said = processes.start(arguments, home / "emulator.log")
    note.write_text(json.dumps({"pid": pid, "said": said}), encoding="utf-8")
    note.chmod(0o600)
    return Running(pid, said)


def _school(
    home: Path, source: Path | None, people: int, institute: str | None, as_of: str | None, clock: Clock
) -> tuple[Institute, dt.date]:
    """The school, imported; and the day that counts."""
    from rollbook.acts.actor import DEMO
    from rollbook.acts.deliveries import import_delivery
    from rollbook.store.memory import InstituteRegister

    folder = source or _sample(home, people, clock)
    imported = import_delivery(folder, DEMO, clock, institute=institute, accepted=True)
    periods = InstituteRegister(imported.institute).read().academic_periods
    if as_of is not None:
        try:
            return imported.institute, dt.date.fromisoformat(as_of)
        except ValueError:
            raise InputRefused(f"--as-of {as_of!r} is not a date.", remedy="Write it as 2026-10-01.") from None
    begin, end = periods.sort("begin").select("begin", "end").row(-1)
    today = clock.now().date()
    return imported.institute, today if begin <= today < end else begin + (end - begin) / 4


def _sample(home: Path, people: int, clock: Clock) -> Path:
    """The sample school of this size, whose school year holds today."""
    from rollbook import sample

    today = clock.now().date()
    year = today.year if today >= dt.date(today.year, 8, 24) else today.year - 1
    folder = home / f"sample-{people}-{year}"
    if not folder.exists():
        draft = folder.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        sample.write(sample.school(people, year=year), draft)
        draft.rename(folder)
    return folder


def _connect(school: Institute, said: dict[str, Any], clock: Clock, *, quotas: bool) -> None:
    from rollbook.acts.actor import DEMO
    from rollbook.acts.connections import Credentials, connect

    app = said["apps"][0]
    given = Credentials(
        tenant=app["tenant"],
        client_id=app["client_id"],
        client_secret=app["client_secret"],
        graph_url=said["graph"],
        login_url=said["login"],
        emulated=True,
        quotas=quotas,
    )
    connect(school, given, DEMO, clock)


def _story(school: Institute, day: dt.date, control: str, clock: Clock, shown: Stages) -> dict[str, Any]:
    """Two synchronizations and the proof, as the document `--json` prints."""
    from rollbook.store.memory import InstituteRegister

    roster = InstituteRegister(school).read()
    first, first_seconds, first_calls = _timed_sync(school, day, control, clock, shown)
    second, second_seconds, second_calls = _timed_sync(school, day, control, clock, shown)
    verdicts = _verdicts(first)
    return {
        "school": {
            "people": roster.people.height,
            "classes": roster.classes.height,
            "enrolments": roster.enrolments.height,
        },
        "first_sync": {
            "changes": first.plan.counts["changes"],
            "applied": verdicts["applied"],
            "failed": verdicts["failed"],
            "waiting": first.plan.counts["waiting"],
            "requests": first_calls["requests"],
            "writes": first_calls["writes"],
            "least_writes": first_calls["least_writes"],
            "seconds": first_seconds,
        },
        "second_sync": {
            "changes": second.plan.counts["changes"],
            "waiting": second.plan.counts["waiting"],
            "writes": second_calls["writes"],
            "seconds": second_seconds,
        },
        "proof": second.proof.as_json(),
    }


def _timed_sync(
    school: Institute, day: dt.date, control: str, clock: Clock, shown: Stages
) -> tuple[Synchronized, float, dict[str, Any]]:
    """One synchronization that the demo approves itself; its seconds and the emulator's counters."""
    from rollbook.acts.actor import DEMO
    from rollbook.acts.runs import session
    from rollbook.acts.show import Show

    processes.post(f"{control}/counters/reset")
    began = clock.monotonic()
    with session(school, day, DEMO, clock, Show(shown.tell, shown, shown.note)) as open_session:
        done = _approved(open_session)
    seconds = round(clock.monotonic() - began, 2)
    return done, seconds, processes.get_json(f"{control}/counters")


def _approved(session: Session) -> Synchronized:
    """Plan, approve as actor demo where a person would have to, apply, prove."""
    from rollbook.acts.runs import Synchronized, finish_unfinished
    from rollbook.apply.approval import needs_person

    finish_unfinished(session)
    plan, view = session.plan()
    run = session.save(plan)
    if needs_person(plan):
        err.print(f"The demo approves plan {plan.fingerprint} itself, as actor demo; you would be asked.")
    session.approve(run, plan, plan.fingerprint if needs_person(plan) else None)
    session.apply(run)
    return Synchronized(run, plan, session.prove(run, plan, view))


def _verdicts(done: Synchronized) -> dict[str, int]:
    from rollbook.plan.changes import ChangeVerdict
    from rollbook.store.runs import verdict_counts

    counted = verdict_counts(done.run)
    good = (ChangeVerdict.DONE, ChangeVerdict.WAITS)
    return {
        "applied": counted.get(ChangeVerdict.DONE, 0),
        "failed": sum(count for verdict, count in counted.items() if verdict not in good),
    }


def succeeded(document: dict[str, Any]) -> bool:
    """Whether the demo did what it promises."""
    first, second, proof = document["first_sync"], document["second_sync"], document["proof"]
    # Run again on the same state, there may be no change any more, or only what waits for a reason that is new.
    concerned = max(first["changes"], document["school"]["people"] + document["school"]["classes"])
    few_wait = first["waiting"] * 100 <= MOST_WAITING_PERCENT * concerned
    idle = second["changes"] == 0 and second["writes"] == 0
    return bool(first["failed"] == 0 and few_wait and idle and proof["missing"] == 0 and proof["extra"] == 0)


def _summary(document: dict[str, Any]) -> None:
    school, first, second, proof = (document[part] for part in ("school", "first_sync", "second_sync", "proof"))
    out.print()
    out.print(
        f"The school: {counted(school['people'], 'person', 'people')}, {counted(school['classes'], 'class', 'classes')}, "
        f"{counted(school['enrolments'], 'enrolment')}."
    )
    out.print(
        f"First synchronization: {first['applied']:,} of {counted(first['changes'], 'change')} applied, {first['failed']:,} failed, "
        f"{first['waiting']:,} waiting, in {first['seconds']:.1f} s with {counted(first['writes'], 'write')} "
        f"({first['least_writes']:,} at least needed)."
    )
    out.print(
        f"Second synchronization: {counted(second['changes'], 'change')}, {counted(second['writes'], 'write')}, {second['seconds']:.1f} s."
    )
    out.print(
        f"Proof: {counted(proof['teams'], 'team')}, {counted(proof['members_expected'], 'membership')}, {proof['missing']:,} missing, "
        f"{proof['extra']:,} extra, {proof['pending']:,} pending at Microsoft."
    )


def _stay(emulator: Running, portal: Running, home: Path, console: Console) -> None:
    """Tell where to look and how to stop; return when Ctrl-C stopped the portal."""
    from rollbook.clock import SystemClock

    console.print()
    console.print(f"Portal:                 {portal.said['portal']}")
    console.print(f"Emulated Microsoft 365: {emulator.said['login']}")
    console.print("Stop the portal with Ctrl-C. The emulated tenant goes on; stop it with: rollbook emulator stop")
    console.print(f"Everything is kept in {home}; to start over, stop the tenant and delete that folder.")
    clock = SystemClock()
    try:
        while processes.alive(portal.pid):
            clock.sleep(0.5)
    except KeyboardInterrupt:
        processes.stop(portal.pid)
        console.print("The portal is stopped.")
