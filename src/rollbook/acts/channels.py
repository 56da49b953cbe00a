"""Who is told of an institute's notices, and how: e-mail addresses, a daily digest, a webhook and the secret that signs for it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from rollbook.acts.actor import require
from rollbook.acts.notices import WEBHOOK, Kind, cause_of, end_undelivered
from rollbook.acts.profiles import Author
from rollbook.acts.webhooks import SECRET_PREFIX
from rollbook.apply.approval import Role
from rollbook.errors import InputRefused
from rollbook.graph.transport import require_safe
from rollbook.store import outbox
from rollbook.store.models import Institute, NoticeChannel, NoticeMail
from rollbook.store.vault import Vault

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be set; None leaves it as it is. `webhook` "" ends it; a new address, or `new_secret`, gets a new secret."""

    addresses: Sequence[str] | None = None
    digest: bool | None = None
    digest_hour: int | None = None
    late_after: int | None = None
    webhook: str | None = None
    new_secret: bool = False


def channel_of(institute: Institute) -> NoticeChannel:
    """How the institute is told; nobody and nowhere, unsaved, where nothing was ever set."""
    return NoticeChannel.objects.filter(institute=institute).first() or NoticeChannel(institute=institute)


def set_channel(institute: Institute, wanted: Wanted, author: Author) -> tuple[NoticeChannel, str]:
    """The settings as they are from now on; and the webhook's secret if it is new, which is never shown again.

    Raises InputRefused, with nothing changed, if something of it cannot be. Only an institute administrator may.
    """
    require(author.actor, Role.INSTITUTE_ADMIN, "say who is told of notices")
    _check(wanted)
    with transaction.atomic():
        channel, _ = NoticeChannel.objects.select_for_update().get_or_create(institute=institute)
        if wanted.addresses is not None:
            before, channel.addresses = channel.addresses, sorted({address.strip() for address in wanted.addresses})
            NoticeMail.objects.filter(notice__institute=institute).exclude(address__in=channel.addresses).delete()
            for address in set(before) - set(channel.addresses):
                end_undelivered(institute, Kind.MAIL_UNDELIVERED, cause_of(address), author.clock)
        for name in ("digest", "digest_hour", "late_after"):
            value = getattr(wanted, name)
            if value is not None:
                setattr(channel, name, value)
        if wanted.webhook is not None and wanted.webhook.strip() != channel.webhook:
            end_undelivered(institute, Kind.WEBHOOK_UNDELIVERED, WEBHOOK, author.clock)
        secret = _set_webhook(channel, wanted)
        channel.save()
        author.note(
            institute,
            "notices.set",
            {
                "mails": len(channel.addresses),
                "digest": channel.digest,
                "late_after": channel.late_after,
                "webhook": urlsplit(channel.webhook).hostname or "",
                "new_secret": bool(secret),
            },
        )
    return channel, secret


def _set_webhook(channel: NoticeChannel, wanted: Wanted) -> str:
    """The new secret, if there is one."""
    address = channel.webhook if wanted.webhook is None else wanted.webhook.strip()
    moved = address != channel.webhook
    if moved:
        # A receiver is told what happens from now on, not all that ever happened.
        channel.webhook, channel.told = address, outbox.newest(channel.institute_id)
        channel.failing_since, channel.failures, channel.retry_at, channel.problem = None, 0, None, ""
    if not address:
        channel.secret, channel.key_id = None, ""
        return ""
    if not moved and not wanted.new_secret:
        return ""
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    vault = Vault()
    channel.secret, channel.key_id = vault.encrypt(secret), vault.key_id
    return secret


def _check(wanted: Wanted) -> None:
    for address in wanted.addresses or ():
        try:
            validate_email(address.strip())
        except ValidationError:
            raise InputRefused(
                f"{address!r} is not an e-mail address.", remedy="Write it as office@school.example."
            ) from None
    if wanted.digest_hour is not None and not 0 <= wanted.digest_hour <= 23:
        raise InputRefused("The hour of the digest is between 0 and 23.", remedy="Say for example --hour 7.")
    if wanted.late_after is not None and not 0 <= wanted.late_after <= 365:
        raise InputRefused("The days without a delivery are between 0 (never told) and 365.")
    if wanted.webhook:
        _check_webhook(wanted.webhook.strip())


def _check_webhook(address: str) -> None:
    """Raises InputRefused unless it is an https address, or one on this machine, that holds no password."""
    require_safe(address)
    parts = urlsplit(address)
    if not parts.hostname or len(address) > 500:
        raise InputRefused(f"{address!r} is not an address of a webhook.", remedy="Write it as https://host/path.")
    if parts.username or parts.password:
        raise InputRefused(
            "The address of the webhook holds a name or a password, which would be shown and logged.",
            remedy="Leave it out: each message is signed, so the receiver can tell that it is ours.",
        )
