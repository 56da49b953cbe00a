"""Writes docs/coverage-of-the-page.md: for each sentence and control of the configuration page, the scenarios that prove it.

The lines are those of tests/scenarios/page.py; the scenarios are found by reading the test files, without importing them. The
page itself is not part of the project: where its text is at hand, `uncovered`, `outlived`, `disordered` and `borrowed` compare.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.scenarios.page import ENTRIES, FURNITURE, SECTIONS, Entry

ROOT = Path(__file__).parents[1]
SCENARIOS = ROOT / "tests" / "scenarios"
PAGE = ROOT / "docs" / "coverage-of-the-page.md"

LISTED = re.compile(r"^(?:•|\d+\.)\s+")
BETWEEN_SENTENCES = re.compile(r"(?:(?<=[.?])|(?<=[.?]”))\s+(?=[A-Z‘“])")
BORROWED_FROM = 6
"""This many words in a row that are the page's own would be a copy."""

TO_COME = {"interface": "*interface, to come*", "soon": "*scenario to come*"}

HEAD = """# What the page says, and what proves it

One row for each sentence and each control of the page that describes how Microsoft 365 is configured, in the page's order and in
words of our own. An id with a letter is a rule that sharpens the row above it. Each test is a small school, a profile, a tenant
before and a tenant after: its name says what happens, its file is one section of the page, and it runs over an emulated tenant.

This file is generated: `python -m tools.coverage`, from `tests/scenarios/page.py` and the tests that name its rows.

"""


@dataclass(frozen=True, slots=True)
class Proof:
    """A scenario: where it is, which lines it names, and the reason why it is known to fail (None: it holds)."""

    place: str
    ids: tuple[str, ...]
    fails: str | None


def proofs(folder: Path = SCENARIOS) -> list[Proof]:
    """Every test of the scenario files, in their order; `ids` is empty where a test names nothing."""
    files = [folder / name for part in SECTIONS for name in part.scenarios]
    return [proof for file in files for proof in _proofs(file)]


def _proofs(file: Path) -> Iterator[Proof]:
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            calls = {ast.unparse(call.func): call for call in node.decorator_list if isinstance(call, ast.Call)}
            named = calls["proves"].args if "proves" in calls else []
            failing = calls.get("pytest.mark.xfail")
            yield Proof(
                f"tests/scenarios/{file.name}::{node.name}",
                tuple(ast.literal_eval(argument) for argument in named),
                None if failing is None else _reason(failing),
            )


def _reason(call: ast.Call) -> str:
    return next(str(ast.literal_eval(word.value)) for word in call.keywords if word.arg == "reason")


def faults(entries: Sequence[Entry], found: Sequence[Proof]) -> list[str]:
    """What does not fit between the table and the scenarios, each as one sentence."""
    proven = _by_id(found)
    known = {entry.id for entry in entries}
    return [
        *(f"{proof.place} names nothing it proves" for proof in found if not proof.ids),
        *(
            f"{proof.place} names {name}, which is no line"
            for proof in found
            for name in proof.ids
            if name not in known
        ),
        *(f"{entry.id} has no scenario" for entry in entries if entry.kind == "rule" and entry.id not in proven),
        *(
            f"{entry.id} is said to be {entry.kind}, yet {proven[entry.id][0].place} proves it"
            for entry in entries
            if entry.kind != "rule" and entry.id in proven
        ),
    ]


def _by_id(found: Sequence[Proof]) -> Mapping[str, list[Proof]]:
    proven: defaultdict[str, list[Proof]] = defaultdict(list)
    for proof in found:
        for name in proof.ids:
            proven[name].append(proof)
    return dict(proven)


def rendered(entries: Sequence[Entry] = ENTRIES, found: Sequence[Proof] | None = None) -> str:
    """The page as Markdown."""
    proven = _by_id(proofs() if found is None else found)
    rows = [f"| {e.id} | {e.section} | {e.says} | {_cell(e, proven.get(e.id, []))} |" for e in entries]
    table = ["| id | section | what it says | tests |", "|---|---|---|---|", *rows]
    return HEAD + _summary(entries, proven) + "\n\n" + "\n".join(table) + "\n"


def _cell(entry: Entry, found: Sequence[Proof]) -> str:
    if not found:
        return TO_COME.get(entry.kind, f"*to come with {entry.kind}*")
    return "<br>".join(
        f"`{proof.place}`" + (f" (*does not hold yet: {proof.fails}*)" if proof.fails else "") for proof in found
    )


def _summary(entries: Sequence[Entry], proven: Mapping[str, Sequence[Proof]]) -> str:
    counted = Counter("rule" if entry.id in proven else entry.kind for entry in entries)
    failing = sum(1 for found in proven.values() if any(proof.fails for proof in found))
    later = sum(count for kind, count in counted.items() if kind.startswith("issue"))
    return (
        f"Of {len(entries)} rows, {counted['rule']} have tests; in {failing} of these a test is known to fail, and says why. "
        f"{counted['soon']} wait for their first, {counted['interface']} are a matter of the interface, "
        f"{later} come with later issues."
    )


def sentences(text: str) -> dict[str, str]:
    """The page's sentences by fingerprint, in their order; what is written twice is told apart by a number."""
    found: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for line in text.splitlines():
        for sentence in BETWEEN_SENTENCES.split(LISTED.sub("", line.strip())):
            if words(sentence):
                fingerprint = hashlib.sha256(" ".join(words(sentence)).encode()).hexdigest()[:8]
                seen[fingerprint] += 1
                found[fingerprint if seen[fingerprint] == 1 else f"{fingerprint}/{seen[fingerprint]}"] = sentence
    return found


def words(sentence: str) -> list[str]:
    """The words of a sentence, without regard to capitals and punctuation."""
    return re.findall(r"\w+", sentence.casefold())


def _listed() -> set[str]:
    headings = {fingerprint for part in SECTIONS for fingerprint in part.headings}
    return {*FURNITURE, *headings, *(fingerprint for entry in ENTRIES for fingerprint in entry.sentences)}


def uncovered(text: str) -> list[str]:
    """Sentences and controls of the page for which there is no line."""
    return [
        f"{fingerprint}: {sentence}"
        for fingerprint, sentence in sentences(text).items()
        if fingerprint not in _listed()
    ]


def outlived(text: str) -> list[str]:
    """Fingerprints that stand for nothing on the page any more."""
    return sorted(_listed() - sentences(text).keys())


def disordered(text: str) -> list[str]:
    """Lines that do not stand in the page's order."""
    place = {fingerprint: number for number, fingerprint in enumerate(sentences(text))}
    ordered = [entry for entry in ENTRIES if entry.sentences]
    return [
        f"{after.id} stands before {before.id} on the page"
        for before, after in pairwise(ordered)
        if place.get(after.sentences[0], 0) < place.get(before.sentences[0], 0)
    ]


def borrowed(text: str) -> list[str]:
    """Lines that repeat the page's words, BORROWED_FROM of them in a row."""
    theirs = {run for sentence in sentences(text).values() for run in _runs(words(sentence))}
    return [entry.id for entry in ENTRIES if theirs & set(_runs(words(entry.says)))]


def _runs(of: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(of[start : start + BORROWED_FROM]) for start in range(len(of) - BORROWED_FROM + 1))


def main() -> int:
    """Write the page, and print what does not fit; 0 if everything does."""
    found = proofs()
    PAGE.write_text(rendered(found=found), encoding="utf-8")
    wrong = faults(ENTRIES, found)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
