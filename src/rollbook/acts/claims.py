"""Claim codes: made for passwords that wait, exchanged once for the password. Guessing is counted in the database.

A code is good before its file is there, so that no file holds one that means nothing; of a code only a keyed hash is kept. What
is unknown, expired or used is answered alike, so that nobody learns which codes there are.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction

from rollbook.acts.actor import Actor
from rollbook.acts.passwords import Handed, Request, changed_meanwhile, pdf, ready
from rollbook.acts.profiles import Author
from rollbook.clock import Clock
from rollbook.errors import InputRefused
from rollbook.handover import slip as slips
from rollbook.handover.codes import beginning, canonical, claim_code
from rollbook.handover.file import draft
from rollbook.handover.sheet import Paper
from rollbook.handover.slip import Undrawable
from rollbook.store import passwords as stored
from rollbook.store.models import ClaimAttempt, ClaimCode, Link
from rollbook.store.vault import Vault

VALID_DAYS = 30
LONGEST = 365

PER_MINUTE = 60
"""Wrong codes the whole installation takes in a minute; beyond that, nobody's is looked at."""

PER_BEGINNING = 5
"""Wrong codes of one beginning within BEGINNING_PERIOD; a person who mistypes needs fewer."""

MINUTE = dt.timedelta(minutes=1)
BEGINNING_PERIOD = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a claim code was exchanged for."""

    user_name: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Terms:
    """Until when codes are good, and where they are exchanged, as it stands on their slips."""

    days: int = VALID_DAYS
    where: str = "at the school office"

    def __post_init__(self) -> None:
        """Refuse a validity that makes no sense."""
        if not 1 <= self.days <= LONGEST:
            raise InputRefused(
                f"A code is good for 1 to {LONGEST} days, not {self.days}.", remedy="Choose another number."
            )


def make_codes(request: Request, path: Path, terms: Terms, paper: Paper = Paper.A4) -> Handed:
    """A file of claim codes, PDF or CSV by its name, for everybody who is meant; earlier codes of theirs are void."""
    if path != Path("-") and path.suffix.lower() not in (".pdf", ".csv"):
        raise InputRefused(f"{path} is neither a PDF nor a CSV file.", remedy="Name it FILE.pdf or FILE.csv.")
    meant, now = ready(request), request.author.clock.now()
    until = request.day + dt.timedelta(days=terms.days)
    codes = {secret: claim_code() for secret in meant.secrets}
    undrawable: list[Undrawable] = []
    if path.suffix.lower() == ".pdf":
        wording = slips.claim_codes(terms.where, until, request.day)
        content, undrawable = pdf(meant, codes, request, wording, paper)
    else:
        content = meant.table(codes, "code", "valid_until", more=(until.isoformat(),))
    written = draft(path, content)
    try:
        with transaction.atomic():
            _keep(codes, now, now + dt.timedelta(days=terms.days))
            note = {"count": len(codes), "links": meant.links, "until": until.isoformat()}
            request.author.note(request.institute, "passwords.codes_made", note)
    except BaseException:
        written.discard()
        raise
    written.publish()
    return meant.handed(undrawable)


def _keep(codes: dict[int, str], now: dt.datetime, until: dt.datetime) -> None:
    if stored.still_waiting(list(codes)) != len(codes):
        raise changed_meanwhile()
    vault = Vault()
    digests = [(secret, vault.digests(canonical(code) or "")[0]) for secret, code in codes.items()]
    stored.keep_codes(digests, now, until)


def redeem(typed: str, actor: Actor, clock: Clock) -> Redeemed:
    """User name and password for a code; both the code and the password are gone afterwards.

    Raises InputRefused with the same sentence whether the code is unknown, expired or used, and with another after too many
    wrong ones.
    """
    code, vault, now = canonical(typed), Vault(), clock.now()
    attempt = _counted(vault.digests(beginning(code))[0], now)
    with transaction.atomic():
        claim = stored.claimed(vault.digests(code), now) if code else None
        if claim is not None:
            redeemed = _exchanged(claim, vault)
            _remember(claim, Author(actor, clock))
            attempt.delete()
            return redeemed
    raise InputRefused(
        "This code is not good, or not any more.", remedy="Look at it again, letter by letter; or ask for a new one."
    )


def _counted(start: str, now: dt.datetime) -> ClaimAttempt:
    """The attempt, counted as a wrong one until it proves right. Raises InputRefused if there were too many."""
    attempt = stored.counted(start, now, BEGINNING_PERIOD)
    beyond = stored.attempts(now - MINUTE) > PER_MINUTE
    if beyond or stored.attempts(now - BEGINNING_PERIOD, start) > PER_BEGINNING:
        # It is not looked at, so it does not count: else nobody would ever get in again while somebody goes on guessing.
        attempt.delete()
        raise InputRefused("There were too many wrong codes.", remedy="Wait an hour, or ask for a new code.")
    return attempt


def _exchanged(claim: ClaimCode, vault: Vault) -> Redeemed:
    secret, link = claim.secret, _link(claim).pk
    names = stored.user_names(secret.tenant, [link])
    if link not in names or stored.being_changed(link):
        raise InputRefused("This password is being changed at this moment.", remedy="Try again later.")
    return Redeemed(names[link], vault.decrypt(secret.ciphertext))


def _remember(claim: ClaimCode, author: Author) -> None:
    link = _link(claim)
    stored.forget([claim.secret_id])
    author.note(link.institute, "passwords.claimed", {"links": [link.pk]})


def _link(claim: ClaimCode) -> Link:
    """Whose password it is; a first password always is somebody's."""
    link = claim.secret.link
    assert link is not None
    return link
