"""First passwords: random for each person, readable aloud, accepted by Microsoft (8 to 256 characters, three of four classes)."""

from __future__ import annotations

import secrets

CONSONANTS = "bdfgkmnprstvz"
VOWELS = "aeiou"


def first_password() -> str:
    """A password such as "Rodu-kiba-4821": about 40 bits, without letters that look alike; changed at first sign-in."""
    words = ["".join(secrets.choice(CONSONANTS) + secrets.choice(VOWELS) for _ in range(2)) for _ in range(2)]
    digits = "".join(str(secrets.randbelow(8) + 2) for _ in range(4))
    return f"{words[0].capitalize()}-{words[1]}-{digits}"
