"""What people do in the tenant by hand while Rollbook is at it: everything that is put back, or stays, by rule (docs/human-edits.md)."""

from __future__ import annotations

from typing import Any

from chaos import schools
from chaos.bed import Bed


def edit_by_hand(bed: Bed) -> None:
    """An administrator renames, takes out, puts in, disables, deletes; each on somebody else."""
    _group(bed, "7B Art", lambda key: bed.control("edit", {"group": key, "set": {"displayName": "Art by hand"}}))
    _user(bed, 5, lambda key: bed.control("edit", {"user": key, "set": {"displayName": "Renamed by hand"}}))
    _user(bed, 6, lambda key: bed.control("edit", {"user": key, "set": {"accountEnabled": False}}))
    _user(bed, 7, lambda key: bed.control("delete", {"user": key}))
    _user(bed, 11, lambda key: bed.control("people", {"group": _id(bed, "7B Art"), "user": key, "remove": True}))
    _user(bed, 12, lambda key: bed.control("people", {"group": _id(bed, "8A Art"), "user": key}))
    bed.control("people", {"group": _id(bed, "8A Art"), "user": "vera@sample-school.example"})


def _id(bed: Bed, name: str) -> str:
    """The group of ours that was called so, whatever it is called now."""
    own = {"7B Art": "c4", "8A Art": "c6"}
    found = bed.tenant.groups.one("mailNickname", own[name])
    return str(found["id"])


def _group(bed: Bed, name: str, act: Any) -> None:
    act(_id(bed, name))


def _user(bed: Bed, number: int, act: Any) -> None:
    name = schools.PUPILS[number].lower().replace(" ", ".")
    found = bed.tenant.users.one("userPrincipalName", f"{name}@sample-school.example")
    if found is not None:
        act(found["id"])
