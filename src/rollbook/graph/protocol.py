"""What goes over the wire to Microsoft Graph, as values: requests, answers, items of a batch, outcomes and verdicts.

Pure: knows status codes, error bodies and headers (graph.md sections 8 to 10), and refuses to know how bytes travel.
Decisions are made on codes, never on message texts, except where Microsoft gives a fault no code of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from rollbook.errors import Later, Never, Stop, TenantError

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One call. `path` begins with "/" and is relative to the version, such as "/users?$select=id"."""

    method: str
    path: str
    body: Any = field(default=None, repr=False)  # may hold a password, so it is never shown
    headers: Headers = ()

    @property
    def writes(self) -> bool:
        """Whether the call changes something at Microsoft."""
        return self.method != "GET"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the body decoded from JSON, None if it was empty; header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)

    def header(self, name: str) -> str | None:
        """The header of this lower-case name."""
        return self.headers.get(name)


CERTAIN = ""
"""The kind of a rest that is known to be needed, so that nobody tries earlier."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Something a write is about changed at Microsoft at `since` (monotonic), and may stay unseen for `seconds`.

    How long such a thing of this `kind` really takes is found out by trying one write before the others.
    """

    kind: str
    since: float
    seconds: float

    @property
    def over(self) -> float:
        """When everybody sees it."""
        return self.since + self.seconds


@dataclass(frozen=True, slots=True)
class Item:
    """A write on its way. `objects` are the ids or names it touches: no two writes on one object travel together.

    `fresh` says that an object was made a moment ago, so that "not found" means "not there yet"; `rest` from when on it is seen.
    Of items that may go, those of lower `rank` go first.
    """

    key: int
    request: Request
    objects: frozenset[str]
    fresh: bool = False
    rest: Rest | None = None
    rank: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """It was carried out."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not carried out and will not be, as it is."""

    answer: Answer
    error: Never


@dataclass(frozen=True, slots=True)
class Postponed:
    """It was not carried out, although it was tried as often as is sensible in one run."""

    error: Later


@dataclass(frozen=True, slots=True)
class Unknown:
    """The connection was lost or Microsoft failed after the request was sent: it may or may not have been carried out."""

    error: Later


Outcome = Done | Refused | Postponed | Unknown


def decipher(status: int, headers: Mapping[str, str], raw: bytes) -> Answer:
    """The answer these bytes are. A body that is no JSON is kept as None; the status then speaks alone."""
    body = None
    if raw:
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            if status < 400:
                raise Later(
                    "Microsoft 365 sent an answer that broke off in the middle.",
                    remedy="Nothing needs to be done; it is asked again.",
                    status=status,
                ) from None
    return Answer(status, {name.lower(): value for name, value in headers.items()}, body)


def next_page(answer: Answer) -> str | None:
    """The address of the next page, whole and unmodified; None on the last one."""
    link = answer.body.get("@odata.nextLink")
    return str(link) if link else None


def _error(answer: Answer) -> Mapping[str, Any]:
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    return error if isinstance(error, dict) else {}


def error_code(answer: Answer) -> str:
    """Microsoft's code of the fault; empty if it gave none."""
    return str(_error(answer).get("code") or "")


def error_message(answer: Answer) -> str:
    """Microsoft's own words, for the office; never decided upon."""
    return str(_error(answer).get("message") or "")


def object_conflict_target(answer: Answer) -> str | None:
    """The property whose value another object has already; None if this is not such a fault (graph.md section 2.4)."""
    for detail in _error(answer).get("details") or ():
        if detail.get("code") == "ObjectConflict":
            return str(detail.get("target") or "unknown")
    return None


# Microsoft gives these faults only the code Request_BadRequest or BadRequest, so the text has to be read.
_ALREADY = re.compile(r"added object references already exist", re.IGNORECASE)
_FRESH_LINK = re.compile(r"source resource object or one of the objects being referenced don't exist", re.IGNORECASE)
_NO_PLAN = re.compile(r"GetApplicableSkuCategoriesForUserFailed", re.IGNORECASE)
_PROVISIONED = re.compile(r"already provisioned", re.IGNORECASE)


