"""First passwords: what Microsoft accepts, and never twice the same."""

from __future__ import annotations

import string

from rollbook.apply.passwords import first_password


def test_a_password_has_what_microsoft_asks_for():
    for _ in range(200):
        password = first_password()
        classes = [string.ascii_lowercase, string.ascii_uppercase, string.digits, "-"]
        assert all(set(password) & set(characters) for characters in classes)
        assert 8 <= len(password) <= 256
        assert password.isascii()


def test_a_password_has_no_characters_that_look_alike():
    assert not set("".join(first_password() for _ in range(200))) & set("01lIOQ")


def test_a_thousand_passwords_are_all_different():
    assert len({first_password() for _ in range(1_000)}) == 1_000
