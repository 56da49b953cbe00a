"""Claim codes: random, readable aloud, typed with or without hyphens. What is kept of one is a hash, which is not made here."""

from __future__ import annotations

import secrets

LETTERS = "BCDFGHJKMNPQRSTVWXYZ"
"""No vowels, so that no code is a word, and no letters that are taken for digits or for each other."""

BLOCKS, BLOCK = 3, 4
LENGTH = BLOCKS * BLOCK


def claim_code() -> str:
    """A code such as "KFTM-HRXQ-PDBN": about 52 bits."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    return "-".join(letters[start : start + BLOCK] for start in range(0, LENGTH, BLOCK))


def canonical(typed: str) -> str | None:
    """The letters of a code as somebody typed it; None if no code can be meant."""
    letters = "".join(
        sign for sign in typed.upper() if not sign.isspace() and sign not in "-\u2010\u2011\u2012\u2013\u2014"
    )
    return letters if len(letters) == LENGTH and set(letters) <= set(LETTERS) else None


def beginning(code: str | None) -> str:
    """The first block of a canonical code: what wrong guesses are counted by. Empty for what is no code."""
    return code[:BLOCK] if code else ""
