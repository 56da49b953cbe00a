"""What long-running commands log: one JSON object a line on standard error, with ids and no names; plain lines at a terminal."""

from __future__ import annotations

import sys

import structlog


def configure() -> None:
    """Log lines go to standard error from now on: standard output is for what was asked for."""
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *(() if terminal else (structlog.processors.dict_tracebacks,)),
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
