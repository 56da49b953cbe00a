"""Numbers in sentences: one thing, several things."""

from __future__ import annotations


def counted(count: int, one: str, several: str = "") -> str:
    """How many of what: "1 change", "2 changes", "1,200 people"; `several` where it is not `one` with an s behind it."""
    return f"{count:,} {by_count(count, one, several)}"


def article(word: str) -> str:
    """The word behind "a", or behind "an" where it begins with a vowel."""
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def by_count(count: int, one: str, several: str = "") -> str:
    """The word that fits a number of things, such as "is" or "are"."""
    return one if count == 1 else several or f"{one}s"