def already_exists(answer: Answer) -> bool:
    """Whether a relation was refused because it is there (graph.md section 5.2)."""
    return answer.status == 400 and bool(_ALREADY.search(error_message(answer)))


def already_provisioned(answer: Answer) -> bool:
    """Whether a team was refused because the group has one (graph.md section 7.1)."""
    return answer.status == 409 and bool(_PROVISIONED.search(error_message(answer)))


def unseen(answer: Answer) -> bool:
    """Whether a write was refused because of something that is not there, or not there yet; Teams sees a licence late, too."""
    return answer.status == 404 or any(pattern.search(error_message(answer)) for pattern in (_FRESH_LINK, _NO_PLAN))


def retry_after(answer: Answer) -> float | None:
    """Seconds Microsoft asks to wait; None if it does not say."""
    text = answer.header("retry-after")
    return float(text) if text and text.replace(".", "", 1).isdigit() else None


AMBIGUOUS = frozenset({500, 502, 504})
"""After these nobody knows whether a write took effect."""

RESTING = "Resting"
"""Our own code of what was not sent, because it is too early."""

BUSY = frozenset({423, 429, 503, 509})


def request_id(answer: Answer) -> str:
    """What Microsoft calls this request, for its support: of a header, or of a fault's own body (graph.md section 10)."""
    inner = _error(answer).get("innerError")
    said = inner.get("request-id") if isinstance(inner, dict) else None
    return str(answer.header("request-id") or said or "")


def verdict(request: Request, answer: Answer, *, fresh: bool = False) -> TenantError | None:
    """None if the request succeeded, else *later*, *never* or *stop* with a sentence for the office."""
    if answer.status < 400:
        return None
    code, said = error_code(answer), error_message(answer)
    facts: dict[str, Any] = {"code": code, "status": answer.status, "request_id": request_id(answer)}
    where = f"{request.method} {request.path.partition('?')[0]}"
    if answer.status in BUSY or answer.status in AMBIGUOUS:
        return Later(
            f"Microsoft 365 is busy ({answer.status} {code}).",
            remedy="Nothing needs to be done; it is repeated after the pause Microsoft asks for.",
            delay=retry_after(answer),
            **facts,
        )
    if answer.status == 409 and not already_provisioned(answer):
        return Later(
            f"Microsoft 365 was changing the same object ({code}).",
            remedy="Nothing needs to be done; it is repeated shortly.",
            delay=retry_after(answer),
            **facts,
        )
    if fresh and unseen(answer):
        return Later(
            "Microsoft 365 does not see an object yet that was just made.",
            remedy="Nothing needs to be done; it becomes visible within minutes.",
            delay=retry_after(answer),
            **facts,
        )
    if answer.status == 401:
        return _signed_out(answer, facts)
    remedy = REMEDIES.get((answer.status, code)) or REMEDIES.get((answer.status, ""), "See what Microsoft says.")
    return Never(f"Microsoft 365 refused {where}: {said or code or answer.status}", remedy=remedy, **facts)


def _signed_out(answer: Answer, facts: Mapping[str, Any]) -> Stop:
    """A token that was new a moment ago is not accepted: because of a policy's challenge, or altogether."""
    if "insufficient_claims" in (answer.header("www-authenticate") or ""):
        return Stop(
            "A conditional access policy of the tenant asks for more than an application can show (a claims challenge).",
            remedy="An administrator of Microsoft 365 excludes our application from the policy. Waiting does not help.",
            **facts,
        )
    return Stop(
        f"Microsoft 365 no longer accepts our sign-in ({facts['code']}).",
        remedy="An administrator tests the connection; if it fails, renews the credential or the consent. Waiting does not help.",
        **facts,
    )


REMEDIES: Mapping[tuple[int, str], str] = {
    (
        400,
        "",
    ): "The value is not acceptable to Microsoft; correct it in the register or the profile. Waiting does not help.",
    (403, "Authorization_RequestDenied"): (
        "Either the application lacks a permission (an administrator grants it), or the account holds an administrator role "
        "and is not changed by applications. Waiting does not help."
    ),
    (403, ""): "An administrator has to allow it at Microsoft. Waiting does not help.",
    (404, ""): "The object is no longer there; the next synchronization looks again.",
}
"""What the office can do, by status and code; an empty code serves all others of that status."""
