"""Chaos itself: a short selection of it, and that it tells what it is there to find."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from chaos.picture import marks, taken, untouched
from tests.apply.wire import control

ROOT = Path(__file__).parents[2]
MARK = "extension_1_rollbook"


@pytest.mark.kill
def test_a_short_selection_of_cut_connections_kills_and_storms_holds():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}

    ran = subprocess.run(
        [sys.executable, "-m", "chaos", "--short"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "chaos: all held" in ran.stdout
    assert "real kill -9" in ran.stdout


def seeded(tenant: Any) -> Any:
    """The directory of a tenant in which a school's account and somebody else's are in a group."""
    users = [
        {"userPrincipalName": "maria@sample-school.example", "displayName": "Maria", MARK: "m1"},
        {"userPrincipalName": "vera@sample-school.example", "displayName": "Vera"},
    ]
    group = {"displayName": "7A", "mailNickname": "a7", "groupTypes": ["Unified"], "mailEnabled": True}
    members = {"members": ["maria@sample-school.example"], "securityEnabled": False, "uniqueName": "rollbook-g1"}
    control(tenant, "/seed", {"users": users, "groups": [{**group, **members}]})
    return tenant.directory


def test_two_tenants_that_hold_the_same_have_the_same_picture_whatever_their_ids(tenant: Any):
    directory = seeded(tenant)

    assert not list(taken(directory).differences(taken(directory)))


def test_a_picture_tells_what_is_lost_changed_or_there_twice(tenant: Any):
    directory = seeded(tenant)
    before = taken(directory)

    control(tenant, "/people", {"group": "a7", "user": "maria@sample-school.example", "remove": True})
    control(
        tenant,
        "/seed",
        {"users": [{"userPrincipalName": "maria2@sample-school.example", "displayName": "Maria", MARK: "m1"}]},
    )

    told = "\n".join(before.differences(taken(directory)))
    assert "groups: lost" in told
    assert "users: not to be ('maria2@" in told
    assert sorted(marks(directory)) == ["m1", "m1", "rollbook-g1"]


def test_whatever_is_not_ours_is_looked_at_whole(tenant: Any):
    directory = seeded(tenant)
    vera = directory.users.one("userPrincipalName", "vera@sample-school.example")["id"]
    before = untouched(directory, [vera])

    control(tenant, "/edit", {"user": vera, "set": {"officeLocation": "somewhere else"}})

    assert untouched(directory, [vera]) != before
