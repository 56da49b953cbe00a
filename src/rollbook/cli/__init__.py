"""The command line: one module a command. Heavy imports happen inside commands, so that `--help` and completion stay quick."""

from __future__ import annotations

from rollbook.cli.app import main

__all__ = ["main"]
