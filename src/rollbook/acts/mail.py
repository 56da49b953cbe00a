"""E-mail: the mail server as the environment names it, messages made of notices, and sending them over one connection.

ROLLBOOK_SMTP_URL is smtps://NAME:PASSWORD@HOST (from the first byte encrypted, port 465), smtp+starttls://... (port 587) or
smtp://HOST (not encrypted, port 25); ROLLBOOK_MAIL_FROM is who the mails are from.
"""

from __future__ import annotations

import os
import smtplib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.validators import validate_email
from django.template.loader import render_to_string

from rollbook.errors import InputRefused
from rollbook.graph.transport import require_safe

SECONDS = 10
"""How long the mail server may take for one step."""

SCHEMES = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
EXAMPLE = "smtps://NAME:PASSWORD@mail.school.example"
UNSET = "No e-mail is sent: ROLLBOOK_SMTP_URL and ROLLBOOK_MAIL_FROM are not both set."


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server, and who the mails are from."""

    scheme: str
    host: str
    port: int
    name: str
    password: str
    sender: str


@dataclass(frozen=True, slots=True)
class Message:
    """A mail to one address. `id` is the same however often it is sent, so that a mailbox can tell a repetition."""

    address: str
    subject: str
    text: str
    html: str
    id: str


def server() -> Server | None:
    """The mail server of the environment; None if none is named. Raises InputRefused if what is named cannot be one."""
    address, sender = os.environ.get("ROLLBOOK_SMTP_URL", ""), os.environ.get("ROLLBOOK_MAIL_FROM", "")
    if not address or not sender:
        return None
    try:
        parts = urlsplit(address)
        port = parts.port
        validate_email(sender)
    except ValueError:
        raise _unusable("ROLLBOOK_SMTP_URL is no address.") from None
    except ValidationError:
        raise InputRefused(
            "ROLLBOOK_MAIL_FROM is no e-mail address.", remedy="Write it as rollbook@school.example."
        ) from None
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise _unusable("ROLLBOOK_SMTP_URL names no mail server.")
    found = Server(
        parts.scheme,
        parts.hostname,
        port or SCHEMES[parts.scheme],
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        sender,
    )
    if found.scheme == "smtp" and found.password:
        _require_on_this_machine(found)
    return found


def _require_on_this_machine(found: Server) -> None:
    """A password is sent over no network that is not encrypted."""
    host = f"[{found.host}]" if ":" in found.host else found.host
    try:
        require_safe(f"http://{host}")
    except InputRefused:
        raise _unusable("ROLLBOOK_SMTP_URL would send its password unencrypted.") from None


def _unusable(said: str) -> InputRefused:
    return InputRefused(said, remedy=f"Write it as {EXAMPLE}, or with smtp+starttls:// instead.")


def rendered(address: str, subject: str, content: dict[str, Any], name: str) -> Message:
    """A message from the templates notices/mail.txt and mail.html; its subject is one line."""
    return Message(
        address,
        " ".join(subject.split()),
        render_to_string("notices/mail.txt", content),
        render_to_string("notices/mail.html", content),
        name,
    )


def send(through: Server, messages: Sequence[Message], may_go_on: Callable[[], bool] = lambda: True) -> dict[str, str]:
    """What came of the message to each address: empty if the mail server took it, else why not, in words.

    Messages for which there was no time, as `may_go_on` says, are missing.
    """
    connection = get_connection(
        "django.core.mail.backends.smtp.EmailBackend",
        host=through.host,
        port=through.port,
        username=through.name,
        password=through.password,
        use_tls=through.scheme == "smtp+starttls",
        use_ssl=through.scheme == "smtps",
        timeout=SECONDS,
    )
    outcome: dict[str, str] = {}
    try:
        connection.open()
        for message in messages:
            if not may_go_on():
                break
            outcome[message.address] = _send(through, connection, message)
    except (OSError, smtplib.SMTPException) as error:
        # Nothing goes through this connection any more: all that is left has the same reason.
        outcome |= {message.address: _said(error) for message in messages if message.address not in outcome}
    finally:
        connection.close()
    return outcome


def _send(through: Server, connection: Any, message: Message) -> str:
    mail = EmailMultiAlternatives(
        message.subject,
        message.text,
        through.sender,
        [message.address],
        headers={
            "Message-ID": f"<{message.id}@{through.sender.rpartition('@')[2]}>",
            "Auto-Submitted": "auto-generated",
        },
        connection=connection,
    )
    mail.attach_alternative(message.html, "text/html")
    try:
        mail.send()
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        return _said(error)
    return ""


def _said(error: Exception) -> str:
    """A failure in words, without what a mail server says of people."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()))[0] if error.recipients else 0
        return f"the mail server refused the address ({code})"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "the mail server refused our name or password"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answered {error.smtp_code}"
    if isinstance(error, TimeoutError):
        return f"the mail server did not answer within {SECONDS} seconds"
    return f"the mail server cannot be used ({type(error).__name__})"
