"""manifest.csv: which files a OneRoster package announces, and how. It is obeyed; what it announces and is missing refuses the set."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from rollbook.errors import DeliveryRefused

NAME = "manifest.csv"


@dataclass(frozen=True, slots=True)
class Manifest:
    """`version` of OneRoster, and the mode of each file: bulk, delta or absent (blank counts as absent)."""

    version: str
    modes: dict[str, str]
    system: str

    def mode(self, file: str) -> str:
        """How this file was announced; a file the manifest does not name is absent."""
        return self.modes.get(file, "absent")


def read_manifest(content: bytes) -> Manifest:
    """The manifest. Raises DeliveryRefused if it is none, or announces what is not supported yet."""
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DeliveryRefused("manifest.csv is not a CSV file in UTF-8.", remedy="Export the roster again.") from error
    properties = {row[0].strip(): row[1].strip() for row in rows[1:] if len(row) >= 2}
    version = properties.get("oneroster.version", "")
    if not version:
        raise DeliveryRefused("manifest.csv does not name a oneroster.version.", remedy="Export the roster again.")
    modes = {
        f"{key.removeprefix('file.')}.csv": value.lower() or "absent"
        for key, value in properties.items()
        if key.startswith("file.")
    }
    if version != "1.1":
        raise DeliveryRefused(
            f"The package is OneRoster {version}; only 1.1 can be read yet.", remedy="Export OneRoster 1.1 CSV."
        )
    deltas = sorted(file for file, mode in modes.items() if mode == "delta")
    if deltas:
        raise DeliveryRefused(
            f"The package holds changes only (delta: {', '.join(deltas)}); only whole registers can be read yet.",
            remedy="Export in bulk mode.",
        )
    unknown = sorted(f"{file}: {mode}" for file, mode in modes.items() if mode not in ("bulk", "absent"))
    if unknown:
        raise DeliveryRefused(
            f"manifest.csv announces modes nobody knows ({', '.join(unknown)}).", remedy="Use bulk or absent."
        )
    return Manifest(version, modes, properties.get("source.systemName", ""))
