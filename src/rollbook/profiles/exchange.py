"""Profiles as YAML: exported with the meaning of every setting beside it, imported with every mistake reported at its place.

YAML 1.2, so that NO is a country and no truth; a key given twice is a mistake. Export and import round-trip.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from rollbook.errors import ProfileInvalid
from rollbook.profiles.document import Profile, parse
from rollbook.words import counted

WIDTH = 110


@dataclass(frozen=True, slots=True)
class Exported:
    """A profile as it travels: its name, its synchronization period, its settings, and the version it was taken from."""

    name: str
    begin: dt.date | None
    end: dt.date | None
    profile: Profile
    version: int | None = None


def to_yaml(exported: Exported) -> str:
    """The profile as YAML, each setting under a comment that says what it means."""
    document = CommentedMap()
    document["name"] = exported.name
    document["begin"] = exported.begin
    document["end"] = exported.end
    document["version"] = exported.version
    document["settings"] = _explained(exported.profile, exported.profile.model_dump(mode="json"), 2)
    document.yaml_set_start_comment("An execution profile of Rollbook. Import it with: rollbook profile import FILE")
    text = io.StringIO()
    _yaml().dump(document, text)
    return text.getvalue()


def _yaml() -> YAML:
    yaml = YAML()
    yaml.width = WIDTH
    yaml.default_flow_style = False
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _explained(part: BaseModel, values: Mapping[str, Any], indent: int) -> CommentedMap:
    """The values of a part, each setting under its meaning."""
    shown = CommentedMap()
    for name, setting in type(part).model_fields.items():
        inner = getattr(part, name)
        value = values[name]
        shown[name] = _explained(inner, value, indent + 2) if isinstance(inner, BaseModel) else value
        if setting.description:
            shown.yaml_set_comment_before_after_key(
                name, before=_wrapped(setting.description, WIDTH - indent), indent=indent
            )
    return shown


def _wrapped(text: str, width: int) -> str:
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + len(word) + 1 > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "\n".join([*lines, line])


def from_yaml(text: str) -> Exported:
    """The profile that a text describes. Raises ProfileInvalid with every mistake and its path, or the line of a syntax error."""
    try:
        document = _yaml().load(text)
    except YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f"line {where.line + 1}: " if where is not None else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ProfileInvalid(
            f"The file is no YAML: {line}{problem}.", [("", f"{line}{problem}")], remedy="Correct it there."
        ) from error
    if not isinstance(document, Mapping):
        raise ProfileInvalid(
            "The file holds no profile.",
            [("", "a profile is expected")],
            remedy="Start from `rollbook profile export`.",
        )
    mistakes: list[tuple[str, str]] = [
        (str(name), "there is no such setting")
        for name in document
        if name not in ("name", "begin", "end", "version", "settings")
    ]
    name = document.get("name")
    if not isinstance(name, str) or not name.strip():
        mistakes.append(("name", "a profile needs a name"))
    begin, end = (_day(document, key, mistakes) for key in ("begin", "end"))
    if begin is not None and end is not None and end < begin:
        mistakes.append(("end", "the synchronization period ends before it begins"))
    version = document.get("version")
    if version is not None and (not isinstance(version, int) or version < 1):
        mistakes.append(("version", "the number of the version this file was exported from is expected"))
    profile = _settings(document.get("settings") or {}, mistakes)
    if mistakes or profile is None:
        listed = "; ".join(f"{path}: {sentence}" for path, sentence in mistakes)
        raise ProfileInvalid(
            f"The file has {counted(len(mistakes), 'mistake')}: {listed}.",
            mistakes,
            remedy="Correct them; nothing was changed.",
        )
    return Exported(str(name).strip(), begin, end, profile, version)


def _day(document: Mapping[str, Any], key: str, mistakes: list[tuple[str, str]]) -> dt.date | None:
    value = document.get(key)
    if value is None or (isinstance(value, dt.date) and not isinstance(value, dt.datetime)):
        return value
    mistakes.append((key, f"{value!r} is not a day; write it as 2026-09-01"))
    return None


def _settings(given: Any, mistakes: list[tuple[str, str]]) -> Profile | None:
    if not isinstance(given, Mapping):
        mistakes.append(("settings", "settings are expected"))
        return None
    try:
        return parse(_plain(given))
    except ProfileInvalid as invalid:
        mistakes += [(f"settings.{path}", sentence) for path, sentence in invalid.mistakes]
        return None


def _plain(value: Any) -> Any:
    """Ruamel's containers as Python's own."""
    kinds: tuple[tuple[type, Callable[[Any], Any]], ...] = (
        (Mapping, lambda found: {str(key): _plain(inner) for key, inner in found.items()}),
        (list, lambda found: [_plain(inner) for inner in found]),
    )
    return next((convert(value) for kind, convert in kinds if isinstance(value, kind)), value)
