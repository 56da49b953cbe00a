"""Notices in words, as mails, the portal and the command line say them: what is so, what to do, what it means that it is over.

Sentences name runs, counts, licences and days, never people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rollbook.acts.notices import open_notices
from rollbook.plan.changes import Kind as ChangeKind
from rollbook.plan.changes import Objection
from rollbook.plan.sentences import objection_sentence
from rollbook.store.models import Institute, Notice

Kind = Notice.Kind
Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """How one kind of notice is told, each from its content: `said` now, `to_do` about it, and `over` once its cause is gone."""

    said: Callable[[Content], str]
    to_do: Callable[[Content], str]
    over: Callable[[Content], str]


@dataclass(frozen=True, slots=True)
class Told:
    """A notice as people read it; moments are where the institute is."""

    notice: Notice
    institute: str
    since: str
    until: str
    said: str
    to_do: str
    over: str


def told(notice: Notice) -> Told:
    """A notice in words."""
    words, zone = WORDS[Kind(notice.kind)], ZoneInfo(notice.institute.time_zone)

    def moment(at: Any) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else ""

    content = notice.content
    return Told(
        notice,
        " ".join(notice.institute.name.split()),
        moment(notice.raised_at),
        moment(notice.ended_at),
        words.said(content),
        words.to_do(content),
        words.over(content),
    )


SHOWN = 10
"""Notices a page shows; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Open notices as a page shows them: the ones nobody has seen first, and how many more there are."""

    shown: list[Told]
    more: int


def panel(institute: Institute | None = None) -> Panel:
    """Open notices of one institute, or of all."""
    found = open_notices(institute)
    first = found.order_by(F("seen_at").asc(nulls_first=True), "-raised_at", "-pk")[: SHOWN + 1]
    shown = [told(notice) for notice in first]
    more = found.count() - SHOWN if len(shown) > SHOWN else 0
    return Panel(shown[:SHOWN], more)


def _not_proven(content: Content) -> str:
    missing = ngettext("%(n)s membership is missing", "%(n)s memberships are missing", content["missing"])
    extra = ngettext("%(n)s is there that should not be", "%(n)s are there that should not be", content["extra"])
    counts = {"missing": missing % {"n": f"{content['missing']:,}"}, "extra": extra % {"n": f"{content['extra']:,}"}}
    return _("Run %(run)s is finished, but not proven: %(missing)s, %(extra)s.") % {"run": content["run"], **counts}


def _refused(content: Content) -> str:
    sentence = ngettext(
        "Run %(run)s: Microsoft refused %(n)s change (%(kind)s).",
        "Run %(run)s: Microsoft refused %(n)s changes (%(kind)s).",
        content["count"],
    )
    kind = ChangeKind[content["change"].upper()].label
    return sentence % {"run": content["run"], "n": f"{content['count']:,}", "kind": kind}


def _approval_due(content: Content) -> str:
    sentence = ngettext(
        "Run %(run)s waits for approval with %(n)s change: %(why)s",
        "Run %(run)s waits for approval with %(n)s changes: %(why)s",
        content["count"],
    )
    objection = content["objection"]
    why = (
        objection_sentence(Objection(**objection)) if objection else _("the first run of a profile waits for a person.")
    )
    return sentence % {"run": content["run"], "n": f"{content['count']:,}", "why": why}


def _quarantined(content: Content) -> str:
    return _("The connection to Microsoft 365 fails: %(message)s") % {"message": content["message"]}


def _quarantined_to_do(content: Content) -> str:
    remedy = content["remedy"] or _("Look at `rollbook connection`.")
    if not content["request_id"]:
        return str(remedy)
    return _("%(remedy)s For Microsoft's support: request id %(id)s.") % {"remedy": remedy, "id": content["request_id"]}


def _short(content: Content) -> str:
    sentence = ngettext(
        "Licences run short: %(part)s is needed by %(needed)s, %(free)s are free, %(short)s person is left out.",
        "Licences run short: %(part)s is needed by %(needed)s, %(free)s are free, %(short)s people are left out.",
        content["short"],
    )
    return sentence % {**content, **{name: f"{content[name]:,}" for name in ("needed", "free", "short")}}


def _expiring(content: Content) -> str:
    if not content["days"]:
        return _("The credential of the connection expired on %(expires_on)s.") % content
    sentence = ngettext(
        "The credential of the connection expires in %(days)s day, on %(expires_on)s.",
        "The credential of the connection expires in %(days)s days, on %(expires_on)s.",
        content["days"],
    )
    return sentence % content


def _late(content: Content) -> str:
    return _("The register was not delivered for %(days)s days (source %(source)s, last on %(received_on)s).") % content


def _staged(content: Content) -> str:
    return (
        _(
            "Delivery %(delivery)s (source %(source)s) has over 10 %% fewer people than the one before, and waits to be accepted."
        )
        % content
    )


def _undelivered(content: Content) -> str:
    sentence = ngettext(
        "%(n)s message could not be delivered for three days and was given up: %(problem)s",
        "%(n)s messages could not be delivered for three days and were given up: %(problem)s",
        content["given_up"],
    )
    return sentence % {"n": f"{content['given_up']:,}", "problem": content["problem"]}


WORDS: Mapping[Kind, Words] = {
    Kind.JOB_FAILED: Words(
        lambda content: _("A synchronization came to no end: %(message)s") % content,
        lambda content: content["remedy"] or _("Look at `rollbook queue`."),
        lambda _content: _("A later one came to its end."),
    ),
    Kind.NOT_PROVEN: Words(
        _not_proven,
        lambda content: _("See who, where and why: `rollbook proof %(run)s`.") % content,
        lambda _content: _("A later run is proven."),
    ),
    Kind.CHANGES_REFUSED: Words(
        _refused,
        lambda content: _("See who acts, and whether waiting helps: `rollbook show %(run)s`.") % content,
        lambda _content: _("A later run was not refused them."),
    ),
    Kind.APPROVAL_DUE: Words(
        _approval_due,
        lambda content: (
            _("Read it with `rollbook show %(run)s`, then `rollbook approve %(run)s` or `rollbook refuse %(run)s`.")
            % content
        ),
        lambda _content: _("Nothing of it waits any more."),
    ),
    Kind.QUARANTINED: Words(_quarantined, _quarantined_to_do, lambda _content: _("The connection works again.")),
    Kind.SEATS_SHORT: Words(
        _short,
        lambda _content: _("Buy licences, or free some; whoever is left out waits and is served by the next run."),
        lambda _content: _("There are enough licences again."),
    ),
    Kind.CREDENTIAL_EXPIRING: Words(
        _expiring,
        lambda _content: _(
            "Make a new one at Microsoft, connect with it, and say until when it holds: `rollbook connection --expires DATE`."
        ),
        lambda _content: _("There is a newer credential."),
    ),
    Kind.REGISTER_LATE: Words(
        _late,
        lambda _content: _("Look whether the school's system still writes its export, then `rollbook import PATH`."),
        lambda _content: _("It was delivered, or the academic period is over."),
    ),
    Kind.DELIVERY_STAGED: Words(
        _staged,
        lambda _content: _(
            "If that is right, import it again with `rollbook import PATH --accept`; else correct the export."
        ),
        lambda _content: _("It was accepted, or another one was delivered."),
    ),
    Kind.WEBHOOK_UNDELIVERED: Words(
        _undelivered,
        lambda _content: _("Repair the receiver, then try it: `rollbook notices test`."),
        lambda _content: _("The webhook is answered again."),
    ),
    Kind.MAIL_UNDELIVERED: Words(
        _undelivered,
        lambda _content: _(
            "Correct the address or the mail server's settings, then try them: `rollbook notices test`."
        ),
        lambda _content: _("Mails are taken again."),
    ),
}
