"""THE SCHOOL'S RECORDS -> roster: one module a format, one table of formats. Rows remember their line; nothing is lost unsaid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rollbook.errors import DeliveryRefused
from rollbook.roster.findings import FileCount, Finding, Severity, Verdict
from rollbook.roster.former import Former, Recall, nothing_known
from rollbook.roster.tables import Roster
from rollbook.sources import grouping, oneroster, sessions
from rollbook.sources.package import Package, open_package


@dataclass(frozen=True, slots=True)
class Format:
    """A roster format: how it is recognised, decoded and read."""

    name: str
    recognises: Callable[[Package], bool]
    decode: Callable[[Package], oneroster.Decoded]
    read: Callable[[oneroster.Decoded, str | None, Callable[[str], Former]], tuple[Roster, list[Finding]]]


FORMATS: tuple[Format, ...] = (
    Format(oneroster.FORMAT, oneroster.recognises, oneroster.decode_package, oneroster.read_roster),
)


COMPARED = frozenset({sessions.REUSED, grouping.REGROUPED})
"""Codes of findings that come from what was known before, so that only an import makes them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of a delivery: `roster` is None exactly if it was refused. Rows read = accepted + rejected, per file."""

    format: str
    verdict: Verdict
    files: Mapping[str, FileCount]
    findings: tuple[Finding, ...]
    roster: Roster | None


def read(path: Path, *, institute: str | None = None, recall: Recall = nothing_known) -> Reading:
    """The delivery at `path`, a folder or zip. Never raises for what is wrong with it: the findings say it.

    `recall` tells what was known of an institute before: groups of classes stay, school years under a used id are told apart.
    """
    kind, files, findings = "", {}, []
    try:
        package = open_package(path)
        form = _recognised(package)
        kind = form.name
        decoded = form.decode(package)
        files, findings = dict(decoded.counts), list(decoded.findings)
        roster, across = form.read(decoded, institute, partial(recall, kind))
    except DeliveryRefused as refusal:
        findings.append(_refusal(path, refusal))
        return Reading(kind, Verdict.REFUSED, files, tuple(findings), None)
    findings += across
    rejected = any(count.rejected for count in files.values())
    verdict = Verdict.WITH_REJECTS if rejected else Verdict.USABLE
    return Reading(kind, verdict, files, tuple(findings), roster)


def _recognised(package: Package) -> Format:
    if not package.files:
        raise DeliveryRefused(f"{package.name} holds no CSV files.", remedy="Name a OneRoster folder or zip.")
    for form in FORMATS:
        if form.recognises(package):
            return form
    raise DeliveryRefused(
        f"{package.name} is not a roster format Rollbook can read: {', '.join(sorted(package.files))}.",
        remedy="Export OneRoster 1.1 CSV in bulk mode; other formats are not supported yet.",
    )


def _refusal(path: Path, refusal: DeliveryRefused) -> Finding:
    return Finding(Severity.REFUSED, "refused", path.name, 0, "", "", refusal.message, refusal.remedy)


def summed(findings: Sequence[Finding], examples: int = 3) -> list[Finding]:
    """Equal findings (severity, code, file, column) summed: the first `examples` of each, the last with the count of the rest."""
    alike: defaultdict[tuple[str, str, str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        alike[finding.severity, finding.code, finding.file, finding.column].append(finding)
    shown: list[Finding] = []
    for kind in alike.values():
        first, rest = kind[:examples], kind[examples:]
        shown += first[:-1]
        shown.append(replace(first[-1], count=first[-1].count + sum(finding.count for finding in rest)))
    return shown
