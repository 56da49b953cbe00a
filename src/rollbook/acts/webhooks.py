"""One message to a webhook: made, signed as Standard Webhooks says (https://www.standardwebhooks.com), sent once.

Knows no database. The receiver's answer is its status alone: what it says besides is not read.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3

from rollbook import __version__
from rollbook.graph.transport import require_safe

SECRET_PREFIX = "whsec_"  # noqa: S105 - what stands before a secret, as Standard Webhooks writes it
CONNECT_SECONDS, READ_SECONDS = 5.0, 10.0


@dataclass(frozen=True, slots=True)
class Event:
    """What a webhook is told. `id` is the same however often it is sent, so that a receiver can tell a repetition."""

    id: str
    topic: str
    institute: str
    sequence: int
    at: dt.datetime
    payload: Mapping[str, Any]

    def body(self) -> bytes:
        """The message as it is sent and signed."""
        document = {
            "id": self.id,
            "type": self.topic,
            "timestamp": self.at.astimezone(dt.UTC).isoformat(timespec="seconds"),
            "institute": self.institute,
            "sequence": self.sequence,
            "data": dict(self.payload),
        }
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def signature(secret: str, message: str, timestamp: int, body: bytes) -> str:
    """What the header webhook-signature holds: HMAC-SHA256 over id, timestamp and body, by the secret behind its prefix."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def send(address: str, secret: str, event: Event, now: dt.datetime) -> str:
    """Empty if the receiver took the event; else what came of it, in words. Ends within some seconds, whatever the receiver does."""
    require_safe(address)
    body, timestamp = event.body(), int(now.timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Rollbook/{__version__}",
        "webhook-id": event.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, event.id, timestamp, body),
    }
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    try:
        with urllib3.PoolManager(retries=False, timeout=timeout) as pool:
            answer = pool.request("POST", address, body=body, headers=headers, redirect=False, preload_content=False)
            status = answer.status
            answer.close()
    except urllib3.exceptions.TimeoutError:
        return f"no answer within {CONNECT_SECONDS:g} to {READ_SECONDS:g} seconds"
    except urllib3.exceptions.HTTPError as error:
        return f"nothing answers ({type(error).__name__})"
    return "" if 200 <= status < 300 else f"answered {status}"
