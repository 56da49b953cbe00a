"""The scenarios cover the configuration page: every sentence has a line, every line a scenario or the reason why not yet."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from tests.scenarios.page import ENTRIES, FIRST_HALF, SECTIONS, Entry, section
from tools import coverage
from tools.coverage import Proof, faults, sentences


@pytest.fixture(scope="module")
def page(shared: Path) -> str:
    """The configuration page, where it is at hand."""
    path = shared / "reference" / "classter-m365-page.txt"
    if not path.is_file():
        pytest.skip("the configuration page is not among the shared reference data")
    return path.read_text(encoding="utf-8")


def test_every_sentence_and_control_of_the_page_has_a_line(page: str):
    assert coverage.uncovered(page) == []


def test_no_line_stands_for_something_the_page_does_not_say_any_more(page: str):
    assert coverage.outlived(page) == []


def test_lines_stand_in_the_pages_order(page: str):
    assert coverage.disordered(page) == []


def test_lines_are_told_in_words_of_our_own(page: str):
    assert coverage.borrowed(page) == []


def test_a_sentence_that_is_new_on_the_page_or_gone_from_it_is_found(page: str):
    kept, *_ = page.partition("Concluding the configuration")

    assert coverage.uncovered(page + "\nA new sentence stands here.")[0].endswith("A new sentence stands here.")
    concluding = {name for entry in ENTRIES if entry.section == "Concluding" for name in entry.sentences}
    assert concluding <= set(coverage.outlived(kept))


def test_lines_and_scenarios_fit():
    assert faults(ENTRIES, coverage.proofs()) == []


def test_every_line_of_the_first_half_has_a_scenario_or_is_the_interfaces_or_another_issues():
    kinds = {entry.id: entry.kind for entry in ENTRIES if entry.section in FIRST_HALF}

    assert [name for name, kind in kinds.items() if not re.fullmatch(r"rule|interface|issue [0-9]+", kind)] == []


def test_the_page_in_the_documentation_is_up_to_date():
    assert coverage.PAGE.read_text(encoding="utf-8") == coverage.rendered(), "run: python -m tools.coverage"


def test_ids_are_given_once_and_count_up():
    ids = [re.fullmatch(r"P(\d+)([a-z]?)", entry.id) for entry in ENTRIES]
    numbers = [(int(found[1]), found[2]) for found in ids if found is not None]

    assert len(numbers) == len(ENTRIES)
    assert all(before < after for before, after in pairwise(numbers))
    assert [n for n, letter in numbers if not letter] == list(range(1, numbers[-1][0] + 1))


def test_every_file_of_scenarios_belongs_to_a_section():
    there = {path.name for path in coverage.SCENARIOS.glob("test_*.py")}

    assert there == {name for part in SECTIONS for name in part.scenarios}


LINES = [Entry("P1", "Here", "abc", "rule", "Something."), Entry("P2", "Here", "abc", "interface", "A button.")]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([Proof("a", ("P1",), None)], []),
        ([], ["P1 has no scenario"]),
        ([Proof("a", ("P1",), None), Proof("b", (), None)], ["b names nothing it proves"]),
        ([Proof("a", ("P1", "P9"), None)], ["a names P9, which is no line"]),
        ([Proof("a", ("P1", "P2"), None)], ["P2 is said to be interface, yet a proves it"]),
    ],
)
def test_what_does_not_fit_is_told(found: list[Proof], said: list[str]):
    assert faults(LINES, found) == said


def test_the_page_names_tests_and_what_is_still_to_come():
    lines = [*LINES, replace(LINES[0], id="P3", kind="issue 6"), replace(LINES[0], id="P4", kind="soon")]
    shown = coverage.rendered(lines, [Proof("test_a.py::test_b", ("P1",), "it is broken")])

    assert "| P1 | Here | Something. | `test_a.py::test_b` (*does not hold yet: it is broken*) |" in shown
    assert "| P2 | Here | A button. | *interface, to come* |" in shown
    assert "| P3 | Here | Something. | *to come with issue 6* |" in shown
    assert "| P4 | Here | Something. | *scenario to come* |" in shown


def test_a_page_is_read_as_sentences_whatever_its_lists_quotes_and_repetitions():
    found = list(sentences("• One: e.g., this. Two?\n1. “Are you sure?”. Yes.\n\n   Yes."))

    assert len(found) == 5
    assert found[4] == f"{found[3]}/2"


def test_a_line_that_is_none_is_refused():
    with pytest.raises(ValueError, match="not a line"):
        section("Here", "", "abc", "P1 | abc | rule")
