"""OneRoster 1.1 CSV, bulk -> Roster. Source: roster-formats.md sections 1 and 2."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl

from rollbook.errors import DeliveryRefused
from rollbook.roster.checks import check
from rollbook.roster.findings import FileCount, Finding, Severity
from rollbook.roster.former import Former
from rollbook.roster.tables import Roster
from rollbook.sources.assemble import TABLE_FILES, assemble
from rollbook.sources.columns import FILES, POLITELY_IGNORED, FileSpec
from rollbook.sources.decode import decode
from rollbook.sources.manifest import NAME as MANIFEST
from rollbook.sources.manifest import Manifest, read_manifest
from rollbook.sources.package import Package
from rollbook.sources.validate import Rejections, follow, validate

FORMAT = "oneroster-1.1-csv"


@dataclass(frozen=True, slots=True)
class Decoded:
    """The accepted rows of each file, the counts of all files, and what was found."""

    rows: Mapping[str, pl.DataFrame]
    counts: Mapping[str, FileCount]
    findings: list[Finding]


def recognises(package: Package) -> bool:
    """Whether this is a OneRoster package: by its manifest, else by the columns of users.csv (section 8)."""
    if MANIFEST in package.files:
        return True
    header = package.files.get("users.csv", b"").partition(b"\n")[0]
    return b"enabledUser" in header and b"orgSourcedIds" in header


def decode_package(package: Package) -> Decoded:
    """All files of the package, row by row accepted or rejected. Raises DeliveryRefused if the set cannot be used."""
    findings: list[Finding] = []
    manifest = _manifest(package, findings)
    _require_announced(package, manifest)
    accepted: dict[str, pl.DataFrame] = {}
    rows: dict[str, pl.DataFrame] = {}
    counts: dict[str, FileCount] = {}
    with ThreadPoolExecutor(2) as pool:
        # Each file by itself is read beside the others, the largest first, so that no thread ends up waiting for it;
        # references go in order, for they lead to the files before.
        largest_first = sorted(FILES.values(), key=lambda spec: -len(package.files[spec.name]))
        reading = {spec.name: pool.submit(_file, package, spec) for spec in largest_first}
        for name in FILES:
            cells, broken, read, found = reading[name].result()
            kept = follow(cells, found, accepted)
            findings += [*broken, *found.findings]
            rows[name] = kept
            counts[name] = FileCount(read, kept.height, read - kept.height)
    _count_ignored(package, manifest, counts, findings)
    return Decoded(rows, counts, findings)


def _file(package: Package, spec: FileSpec) -> tuple[pl.DataFrame, list[Finding], int, Rejections]:
    """The rows of one file whose own cells are right, findings of what are no rows, how many rows were read, what was wrong."""
    cells, broken, read = decode(spec, package.files[spec.name])
    rows, found = validate(spec, cells)
    return rows, broken, read, found


def read_roster(
    decoded: Decoded, institute: str | None, known: Callable[[str], Former]
) -> tuple[Roster, list[Finding]]:
    """The Roster of one institute, and the findings across its records. Raises DeliveryRefused if nobody is left in it.

    `known` tells what was known of the institute before, by its sourced id.
    """
    roster, findings = assemble(decoded.rows, institute, known)
    if roster.people.is_empty():
        raise DeliveryRefused(
            "No person could be accepted, so the register would be empty.",
            remedy="Look at the findings above; nothing was changed.",
        )
    return roster, [*findings, *check(roster, TABLE_FILES)]


def _manifest(package: Package, findings: list[Finding]) -> Manifest | None:
    content = package.files.get(MANIFEST)
    if content is not None:
        return read_manifest(content)
    findings.append(
        Finding(
            Severity.WARNING,
            "no-manifest",
            MANIFEST,
            0,
            "",
            "",
            "There is no manifest.csv; the columns look like OneRoster 1.1, so all files are read in bulk.",
            "Export the package with its manifest.",
        )
    )
    return None


def _require_announced(package: Package, manifest: Manifest | None) -> None:
    """Files that are needed must be there, whatever the manifest says; so must all that it announces."""
    needed = [name for name, spec in FILES.items() if spec.required]
    missing = [name for name in needed if name not in package.files or (manifest and manifest.mode(name) == "absent")]
    if missing:
        raise DeliveryRefused(
            f"The package lacks {', '.join(missing)}, without which a register is not whole.",
            remedy="Export all of: " + ", ".join(needed) + "; the manifest has to announce them as bulk.",
        )
    announced = [name for name, mode in (manifest.modes if manifest else {}).items() if mode == "bulk"]
    lost = [name for name in announced if name not in package.files]
    if lost:
        raise DeliveryRefused(
            f"manifest.csv announces {', '.join(lost)}, which is not in the package.",
            remedy="Export the package again.",
        )


def _count_ignored(
    package: Package, manifest: Manifest | None, counts: dict[str, FileCount], findings: list[Finding]
) -> None:
    """Files that are not needed count as accepted, since nothing of theirs was refused."""
    for name in sorted(package.files.keys() - FILES.keys() - {MANIFEST}):
        content = package.files[name]
        rows = max(0, content.count(b"\n") + (0 if content.endswith(b"\n") else 1) - 1)
        known = name in POLITELY_IGNORED
        if known and (manifest is None or manifest.mode(name) == "bulk"):
            counts[name] = FileCount(rows, rows, 0)
        why = "is not needed for a register" if known else "is not a file of the format"
        if known and manifest is not None and manifest.mode(name) == "absent":
            why = "is there although the manifest calls it absent"
        findings.append(
            Finding(Severity.NOTE, "file-not-needed", name, 0, "", "", f"{name} {why}; it was not read.", "")
        )
