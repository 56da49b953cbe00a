"""Runs in words: `{{ run|about }}`."""

from __future__ import annotations

from django import template

from rollbook.store import overview

register = template.Library()
register.filter("about", overview.about)
register.filter("verdict", overview.verdict)
