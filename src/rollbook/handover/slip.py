"""What is handed to a person: the values of a slip or a row, and the words around them. Pure."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from rollbook.handover.faces import UNDRAWN, missing, scripts

INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Categories of characters that draw nothing, or turn the direction of what is beside them."""


@dataclass(frozen=True, slots=True)
class Slip:
    """What one person is handed. `latin` is empty where the name is written in Latin letters already.

    `secret` is the first password, or the claim code it is exchanged for.
    """

    person: str  # sourced id
    name: str = field(repr=False)
    latin: str = field(repr=False)
    user_name: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Section:
    """The slips of one class, in the order of names, and the school it is in."""

    title: str
    school: str
    slips: tuple[Slip, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """The words on every slip: what the secret is called, what to do with it; and the day they are made."""

    secret: str
    notes: tuple[str, ...]
    made: dt.date


def passwords(sign_in: str, made: dt.date) -> Wording:
    """The words beside a first password."""
    notes = (f"Sign in at {sign_in}", "You will be asked to choose a password of your own.")
    return Wording("First password", notes, made)


def claim_codes(where: str, until: dt.date, made: dt.date) -> Wording:
    """The words beside a claim code; `where` says where it is exchanged, such as "at the school office"."""
    notes = (
        f"Exchange this code for your first password {drawn(written(where))}.",
        f"It works once, until {until.isoformat()}.",
    )
    return Wording("Claim code", notes, made)


def written(name: str) -> str:
    """The name as it is drawn: composed letters, single blanks, nothing invisible that could turn or break a line."""
    kept = (
        " " if sign.isspace() else sign
        for sign in unicodedata.normalize("NFC", name)
        if sign.isspace() or sign in UNDRAWN or unicodedata.category(sign) not in INVISIBLE
    )
    return " ".join("".join(kept).split())


PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})
"""Letters that have no accent to be taken off, as they are sorted."""


def sorting(name: str) -> str:
    """The name as it is sorted: without accents, whatever its capitals are."""
    parts = unicodedata.normalize("NFKD", name.casefold())
    return "".join(sign for sign in parts if not unicodedata.combining(sign)).translate(PLAIN)


def natural(title: str) -> list[tuple[int, str]]:
    """A title as it is sorted: 7A before 10A."""
    parts = re.findall(r"\d+|\D+", title)
    return [(int(part), "") if part.isdecimal() else (-1, sorting(part)) for part in parts]


def in_latin_letters(name: str) -> bool:
    """Whether every letter of the name is a Latin one, with whatever accents."""
    return all(unicodedata.name(sign, "LATIN").startswith("LATIN") for sign in name if sign.isalpha())


@dataclass(frozen=True, slots=True)
class Undrawable:
    """A name, or a title, with letters that no typeface here has, and what their scripts are called."""

    what: str
    scripts: tuple[str, ...]


def drawable(sections: Iterable[Section]) -> tuple[list[Section], list[Undrawable]]:
    """The sections with nothing that would become an empty box, and what was changed for that.

    A name with a letter no typeface has stands on its slip in Latin letters alone; other texts lose those letters.
    """
    given = list(sections)
    names = [(f"{slip.name} ({slip.person})", slip.name) for section in given for slip in section.slips]
    titles = dict.fromkeys(text for section in given for text in (section.title, section.school))
    texts = [*((title, title) for title in titles), *names]
    told = [Undrawable(what, tuple(scripts(lost))) for what, text in texts if (lost := missing(text))]
    kept = [Section(drawn(s.title), drawn(s.school), tuple(map(_drawable, s.slips))) for s in given]
    return kept, told


def _drawable(slip: Slip) -> Slip:
    if not missing(slip.name):
        return slip
    return replace(slip, name=drawn(slip.latin or slip.name), latin="")


def drawn(text: str) -> str:
    """The text without the letters no typeface has."""
    lost = missing(text)
    return "".join(sign for sign in text if sign not in lost)
