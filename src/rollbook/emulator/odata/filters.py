"""`$filter` as a predicate over records (graph.md section 2.2): comparisons, in, startsWith, endsWith, and, or, not, any, null.

Knows the grammar; which properties are quick to find is the tables' business. What it cannot read is refused with 400.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..wire import Record, bad_request

Predicate = Callable[[Record], bool]

_TOKEN = re.compile(
    r"\s*(?:('(?:[^']|'')*')"
    r"|([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})"
    r"|(\d{4}-\d\d-\d\d(?:T[\d:.]+Z?)?)"
    r"|([A-Za-z_@][\w@.]*(?:/\$?[A-Za-z_]\w*)*)|(-?\d+)|([(),:]))"
)
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "ge": lambda held, value: bool(held >= value),
    "le": lambda held, value: bool(held <= value),
    "gt": lambda held, value: bool(held > value),
    "lt": lambda held, value: bool(held < value),
}
LONGEST = 10_000
DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Filter:
    """A predicate; what it demands at the least, for quick finding: (property, values) or (property, beginning).

    `advanced` tells that it uses what only the lagging index of advanced queries can answer.
    """

    matches: Predicate
    demands: tuple[str, tuple[str, ...]] | None
    begins: tuple[str, str] | None
    advanced: bool


@lru_cache(maxsize=512)
def parse_filter(text: str) -> Filter:
    """The filter this text is; 400 if it is none that is understood."""
    if len(text) > LONGEST:
        raise bad_request("The request filter is too long.")
    reader = _Reader(text)
    predicate = reader.any_of()
    if reader.word is not None:
        raise bad_request(f"Invalid filter clause: unexpected '{reader.word}'.")
    simple = reader.simple
    return Filter(predicate, reader.demanded if simple else None, reader.begun if simple else None, reader.advanced)


class _Reader:
    """Reads a filter from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self.word: str | None = None
        self.demanded: tuple[str, tuple[str, ...]] | None = None
        self.begun: tuple[str, str] | None = None
        self.simple = True
        self.advanced = False
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
        self._depth += 1
        if self._depth > DEEPEST:
            raise bad_request("Invalid filter clause: it is nested too deeply.")
        try:
            return self._term()
        finally:
            self._depth -= 1

    def _term(self) -> Predicate:
        if self.word == "not":
            self._next()
            self.simple = False
            self.advanced = True
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
        if name.lower() in ("startswith", "endswith"):
            prop = self._next() or ""
            self._expect(",")
            part = str(self._value()).casefold()
            self._expect(")")
            if name.lower() == "startswith":
                if self.begun is None:
                    self.begun = (prop, part)
                return lambda record: str(_at(record, prop) or "").casefold().startswith(part)
            self.advanced = True
            return lambda record: str(_at(record, prop) or "").casefold().endswith(part)
        raise bad_request(f"Invalid filter clause: the function '{name}' is not supported.")

    def _lambda(self, collection: str) -> Predicate:
        variable = self._next()
        self._expect(":")
        path = self._next() or ""
        first, _, inside = path.partition("/")
        if first != variable:
            raise bad_request("Invalid filter clause: the lambda's variable is expected.")
        self._expect("eq")
        wanted = self._value()
        self._expect(")")

        def matches(record: Record) -> bool:
            entries: Iterable[Any] = _at(record, collection) or ()
            return any(_same(_at(entry, inside) if inside else entry, wanted) for entry in entries)

        return matches

    def _compared(self, prop: str) -> Predicate:
        operator = self._next()
        if prop.endswith("/$count"):
            return self._counted(prop.removesuffix("/$count"), operator)
        if operator == "in":
            return self._among(prop)
        value = self._value()
        if operator == "eq":
            if self.demanded is None and isinstance(value, str):
                self.demanded = (prop, (value,))
            return lambda record: _same(_at(record, prop), value)
        if operator == "ne":
            self.advanced = True
            return lambda record: not _same(_at(record, prop), value)
        if operator in _ORDER:
            compare, folded = _ORDER[operator], _folded(value)
            return lambda record: _ordered(compare, _folded(_at(record, prop)), folded)
        raise bad_request(f"Invalid filter clause: the operator '{operator}' is not supported.")

    def _counted(self, collection: str, operator: str | None) -> Predicate:
        self.advanced = True
        value = self._value()
        if operator == "eq":
            return lambda record: len(_at(record, collection) or ()) == value
        if operator == "ne":
            return lambda record: len(_at(record, collection) or ()) != value
        raise bad_request(f"Invalid filter clause: the operator '{operator}' is not supported for $count.")

    def _among(self, prop: str) -> Predicate:
        self._expect("(")
        values = [self._value()]
        while self.word == ",":
            self._next()
            values.append(self._value())
        self._expect(")")
        texts = tuple(value for value in values if isinstance(value, str))
        if self.demanded is None and len(texts) == len(values):
            self.demanded = (prop, texts)
        return lambda record: any(_same(_at(record, prop), value) for value in values)

    def _value(self) -> Any:
        word = self._next()
        if word is None:
            raise bad_request("Invalid filter clause: a value is missing.")
        if word.startswith("'"):
            return word[1:-1].replace("''", "'")
        words: dict[str, Any] = {"true": True, "false": False, "null": None}
        if word in words:
            return words[word]
        if word.lstrip("-").isdigit():
            return int(word)
        if re.fullmatch(r"[0-9a-fA-F-]{36}|\d{4}-\d\d-\d\d.*", word):
            return word
        raise bad_request(f"Invalid filter clause: '{word}' is not a value.")


def _at(record: Any, path: str) -> Any:
    """The value at a path such as `onPremisesExtensionAttributes/extensionAttribute1`; None where there is none."""
    if "/" not in path:
        return record.get(path) if isinstance(record, dict) else None
    for name in path.split("/"):
        record = record.get(name) if isinstance(record, dict) else None
    return record


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _ordered(compare: Callable[[Any, Any], bool], held: Any, value: Any) -> bool:
    return type(held) is type(value) and compare(held, value)


def _same(held: Any, value: Any) -> bool:
    """Graph compares directory strings without regard to case."""
    if isinstance(held, str) and isinstance(value, str):
        return held.casefold() == value.casefold()
    return bool(held == value)
