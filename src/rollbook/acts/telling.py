"""Telling: mails as they fall due, webhooks in the order of the outbox; what fails is tried again, less and less often, for three days.

May be called at any time and by several processes: whoever tells something holds it for a while first, so that it is told once. A
process that dies in between leaves it to be told again; the ids of messages are the same then. Nothing here holds a transaction open
while it waits for somebody else's machine, and one receiver is never waited for by another.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import queue
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from django.db import close_old_connections, connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rollbook.acts import mail, webhooks
from rollbook.acts.actor import require
from rollbook.acts.channels import channel_of
from rollbook.acts.notice_words import Told, told
from rollbook.acts.notices import (
    WEBHOOK,
    Kind,
    cause_of,
    end_undelivered,
    open_notices,
    raise_notice,
)
from rollbook.acts.profiles import Author
from rollbook.apply.approval import Role
from rollbook.clock import Clock
from rollbook.errors import InputRefused
from rollbook.store.models import Institute, NoticeChannel, NoticeMail, Outbox
from rollbook.store.vault import Vault

log = structlog.get_logger()

PAUSES = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60, 120, 240, 480, 720))
"""How long something is left alone after so many failures in a row; the last one holds for all that follow."""

GIVEN_UP = dt.timedelta(days=3)
CLAIMED = dt.timedelta(minutes=5)
TURN_SECONDS = 60.0
"""How long one turn waits for receivers at most; what has not answered by then counts as failed."""

RECEIVERS, EVENTS, MAILS = 16, 50, 500
"""How many receivers are told at once, events each of them is told in one turn, and mails are looked at in one."""

LISTED = 20
"""Notices of one school a mail tells of at most."""


@dataclass(slots=True)
class Delivered:
    """What a turn of telling came to."""

    mails: int = 0
    events: int = 0
    problems: list[str] = field(default_factory=list)


def deliver(clock: Clock) -> Delivered:
    """Tell what is due. Returns within about a minute, whatever receivers do."""
    done = Delivered()
    mails, hooks = _claim_mails(clock, done), _claim_hooks(clock)
    tasks: dict[Any, Callable[[], Any]] = {hook.channel: partial(_tell, hook, clock) for hook in hooks}
    if mails is not None:
        tasks["mail"] = partial(_post, mails, clock)
    answers = _side_by_side(tasks, TURN_SECONDS)
    for hook in hooks:
        _settle_hook(hook, answers.get(hook.channel, _Told(0, f"no end within {TURN_SECONDS:g} seconds")), clock, done)
    if mails is not None:
        _settle_mails(mails, answers.get("mail"), clock, done)
    return done


_under_way = threading.Lock()


def deliver_aside(clock: Clock) -> bool:
    """Begin `deliver` in a thread of its own, so that whoever calls waits for nobody; False if the last one has not ended yet."""
    if not _under_way.acquire(blocking=False):
        return False

    def work() -> None:
        try:
            deliver(clock)
        except Exception as error:  # the next turn tries again; a thread has nobody to tell but the log
            log.exception("notices: not delivered", error=type(error).__name__)
        finally:
            close_old_connections()
            connection.close()
            _under_way.release()

    threading.Thread(target=work, name="notices", daemon=True).start()
    return True


def _side_by_side(tasks: Mapping[Any, Callable[[], Any]], seconds: float) -> dict[Any, Any]:
    """What each task came to, by its key; those that take longer are missing, and end for themselves."""
    answers: queue.SimpleQueue[tuple[Any, Any]] = queue.SimpleQueue()

    def work(key: Any, task: Callable[[], Any]) -> None:
        try:
            answers.put((key, task()))
        except Exception as error:  # told as the receiver's problem; a defect of ours is in the log as well
            log.exception("notices: telling failed", error=type(error).__name__)
            answers.put((key, error))

    for key, task in tasks.items():
        threading.Thread(target=work, args=(key, task), daemon=True).start()
    done: dict[Any, Any] = {}
    try:
        while len(done) < len(tasks):
            key, answer = answers.get(timeout=seconds)
            if not isinstance(answer, Exception):
                done[key] = answer
    except queue.Empty:
        log.warning("notices: a receiver takes too long", missing=len(tasks) - len(done))
    return done


# Webhooks.


@dataclass(frozen=True, slots=True)
class _Hook:
    """A webhook and what it is to be told next, in order."""

    channel: int
    address: str
    secret: str
    events: tuple[webhooks.Event, ...]


@dataclass(frozen=True, slots=True)
class _Told:
    """How many events a webhook took, and why it took no more; empty if it took all."""

    taken: int
    problem: str


def event_of(entry: Outbox, institute: Institute) -> webhooks.Event:
    """What a webhook is told of an entry of the outbox."""
    name = f"{institute.public_id}-{entry.sequence}"
    return webhooks.Event(name, entry.topic, str(institute.public_id), entry.sequence, entry.at, entry.payload)


def _claim_hooks(clock: Clock) -> list[_Hook]:
    """Webhooks that have something to be told and are not left alone now, for this process to tell."""
    now = clock.now()
    waiting = Outbox.objects.filter(institute=OuterRef("institute"), sequence__gt=OuterRef("told"))
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    due = NoticeChannel.objects.filter(free, Q(retry_at=None) | Q(retry_at__lte=now), Exists(waiting)).exclude(
        webhook=""
    )
    vault, hooks = Vault(), []
    # Whoever was told longest ago comes first.
    for channel in due.select_related("institute").order_by(F("claimed_until").asc(nulls_first=True))[:RECEIVERS]:
        mine = NoticeChannel.objects.filter(free, pk=channel.pk, told=channel.told)
        if not mine.update(claimed_until=now + CLAIMED) or channel.secret is None:
            continue
        entries = Outbox.objects.filter(institute=channel.institute_id, sequence__gt=channel.told)
        events = tuple(event_of(entry, channel.institute) for entry in entries.order_by("sequence")[:EVENTS])
        hooks.append(_Hook(channel.pk, channel.webhook, vault.decrypt(channel.secret), events))
    return hooks


def _tell(hook: _Hook, clock: Clock) -> _Told:
    """Tell the events one after the other; the first that is not taken ends it, for their order is kept."""
    began = clock.monotonic()
    for taken, event in enumerate(hook.events):
        if taken and clock.monotonic() > began + TURN_SECONDS / 2:
            return _Told(taken, "")
        problem = webhooks.send(hook.address, hook.secret, event, clock.now())
        if problem:
            return _Told(taken, problem)
    return _Told(len(hook.events), "")


def _settle_hook(hook: _Hook, came: _Told, clock: Clock, done: Delivered) -> None:
    """Remember how far the webhook was told, and when it is tried again."""
    now = clock.now()
    done.events += came.taken
    with transaction.atomic():
        channel = NoticeChannel.objects.select_for_update().select_related("institute").get(pk=hook.channel)
        if channel.webhook != hook.address:
            return  # somebody set another one meanwhile
        channel.claimed_until = now
        if came.taken:
            channel.told = hook.events[came.taken - 1].sequence
            channel.failing_since, channel.failures, channel.retry_at, channel.problem = None, 0, None, ""
        if came.problem:
            done.problems.append(f"webhook: {came.problem}")
            channel.failing_since = channel.failing_since or now
            channel.failures += 1
            channel.retry_at = now + _pause(channel.failures)
            channel.problem = came.problem
            given_up = _give_up(channel, now)
        channel.save()
        if came.problem and given_up:
            _say_given_up(channel.institute, Kind.WEBHOOK_UNDELIVERED, WEBHOOK, given_up, came.problem, clock)
        elif came.taken:
            end_undelivered(channel.institute, Kind.WEBHOOK_UNDELIVERED, WEBHOOK, clock)


def _give_up(channel: NoticeChannel, now: dt.datetime) -> int:
    """How many events the webhook is not told any more, because it has not taken them for three days."""
    assert channel.failing_since is not None
    if channel.failing_since + GIVEN_UP > now:
        return 0
    old = Outbox.objects.filter(institute=channel.institute_id, sequence__gt=channel.told, at__lte=now - GIVEN_UP)
    sequences = list(old.order_by("sequence").values_list("sequence", flat=True))
    channel.told = sequences[-1] if sequences else channel.told
    return len(sequences)


def _pause(failures: int) -> dt.timedelta:
    return PAUSES[min(failures, len(PAUSES)) - 1]


def _say_given_up(institute: Institute, kind: Kind, cause: str, count: int, problem: str, clock: Clock) -> None:
    """That something was not told is a notice itself; more of it is the same one."""
    known = open_notices(institute).filter(kind=kind, cause=cause).first()
    before = known.content["given_up"] if known else 0
    raise_notice(institute, kind, cause, {"given_up": before + count, "problem": problem}, clock)


# Mails.


@dataclass(frozen=True, slots=True)
class _Mails:
    """Messages to be sent, each with the rows it tells."""

    server: mail.Server
    messages: list[tuple[mail.Message, list[NoticeMail]]]


def _claim_mails(clock: Clock, done: Delivered) -> _Mails | None:
    """What is due by mail, for this process to send: one message an address. None if nothing is, or no mail server is named."""
    now = clock.now()
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    due = list(
        NoticeMail.objects.filter(free, due_at__lte=now)
        .select_related("notice__institute")
        .order_by("due_at", "pk")[:MAILS]
    )
    if not due:
        return None
    try:
        through = mail.server()
    except InputRefused as error:
        done.problems.append(f"mail: {error.message}")
        _postpone(due, error.message, clock)
        return None
    if through is None:
        # Nobody is told months later of what was so for a day.
        NoticeMail.objects.filter(due_at__lte=now - GIVEN_UP).delete()
        return None
    mine = [row for row in due if NoticeMail.objects.filter(free, pk=row.pk).update(claimed_until=now + CLAIMED)]
    by_address: defaultdict[str, list[NoticeMail]] = defaultdict(list)
    for row in mine:
        by_address[row.address].append(row)
    return _Mails(through, [(compose(address, rows), rows) for address, rows in by_address.items()])


@dataclass(frozen=True, slots=True)
class _School:
    """What a mail tells of one school."""

    name: str
    raised: list[Told]
    ended: list[Told]
    still: list[Told]
    more: int


def compose(address: str, rows: Sequence[NoticeMail]) -> mail.Message:
    """The message that tells an address all of these; what came and went meanwhile is told as over."""
    over = {row.notice_id for row in rows if row.ended}
    institutes = {row.notice.institute_id: row.notice.institute for row in rows}
    notices = {row.notice_id: row.notice for row in rows}
    still = open_notices().filter(institute__in=institutes).exclude(pk__in=notices)
    schools = []
    for key, institute in sorted(institutes.items()):
        mine = [notice for notice in notices.values() if notice.institute_id == key]
        raised = [told(notice) for notice in mine if notice.pk not in over]
        ended = [told(notice) for notice in mine if notice.pk in over]
        known = [told(notice) for notice in still if notice.institute_id == key]
        more = sum(max(0, len(part) - LISTED) for part in (raised, ended, known))
        name = " ".join(institute.name.split())
        schools.append(_School(name, raised[:LISTED], ended[:LISTED], known[:LISTED], more))
    told_of = sorted(f"{row.notice_id}{'e' if row.ended else 'r'}" for row in rows)
    name = hashlib.sha256("\0".join([address, *told_of]).encode()).hexdigest()[:32]
    return mail.rendered(address, _subject(schools), {"schools": schools}, name)


def _subject(schools: Sequence[_School]) -> str:
    where = schools[0].name if len(schools) == 1 else _("%(n)s schools") % {"n": len(schools)}
    raised = [each for school in schools for each in school.raised]
    if len(raised) == 1:
        return f"{where}: {raised[0].said}"[:200]
    if raised:
        return f"{where}: " + ngettext("%(n)s notice", "%(n)s notices", len(raised)) % {"n": len(raised)}
    return f"{where}: " + _("no longer so")


def _post(mails: _Mails, clock: Clock) -> dict[str, str]:
    """What came of the messages, as far as there was time for them."""
    until = clock.monotonic() + TURN_SECONDS / 2
    messages = [message for message, _rows in mails.messages]
    return mail.send(mails.server, messages, lambda: clock.monotonic() < until)


def _settle_mails(mails: _Mails, answers: Mapping[str, str] | None, clock: Clock, done: Delivered) -> None:
    """Remember which mails were sent, and when the others are tried again."""
    for message, rows in mails.messages:
        slow = f"the mail server came to no end within {TURN_SECONDS:g} seconds"
        problem = slow if answers is None else answers.get(message.address)
        if problem is None:
            # Its turn did not come; that is no failure.
            NoticeMail.objects.filter(pk__in=[row.pk for row in rows]).update(claimed_until=None)
        elif problem:
            done.problems.append(f"mail: {problem}")
            _postpone(rows, problem, clock)
        else:
            done.mails += 1
            NoticeMail.objects.filter(pk__in=[row.pk for row in rows]).delete()
            for institute in {row.notice.institute_id: row.notice.institute for row in rows}.values():
                end_undelivered(institute, Kind.MAIL_UNDELIVERED, cause_of(message.address), clock)


def _postpone(rows: Sequence[NoticeMail], problem: str, clock: Clock) -> None:
    """These are tried again later; those that failed for three days are given up, and that is said."""
    now = clock.now()
    given_up = [row for row in rows if row.failing_since is not None and row.failing_since + GIVEN_UP <= now]
    gone = {row.pk for row in given_up}
    for row in rows:
        row.failing_since = row.failing_since or now
        row.failures += 1
        row.due_at, row.claimed_until, row.problem = now + _pause(row.failures), None, problem[:255]
    with transaction.atomic():
        NoticeMail.objects.filter(pk__in=gone).delete()
        kept = [row for row in rows if row.pk not in gone]
        NoticeMail.objects.bulk_update(kept, ["failing_since", "failures", "due_at", "claimed_until", "problem"])
    counts = Counter((row.notice.institute, row.address) for row in given_up)
    for (institute, address), count in counts.items():
        _say_given_up(institute, Kind.MAIL_UNDELIVERED, cause_of(address), count, problem, clock)


# Trying.


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a test message: to whom, and why it did not arrive; empty if it did."""

    where: str
    problem: str


def try_channels(institute: Institute, author: Author) -> list[Tried]:
    """What came of one test message to each address and to the webhook; nothing is queued or tried again."""
    require(author.actor, Role.INSTITUTE_ADMIN, "send test messages")
    channel = channel_of(institute)
    found = _try_mails(institute, channel.addresses)
    if channel.webhook and channel.secret is not None:
        now = author.clock.now()
        event = webhooks.Event(f"test-{uuid.uuid4()}", "notices.test", str(institute.public_id), 0, now, {})
        problem = webhooks.send(channel.webhook, Vault().decrypt(channel.secret), event, now)
        found.append(Tried(channel.webhook, problem))
    return found


def _try_mails(institute: Institute, addresses: Sequence[str]) -> list[Tried]:
    if not addresses:
        return []
    through = mail.server()
    if through is None:
        return [Tried(address, mail.UNSET) for address in addresses]
    subject = _("%(school)s: a test message") % {"school": institute.name}
    messages = [
        mail.rendered(address, subject, {"schools": [], "test": True}, f"test-{uuid.uuid4()}") for address in addresses
    ]
    came = mail.send(through, messages)
    return [Tried(address, came[address]) for address in addresses]
