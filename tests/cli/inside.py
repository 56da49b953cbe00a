"""The command line inside this process, so that it meets the test's own store and emulated tenant."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import pytest
from typer.testing import CliRunner

from rollbook.cli.app import app, main


def said(*arguments: str) -> str:
    """What a command prints on standard output; an error of it is raised as it is."""
    ran = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert ran.exit_code == 0, ran.stderr
    return ran.stdout


def told(*arguments: str) -> Any:
    """What a command prints as JSON."""
    return json.loads(said(*arguments, "--json"))


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command ended with and printed, under the names of subprocess."""

    returncode: int
    stdout: str
    stderr: str


class Inside:
    """The same commands as test_commands.Program runs, ended by the same `main`, without a process for each: many times as fast.

    For what is not about processes, files relative to a folder, or an installation of its own.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        monkeypatch.setenv("COLUMNS", "200")

    def __call__(self, *arguments: str, text: str = "") -> Ran:
        out, err, status = io.StringIO(), io.StringIO(), 0
        self._monkeypatch.setattr(sys, "argv", ["rollbook", *arguments])
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main()
            except SystemExit as ended:
                status = ended.code if isinstance(ended.code, int) else 1
        return Ran(status, out.getvalue(), err.getvalue())

    def json(self, *arguments: str) -> tuple[int, Any]:
        ran = self(*arguments, "--json")
        return ran.returncode, json.loads(ran.stdout)
