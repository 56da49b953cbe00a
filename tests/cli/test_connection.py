"""`rollbook connection` and `rollbook sync --scheduled` in this process, over an emulated tenant that goes away."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr
from typing import Any

import pytest
from tests.apply.wire import connected, control
from tests.store.world import a_school
from typer.testing import CliRunner

from rollbook.cli.app import app
from rollbook.cli.console import complain
from rollbook.errors import Resting, Stop
from rollbook.graph.consent import DIRECTORY_READ
from rollbook.store.models import Connection

run = CliRunner()


def said(*arguments: str) -> Any:
    """What a command printed as JSON."""
    return json.loads(run.invoke(app, [*arguments, "--json"], catch_exceptions=False).stdout)


def test_a_consent_that_lacks_something_is_told_by_the_name_of_the_permission(sqlite_store: Any, tenant: Any):
    connected(a_school(1), tenant)
    app_id = tenant.apps[0]["client_id"]
    roles = set(tenant.directory.consents.get(app_id)["roles"])
    control(tenant, "/consent", {"app": app_id, "roles": sorted(roles - {"Domain.Read.All", *DIRECTORY_READ})})

    with pytest.raises(Stop, match=r"Domain\.Read\.All") as refused:
        run.invoke(app, ["connection", "--test"], catch_exceptions=False)

    assert said("connection")["notice"]["request_id"] == refused.value.request_id != ""
    shown = io.StringIO()
    with redirect_stderr(shown):
        complain(refused.value)
    assert f"request id {refused.value.request_id}" in shown.getvalue()


def test_a_policy_that_shuts_us_out_is_told_with_who_acts_and_ends_by_itself(sqlite_store: Any, tenant: Any):
    connected(a_school(1), tenant)
    assert said("connection", "--test")["state"] == "Connected"

    control(tenant, "/conditional-access", {"mode": "block"})
    with pytest.raises(Stop, match="conditional access"):
        run.invoke(app, ["sync"], catch_exceptions=False)

    told = said("connection")
    assert (told["state"], told["failures"]) == ("Needs Attention", 1)
    assert "Waiting does not help" in told["notice"]["remedy"]
    assert told["notice"]["request_id"]
    shown = run.invoke(app, ["connection"], catch_exceptions=False).stdout
    assert told["notice"]["request_id"] in shown
    with pytest.raises(Resting):
        run.invoke(app, ["sync", "--scheduled"], catch_exceptions=False)

    run.invoke(app, ["freeze", "--because", "moving house"], catch_exceptions=False)
    assert "moving house" in said("connection")["frozen"]
    assert "Nothing is written until" in run.invoke(app, ["connection"], catch_exceptions=False).stdout
    run.invoke(app, ["thaw"], catch_exceptions=False)
    assert said("connection")["frozen"] == ""

    control(tenant, "/conditional-access", {"mode": "off"})
    assert said("connection", "--test")["notice"] is None
    assert Connection.objects.get().failures == 0
