"""The house's own checks find what they are for: each is shown a planted breach."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tools.leaks import traces
from tools.links import broken
from tools.sizes import faults

ROOT = Path(__file__).parents[2]


def planted(tmp_path: Path, text: str, name: str = "module.py") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f():\n" + "    x = 1\n" * 81, "80 at most"),
        ("x = 1\n" * 501, "500 at most"),
        ("def read_data():\n    return 1\n", "says nothing"),
        ("class RosterManager:\n    pass\n", "says nothing"),
        ("try:\n    x = 1\nexcept ValueError:\n    pass\n", "swallowed"),
        ("x = 1  # TO" + "DO later\n", "unfinished"),
    ],
)
def test_a_breach_of_sizes_and_words_is_found(tmp_path: Path, text: str, said: str):
    assert said in "".join(faults(planted(tmp_path, text)))


def test_good_code_is_left_alone(tmp_path: Path):
    assert list(faults(planted(tmp_path, "def names(roster):\n    return sorted(roster)\n"))) == []


def test_traces_of_an_index_or_a_machine_are_found(tmp_path: Path):
    found = list(traces(planted(tmp_path, "a = 1\nurl = 'https://pypi" + ".org/simple'\npath = '/ro" + "ot/x'\n")))

    assert len(found) == 2
    assert found[0].endswith("pypi" + ".org")


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path):
    page = planted(tmp_path, "[here](page.md) and [there](missing.md) and [far](https://x.example)\n", "page.md")

    assert [line.partition(": ")[2] for line in broken(page)] == ["missing.md"]


def test_lock_files_hold_hashes_and_no_address():
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text


def test_a_breach_of_the_import_contracts_is_found(tmp_path: Path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", copy)
    pure = copy / "src" / "rollbook" / "plan" / "naming.py"
    pure.write_text(
        pure.read_text(encoding="utf-8") + "\nimport requests\nfrom rollbook.graph import writer\n", encoding="utf-8"
    )
    command = [
        sys.executable,
        "-c",
        "import sys; sys.path.insert(0, 'src'); from importlinter.cli import lint_imports_command as c; c()",
    ]

    ran = subprocess.run([*command, "--no-cache"], cwd=copy, capture_output=True, text=True, check=False)

    assert ran.returncode != 0
    assert "BROKEN" in ran.stdout
