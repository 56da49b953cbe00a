"""Notices: raised once for each cause, ended when the cause is gone, and queued for whoever is to be told.

A notice, its entry in the outbox and the mails that tell of it stand or fall together. Nothing is sent here (acts/telling.py).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from rollbook.clock import Clock
from rollbook.errors import InputRefused
from rollbook.store import causes, outbox
from rollbook.store.causes import Cause
from rollbook.store.models import Institute, Notice, NoticeChannel, NoticeMail

Kind = Notice.Kind

TOLD_BY_DELIVERY = (Kind.WEBHOOK_UNDELIVERED, Kind.MAIL_UNDELIVERED)
"""Kinds that whoever delivers raises and ends; no look knows of them."""

WEBHOOK = "webhook"
"""The cause of a notice that a webhook is not delivered."""

WORDS_ONLY = frozenset({"message", "remedy"})
"""What of a notice's content is for people to read; machines get codes and numbers."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What a look changed: notices that are new, and notices that are over."""

    raised: list[Notice]
    ended: list[Notice]


def raise_notice(
    institute: Institute, kind: Kind, cause: str, content: Mapping[str, Any], clock: Clock
) -> Notice | None:
    """The new notice, queued for everybody who is to be told; None if this cause was told before and is not over."""
    now = clock.now()
    try:
        with transaction.atomic():
            notice = Notice.objects.create(
                institute=institute, kind=kind, cause=cause, content=dict(content), raised_at=now
            )
            outbox.append(institute.pk, "notice.raised", payload(notice), now)
            _queue(notice, now, ended=False)
    except IntegrityError:
        # Another process, or an earlier look, told it: the database holds one open notice of a cause.
        Notice.objects.filter(institute=institute, kind=kind, cause=cause, ended_at=None).update(content=dict(content))
        return None
    return notice


def end_notice(notice: Notice, clock: Clock, *, replaced: bool = False) -> bool:
    """The cause is gone, and that is told; whether it was not over before. `replaced`: a newer notice says how the matter goes on."""
    now = clock.now()
    with transaction.atomic():
        still = Notice.objects.filter(pk=notice.pk, ended_at=None)
        if not still.update(ended_at=now, replaced=replaced):
            return False
        notice.ended_at, notice.replaced = now, replaced
        outbox.append(notice.institute_id, "notice.ended", payload(notice), now)
        if replaced:
            notice.mails.all().delete()
        else:
            _queue(notice, now, ended=True)
    return True


def look_for_causes(clock: Clock) -> Changed:
    """What there is to tell is told once, and what is over is ended; may be called at any time, by several processes at once."""
    looked = causes.look(clock.now())
    wanted = {(cause.institute, str(cause.kind), cause.key): cause for cause in looked.causes}
    known = {
        (notice.institute_id, notice.kind, notice.cause): notice
        for notice in open_notices().exclude(kind__in=TOLD_BY_DELIVERY)
    }
    fresh = [cause for key, cause in wanted.items() if key not in known]
    institutes = Institute.objects.in_bulk({cause.institute for cause in fresh})
    raised = [_raised(institutes[cause.institute], cause, clock) for cause in fresh]
    _follow(known, wanted)
    matters = {(institute, kind, key.partition("#")[0]) for institute, kind, key in wanted}
    ended = [
        notice
        for key, notice in known.items()
        if key not in wanted
        and not looked.leaves_open(notice)
        and end_notice(notice, clock, replaced=(notice.institute_id, notice.kind, notice.matter) in matters)
    ]
    return Changed([notice for notice in raised if notice is not None], ended)


def _raised(institute: Institute, cause: Cause, clock: Clock) -> Notice | None:
    return raise_notice(institute, cause.kind, cause.key, cause.content, clock)


def _follow(known: Mapping[Any, Notice], wanted: Mapping[Any, Cause]) -> None:
    """Open notices say how things are now, in the numbers of today."""
    differing = []
    for key, notice in known.items():
        if key in wanted and notice.content != wanted[key].content:
            notice.content = dict(wanted[key].content)
            differing.append(notice)
    Notice.objects.bulk_update(differing, ["content"], batch_size=500)


def cause_of(address: str) -> str:
    """The cause of a notice that mails to this address are not delivered, which does not name it."""
    return f"mail/{hashlib.sha256(address.encode()).hexdigest()[:16]}"


def end_undelivered(institute: Institute, kind: Kind, cause: str, clock: Clock) -> None:
    """Something arrives there again, or nothing is sent there any more."""
    for notice in open_notices(institute).filter(kind=kind, cause=cause):
        end_notice(notice, clock)


def payload(notice: Notice) -> dict[str, Any]:
    """A notice as webhooks are told it (docs/notices.md)."""
    ended = notice.ended_at.isoformat(timespec="seconds") if notice.ended_at else None
    return {
        "notice": str(notice.public_id),
        "kind": str(notice.kind),
        "content": {name: value for name, value in notice.content.items() if name not in WORDS_ONLY},
        "raised_at": notice.raised_at.isoformat(timespec="seconds"),
        "ended_at": ended,
        "replaced": notice.replaced,
    }


def open_notices(institute: Institute | None = None) -> QuerySet[Notice]:
    """Notices that are not over, of one institute or of all, the newest first."""
    found = Notice.objects.filter(ended_at=None).select_related("institute").order_by("-raised_at", "-pk")
    return found if institute is None else found.filter(institute=institute)


def all_notices(institute: Institute) -> QuerySet[Notice]:
    """Notices of an institute, also those that are over, the newest first."""
    return Notice.objects.filter(institute=institute).select_related("institute").order_by("-raised_at", "-pk")


def mark_seen(institute: Institute, numbers: Sequence[int], clock: Clock) -> int:
    """How many open notices (all, or those of these numbers) are known to somebody from now on. InputRefused if there is no such."""
    found = open_notices(institute)
    if numbers:
        found = found.filter(pk__in=numbers)
        missing = set(numbers) - set(found.values_list("pk", flat=True))
        if missing:
            listed = ", ".join(str(number) for number in sorted(missing))
            raise InputRefused(f"There is no open notice {listed}.", remedy="List them with `rollbook notices`.")
    return found.filter(seen_at=None).update(seen_at=clock.now())


def _queue(notice: Notice, now: dt.datetime, *, ended: bool) -> None:
    """Every address of the institute is to be told."""
    channel = NoticeChannel.objects.filter(institute=notice.institute_id).first()
    if channel is None or not channel.addresses:
        return
    due = _next_digest(channel, notice.institute.time_zone, now) if channel.digest else now
    NoticeMail.objects.bulk_create(
        NoticeMail(notice=notice, address=address, ended=ended, queued_at=now, due_at=due)
        for address in channel.addresses
    )


def _next_digest(channel: NoticeChannel, time_zone: str, now: dt.datetime) -> dt.datetime:
    """The next moment at which the institute's digest goes out, at that hour where the institute is."""
    zone = ZoneInfo(time_zone)
    day = now.astimezone(zone).date()
    moments = (
        dt.datetime.combine(day + dt.timedelta(days=days), dt.time(channel.digest_hour), zone).astimezone(dt.UTC)
        for days in range(3)
    )
    return next(moment for moment in moments if moment > now)
