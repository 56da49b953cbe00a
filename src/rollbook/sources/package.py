"""Opens a delivery: a folder or a zip of CSV files, one wrapping folder tolerated. Knows files, not what stands in them."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rollbook.errors import DeliveryRefused

LARGEST = 2 * 1024**3
"""Bytes a package may unpack to; a district's roster is far below, a zip bomb far above."""


@dataclass(frozen=True, slots=True)
class Package:
    """The CSV files of a delivery by name, as bytes without a byte order mark."""

    name: str
    files: dict[str, bytes]


def open_package(path: Path) -> Package:
    """The package at `path`. Raises DeliveryRefused if there is none, or it cannot be read."""
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        raise DeliveryRefused(
            f"There is nothing at {path}.", remedy="Name the folder or zip your school's system wrote."
        )
    if zipfile.is_zipfile(path):
        return _zip(path)
    raise DeliveryRefused(f"{path} is neither a folder nor a zip.", remedy="Name a OneRoster folder, or a zip of one.")


def _folder(path: Path) -> Package:
    found = {entry.name: entry for entry in sorted(path.iterdir()) if entry.suffix == ".csv" and entry.is_file()}
    inner = [entry for entry in path.iterdir() if entry.is_dir()]
    if not found and len(inner) == 1:
        return _folder(inner[0])
    return Package(path.name, {name: _plain(entry.read_bytes()) for name, entry in found.items()})


def _zip(path: Path) -> Package:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [e for e in archive.infolist() if not e.is_dir() and not e.filename.startswith("__MACOSX/")]
            if sum(entry.file_size for entry in entries) > LARGEST:
                raise DeliveryRefused(
                    f"{path} would unpack to more than {LARGEST // 1024**3} GB, which no roster is.",
                    remedy="Check what wrote the file.",
                )
            paths = {entry.filename: PurePosixPath(entry.filename.replace("\\", "/")) for entry in entries}
            folders = {parts.parent for parts in paths.values() if parts.suffix == ".csv"}
            if len(folders) > 1 or any(len(folder.parts) > 1 for folder in folders):
                raise DeliveryRefused(
                    f"The files of {path} lie in several folders.", remedy="Put all CSV files side by side."
                )
            files = {
                paths[entry.filename].name: _plain(archive.read(entry))
                for entry in entries
                if paths[entry.filename].suffix == ".csv"
            }
    except (zipfile.BadZipFile, RuntimeError, EOFError, NotImplementedError, OSError) as error:
        raise DeliveryRefused(f"The zip {path} cannot be read: {error}.", remedy="Export it again.") from error
    return Package(path.name, files)


def _plain(content: bytes) -> bytes:
    return content.removeprefix(b"\xef\xbb\xbf")
