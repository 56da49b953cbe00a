"""The command line inside this process, so that it meets the test's own store and emulated tenant."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner

from rollbook.cli.app import app


def said(*arguments: str) -> str:
    """What a command prints on standard output; an error of it is raised as it is."""
    ran = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert ran.exit_code == 0, ran.stderr
    return ran.stdout


def told(*arguments: str) -> Any:
    """What a command prints as JSON."""
    return json.loads(said(*arguments, "--json"))
