"""`$filter` as a predicate over records (graph.md section 2.2): eq, ne, in, startswith, and, or, not, and lambda any.

Knows the grammar; which properties are quick to find is the tables' business. What it cannot read is refused with 400.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..wire import Record, bad_request

Predicate = Callable[[Record], bool]

_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|([A-Za-z_@][\w@.]*(?:/[A-Za-z_]\w*)*)|(\d+)|([(),:]))")


@dataclass(frozen=True, slots=True)
class Filter:
    """A predicate, and the (property, value) it demands at the least, for quick finding."""

    matches: Predicate
    demands: tuple[str, str] | None


def parse_filter(text: str) -> Filter:
    """The filter this text is; 400 if it is none that is understood."""
    reader = _Reader(text)
    predicate = reader.any_of()
    if reader.word is not None:
        raise bad_request(f"Invalid filter clause: unexpected '{reader.word}'.")
    return Filter(predicate, reader.demanded if reader.simple else None)


class _Reader:
    """Reads a filter from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.word: str | None = None
        self.demanded: tuple[str, str] | None = None
        self.simple = True
        self._next()

    def _next(self) -> str | None:
        read, rest = self.word, self._text[self._at :]
        if not rest.strip():
            self.word = None
            return read
        token = _TOKEN.match(self._text, self._at)
        if token is None:
            raise bad_request(f"Invalid filter clause: syntax error at position {self._at}.")
        self._at = token.end()
        self.word = next(group for group in token.groups() if group is not None)
        return read

    def _expect(self, word: str) -> None:
        if self._next() != word:
            raise bad_request(f"Invalid filter clause: '{word}' expected.")

    def any_of(self) -> Predicate:
        parts = [self._all_of()]
        while self.word == "or":
            self._next()
            self.simple = False
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else lambda record: any(part(record) for part in parts)

    def _all_of(self) -> Predicate:
        parts = [self._one()]
        while self.word == "and":
            self._next()
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda record: all(part(record) for part in parts)

    def _one(self) -> Predicate:
        if self.word == "not":
            self._next()
            self.simple = False
            inner = self._one()
            return lambda record: not inner(record)
        if self.word == "(":
            self._next()
            inner = self.any_of()
            self._expect(")")
            return inner
        name = self._next() or ""
        if self.word == "(":
            return self._called(name)
        return self._compared(name)

    def _called(self, name: str) -> Predicate:
        self._next()
        collection, _, verb = name.rpartition("/")
        if verb.lower() == "any" and collection:
            return self._lambda(collection)
        if name.lower() == "startswith":
            prop = self._next() or ""
            self._expect(",")
            begin = str(self._value()).casefold()
            self._expect(")")
            return lambda record: str(record.get(prop) or "").casefold().startswith(begin)
        raise bad_request(f"Invalid filter clause: the function '{name}' is not supported.")

    def _lambda(self, collection: str) -> Predicate:
        variable = self._next()
        self._expect(":")
        if self._next() != variable:
            raise bad_request("Invalid filter clause: the lambda's variable is expected.")
        self._expect("eq")
        wanted = str(self._value()).casefold()
        self._expect(")")
        return lambda record: any(str(entry).casefold() == wanted for entry in record.get(collection) or ())

    def _compared(self, prop: str) -> Predicate:
        operator = self._next()
        if operator == "in":
            return self._among(prop)
        value = self._value()
        if operator == "eq":
            if self.demanded is None and isinstance(value, str):
                self.demanded = (prop, value)
            return lambda record: _same(record.get(prop), value)
        if operator == "ne":
            return lambda record: not _same(record.get(prop), value)
        raise bad_request(f"Invalid filter clause: the operator '{operator}' is not supported.")

    def _among(self, prop: str) -> Predicate:
        self._expect("(")
        values = [self._value()]
        while self.word == ",":
            self._next()
            values.append(self._value())
        self._expect(")")
        return lambda record: any(_same(record.get(prop), value) for value in values)

    def _value(self) -> Any:
        word = self._next()
        if word is None:
            raise bad_request("Invalid filter clause: a value is missing.")
        if word.startswith("'"):
            return word[1:-1].replace("''", "'")
        words: dict[str, Any] = {"true": True, "false": False, "null": None}
        if word in words:
            return words[word]
        if word.isdigit():
            return int(word)
        raise bad_request(f"Invalid filter clause: '{word}' is not a value.")


def _same(held: Any, value: Any) -> bool:
    """Graph compares directory strings without regard to case."""
    if isinstance(held, str) and isinstance(value, str):
        return held.casefold() == value.casefold()
    return bool(held == value)
