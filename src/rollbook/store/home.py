"""Where a Rollbook installation keeps its state on this machine: database, keys, logs. Knows no Django."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet

from rollbook.errors import StoreUnusable


def home() -> Path:
    """The folder of this installation: ROLLBOOK_HOME, else `.rollbook` in the folder the command is started from."""
    return Path(os.environ.get("ROLLBOOK_HOME") or ".rollbook").absolute()


def prepare_home() -> Path:
    """The folder, made readable by its owner only if it was missing."""
    place = home()
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable(
            f"The folder {place} cannot be used: {error.strerror}.",
            remedy="Set ROLLBOOK_HOME to a folder you may write to.",
        ) from error
    return place


def signing_key() -> str:
    """The key that signs sessions; made once."""
    return os.environ.get("ROLLBOOK_SECRET_KEY") or _kept("signing.key", lambda: secrets.token_urlsafe(48))


def encryption_keys() -> list[str]:
    """The keys secrets are encrypted with, the newest first; made once. One a line, so that keys can be rotated."""
    text = os.environ.get("ROLLBOOK_ENCRYPTION_KEYS") or _kept(
        "encryption.keys", lambda: Fernet.generate_key().decode()
    )
    return text.replace(",", "\n").split()


def mark_key() -> str:
    """The key that marks of Microsoft's objects are derived with; made once, never exchanged (docs/decisions/0007-marks.md)."""
    return os.environ.get("ROLLBOOK_MARK_KEY") or _kept("mark.key", lambda: secrets.token_urlsafe(48))


def _kept(name: str, make: Callable[[], str]) -> str:
    """The text of a key file; made with `make` and readable by its owner only if it was missing."""
    path = prepare_home() / name
    if path.exists():
        return path.read_text(encoding="ascii").strip()
    text = make()
    # Written beside and linked into place, so that of two processes starting at once both read the same key.
    draft = path.with_name(f"{name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        text = path.read_text(encoding="ascii").strip()
    finally:
        draft.unlink()
    return text
