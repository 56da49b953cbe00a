"""Notices as pages show them: `{{ told.to_do|with_code }}`."""

from __future__ import annotations

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def with_code(sentence: str) -> SafeString:
    """The sentence, escaped, with what stands between backquotes as a command."""
    shown = (
        format_html("<code>{}</code>" if number % 2 else "{}", part) for number, part in enumerate(sentence.split("`"))
    )
    return format_html_join("", "{}", ((part,) for part in shown))
