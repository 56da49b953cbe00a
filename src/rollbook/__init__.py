"""Rollbook keeps a school's Microsoft 365 in step with its register."""

__version__ = "0.1.0"
