"""Profiles for tests: the suggested one with some settings changed, named by their paths."""

from __future__ import annotations

from typing import Any

from rollbook.profiles import Profile, parse, suggested


def profile_with(base: Profile | None = None, **settings: Any) -> Profile:
    """The base, by default the suggested profile, with these settings; `users__leaving__disable_days=7` is the path users.leaving.disable_days."""
    document = (base or suggested()).model_dump(mode="json")
    for path, value in settings.items():
        *parts, last = path.split("__")
        place = document
        for part in parts:
            place = place[part]
        place[last] = value
    return parse(document)
