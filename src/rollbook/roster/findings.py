"""Findings: what is noteworthy or wrong in a delivery, as values. A finding never stops anything by itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Severity(StrEnum):
    """NOTE: worth knowing. WARNING: accepted, but somebody should look. REJECTED: this row is left out. REFUSED: the whole set is."""

    NOTE = "note"
    WARNING = "warning"
    REJECTED = "rejected"
    REFUSED = "refused"


class Verdict(StrEnum):
    """What becomes of a delivery as a whole."""

    USABLE = "usable"
    WITH_REJECTS = "usable-with-rejects"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Finding:
    """What, where, why and what to do. `line` 0 and `column` "" mean the file as a whole; `count` > 1 sums equal findings."""

    severity: Severity
    code: str
    file: str
    line: int
    column: str
    value: str
    message: str
    remedy: str
    count: int = 1

    def as_json(self) -> dict[str, object]:
        """The finding as `rollbook check --json` prints it."""
        return {**asdict(self), "severity": self.severity.value}


@dataclass(frozen=True, slots=True)
class FileCount:
    """Rows of one file; read = accepted + rejected, always."""

    read: int
    accepted: int
    rejected: int
