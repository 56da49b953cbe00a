"""Names in Latin letters as the language writes them: a table for each language first, anyascii for all that is left.

Greek follows ELOT 743 (ISO 843 type 2), German the usual ae, oe, ue, ss, Nordic languages aa, ae, oe.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

from anyascii import anyascii

_GERMAN = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}
_NORDIC = {"å": "aa", "ä": "ae", "æ": "ae", "ö": "oe", "ø": "oe", "þ": "th", "ð": "d"}
_GREEK = dict(
    zip("αβγδεζηθικλμνξοπρστυφχψως", "a v g d e z i th i k l m n x o p r s t y f ch ps o s".split(), strict=True)
)
_GREEK_VOICELESS = "θκξπσςτφχψ"
_GREEK_PAIRS = (
    (re.compile(rf"([αεη])υ(?=[{_GREEK_VOICELESS}]|$)"), r"\1f"),
    (re.compile(r"([αεη])υ"), r"\1v"),
    (re.compile("ου"), "ou"),
    (re.compile("γγ"), "ng"),
    (re.compile("γξ"), "nx"),
    (re.compile("γχ"), "nch"),
    (re.compile(r"(?<![α-ω])μπ|μπ$"), "b"),
)
_ACUTE, _DIAERESIS = "\u0301", "\u0308"


def _table(pairs: Mapping[str, str]) -> Callable[[str], str]:
    """Letters by letters; a capital becomes a capital and small letters, as names are written."""
    letters = {ord(letter): text for letter, text in pairs.items()}
    letters |= {ord(letter.upper()): text.capitalize() for letter, text in pairs.items() if len(letter.upper()) == 1}
    return lambda name: unicodedata.normalize("NFC", name).translate(letters)


def _greek(name: str) -> str:
    """Word by word; an accent says nothing here, but a diaeresis parts two letters that would be read as one."""
    return re.sub(r"[Ͱ-Ͽἀ-῾]+", lambda found: _greek_word(found[0]), name)


def _greek_word(word: str) -> str:
    parted = unicodedata.normalize("NFD", word).replace(_ACUTE, "")
    # Letters with a diaeresis are read by themselves: their Latin form takes no part in what follows.
    parted = re.sub(f"(.){_DIAERESIS}", lambda found: _GREEK.get(found[1].lower(), found[1]), parted)
    small = "".join(sign for sign in parted.lower() if not unicodedata.combining(sign))
    for pattern, text in _GREEK_PAIRS:
        small = pattern.sub(text, small)
    latin = "".join(_GREEK.get(letter, letter) for letter in small)
    return latin.capitalize() if word[:1].isupper() else latin


LANGUAGES: Mapping[str, Callable[[str], str]] = {
    "any": lambda name: name,
    "german": _table(_GERMAN),
    "nordic": _table(_NORDIC),
    "greek": _greek,
}
"""What is done to a name before anyascii, by the word a profile uses."""


def latin(name: str, language: str) -> str:
    """The name in ASCII letters, as the language writes it."""
    return anyascii(LANGUAGES[language](name))
