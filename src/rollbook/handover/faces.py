"""Which typeface has which letters, so that a name in any alphabet is drawn in one that has all of it, or said to have none.

The typefaces come with packages (Noto, SIL Open Font License); this module knows which file is for what, and opens it when a
letter asks for it. A name is drawn in one face where one has all its letters, because scripts that join their letters must not
be cut apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

from fontTools.ttLib import TTFont
from fpdf.unicode_script import UnicodeScript, get_unicode_script

SANS, MONO = "Noto Sans", "IBM Plex Mono"

# Latin, Greek and Cyrillic first, because nearly all is written in them; the large one last, so that it is rarely opened.
FILES: Mapping[str, tuple[str, str]] = {
    SANS: ("manimgx_fonts", "NotoSans[wght].ttf"),
    **{
        f"Noto Sans {script}": ("manimgx_fonts", f"NotoSans{script}[wght].ttf")
        for script in (
            "Arabic Hebrew Devanagari Bengali Tamil Thai Armenian Georgian Ethiopic Gujarati Gurmukhi Kannada Khmer Lao "
            "Malayalam Myanmar Oriya Sinhala Telugu"
        ).split()
    },
    "Noto Sans CJK": ("noto_cjk_sans_jp_regular", "NotoSansCJKjp-Regular.otf"),
}
"""Typefaces for names: package and file, in the order in which they are asked for a letter."""

MONOSPACED = ("fontpkg_ibm_plex_mono", "files/IBMPlexMono-SemiBold.ttf")
"""What user names, passwords and codes are drawn in."""

UNDRAWN = frozenset("\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}")
"""Characters that are seen in their neighbours only; no face has to have them."""


@dataclass(frozen=True, slots=True)
class Face:
    """One typeface: the file it is in, and the letters (code points) it has."""

    name: str
    file: Path
    letters: frozenset[int] = field(repr=False)

    def lacks(self, text: str) -> str:
        """The characters of `text` that this face cannot draw."""
        return "".join(sign for sign in text if ord(sign) not in self.letters and sign not in UNDRAWN)


def path_of(package: str, file: str) -> Path:
    """Where a package keeps a typeface."""
    return Path(str(files(package).joinpath(file)))


@cache
def face(name: str) -> Face:
    """The typeface of this name, a key of FILES; opened once in a process."""
    path = path_of(*FILES[name])
    with TTFont(path, lazy=True) as font:
        return Face(name, path, frozenset(font.getBestCmap()))


def faces_for(text: str) -> tuple[Face, ...]:
    """The one face that has all of `text`; else as many as it takes. What none has is left to `missing`."""
    for name in FILES:
        if not face(name).lacks(text):
            return (face(name),)
    used, left = [], text
    for name in FILES:
        after = face(name).lacks(left)
        if after != left:
            used.append(face(name))
            left = after
    return tuple(used) or (face(SANS),)


def missing(text: str) -> str:
    """The characters of `text` that no face here has, each once."""
    left = text
    for each in faces_for(text):
        left = each.lacks(left)
    return "".join(dict.fromkeys(left))


def scripts(letters: str) -> list[str]:
    """What the scripts of these letters are called, such as "Tibetan"."""
    found = {get_unicode_script(letter) for letter in letters}
    names = [script.name.replace("_", " ").title() for script in found if script is not UnicodeScript.UNKNOWN]
    return sorted(names) or ["unknown"]
