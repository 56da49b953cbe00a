"""Somebody who decides about links by hand, over a school, a store and an emulated tenant."""

from __future__ import annotations

from typing import Any

from tests.apply.wire import control
from tests.store.world import ACTOR, Frozen

from rollbook.acts.desk import held
from rollbook.acts.links import Subject, find_subject
from rollbook.acts.profiles import Author
from rollbook.store.models import Institute

AUTHOR = Author(ACTOR, Frozen())


def desk(institute: Institute) -> Any:
    """The institute's tenant, held."""
    return held(institute, AUTHOR)


def person(institute: Institute, text: str) -> Subject:
    """A person by sourced id or SIS number."""
    return find_subject(institute, text, "user")


def account(tenant: Any, name: str, **more: Any) -> str:
    """An account that somebody else made; its object id. The name stands before the @."""
    full = f"{name}@sample-school.example"
    control(tenant, "/seed", {"users": [{"userPrincipalName": full, "displayName": name, **more}]})
    return str(tenant.directory.users.one("userPrincipalName", full)["id"])
