"""Expressions of mappings: text with fields and named functions in double braces, in a language that cannot leave its row.

minijinja with a limit on the work of one evaluation (fuel) and no undefined names: it cannot loop for long, import, or reach
objects. Our own functions run outside that limit, so the text they are given is cut to LONGEST. An expression is tested against
the fields there are when it is saved, and evaluated for a person with a missing value as an empty text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

import minijinja
from anyascii import anyascii

FUEL = 5_000
LONGEST = 1_000


class ExpressionFailed(Exception):
    """An expression that cannot be read, or has no value for a row; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Named:
    """A function of expressions: what it does, and an example (expression, fields, result) that is a test."""

    call: Callable[..., str]
    meaning: str
    example: tuple[str, Mapping[str, str], str]


def _text(value: object) -> str:
    return "" if value is None else str(value)[:LONGEST]


def _join(separator: object, *parts: object) -> str:
    return _text(separator).join(text for part in parts if (text := _text(part)))


def _first_letter(value: object) -> str:
    return _text(value)[:1]


def _transliterate(value: object) -> str:
    return anyascii(_text(value))


def _coalesce(*values: object) -> str:
    return next((text for value in values if (text := _text(value))), "")


def _replace(value: object, old: object, new: object) -> str:
    return _text(value).replace(_text(old), _text(new)) if _text(old) else _text(value)


def _date_format(value: object, shape: object) -> str:
    if not _text(value):
        return ""
    try:
        return dt.date.fromisoformat(_text(value)).strftime(_text(shape))
    except ValueError:
        raise ExpressionFailed(f"{_text(value)!r} is no date") from None


FUNCTIONS: Mapping[str, Named] = {
    "join": Named(
        _join,
        "The parts that are not empty, with a separator between them.",
        ("{{ join(' ', first_name, last_name, phone) }}", {"first_name": "Anna", "last_name": "Rossi", "phone": ""}, "Anna Rossi"),
    ),
    "first_letter": Named(
        _first_letter,
        "The first letter of a text.",
        ("{{ first_letter(first_name) }}.{{ last_name }}", {"first_name": "Anna", "last_name": "Rossi"}, "A.Rossi"),
    ),
    "transliterate": Named(
        _transliterate,
        "The text in Latin letters without accents.",
        ("{{ transliterate(last_name) }}", {"last_name": "Müller"}, "Muller"),
    ),
    "coalesce": Named(
        _coalesce,
        "The first of the values that is not empty.",
        ("{{ coalesce(preferred_first_name, first_name) }}", {"preferred_first_name": "", "first_name": "Anna"}, "Anna"),
    ),
    "replace": Named(
        _replace,
        "The text with one part of it replaced by another.",
        ("{{ replace(grade, 'Grade ', '') }}", {"grade": "Grade 7"}, "7"),
    ),
    "date_format": Named(
        _date_format,
        "A date in another shape; the shape is that of strftime.",
        ("{{ date_format(today, '%Y') }}", {"today": "2026-10-01"}, "2026"),
    ),
}  # fmt: skip


@lru_cache(maxsize=1)
def _environment() -> minijinja.Environment:
    environment = minijinja.Environment(fuel=FUEL, undefined_behavior="strict", auto_escape_callback=lambda _: False)
    for name, function in FUNCTIONS.items():
        environment.add_function(name, function.call)  # type: ignore[attr-defined]  # missing in its stubs
    return environment


@lru_cache(maxsize=256)
def fields_of(text: str) -> frozenset[str]:
    """The fields an expression reads. Raises ExpressionFailed if it cannot be read at all."""
    try:
        # Kept compiled under its own text, so that a hundred thousand people do not compile it anew.
        _environment().add_template(text, text)
        names = _environment().undeclared_variables_in_str(text)
    except minijinja.TemplateError as error:
        raise ExpressionFailed(_sentence(error)) from None
    return frozenset(names) - FUNCTIONS.keys()


def check(text: str, fields: Collection[str]) -> None:
    """Raises ExpressionFailed if an expression cannot be read, or reads a field that is not there."""
    unknown = sorted(fields_of(text) - set(fields))
    if unknown:
        raise ExpressionFailed(f"there is no property {unknown[0]!r}")


def renderer(text: str) -> Callable[[Mapping[str, str]], str]:
    """A function from a row to the expression's value, without blanks around it; it raises ExpressionFailed if there is none."""
    fields_of(text)
    engine = _environment().render_template

    def value(row: Mapping[str, str]) -> str:
        try:
            return engine(text, **row).strip()
        except minijinja.TemplateError as error:
            raise ExpressionFailed(_sentence(error)) from None

    return value


def render(text: str, row: Mapping[str, str]) -> str:
    """The expression's value for one row. Raises ExpressionFailed if it has none."""
    return renderer(text)(row)


def _sentence(error: minijinja.TemplateError) -> str:
    """The first line of what the engine says, without its places in a file nobody has."""
    return str(error).splitlines()[0].partition(" (in ")[0]
