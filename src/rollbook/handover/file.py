"""Files that hold secrets: written whole or not at all, readable by their owner only, never in place of another."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rollbook.errors import InputRefused


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that is written and safe on the disk beside its place, and not there yet."""

    path: Path
    beside: Path

    def publish(self) -> None:
        """Put the file in its place. Raises InputRefused, with the draft removed, if something came there meanwhile."""
        try:
            self._put()
        except FileExistsError:
            raise _taken(self.path) from None
        except OSError as error:
            raise _unwritable(self.path, error) from error
        finally:
            self.discard()
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _put(self) -> None:
        try:
            os.link(self.beside, self.path)
        except FileExistsError:
            raise
        except OSError:
            # A stick or share without hard links: the look before is all that keeps another file from being replaced.
            if self.path.exists():
                raise FileExistsError(self.path) from None
            self.beside.replace(self.path)

    def discard(self) -> None:
        """Remove the draft, if it is still there."""
        self.beside.unlink(missing_ok=True)


def draft(path: Path, content: bytes) -> Draft:
    """The content on the disk beside `path`. Raises InputRefused if the path is taken or cannot be written, or is no file."""
    if path == Path("-"):
        # What is handed over is gone from the store; what is written into a pipe that breaks would be gone from everywhere.
        raise InputRefused(
            "Passwords and codes are not written to standard output, where they could be lost or be read by others.",
            remedy="Name a file; nothing was handed over.",
        )
    if path.exists():
        raise _taken(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        beside.unlink()
        raise _unwritable(path, error) from error
    return Draft(path, beside)


def _taken(path: Path) -> InputRefused:
    return InputRefused(
        f"There is a file {path} already; it may be the only copy of passwords that were handed over.",
        remedy="Choose another name, or move that file away.",
    )


def _unwritable(path: Path, error: OSError) -> InputRefused:
    return InputRefused(f"{path} cannot be written: {error.strerror}.", remedy="Choose a folder you may write to.")
