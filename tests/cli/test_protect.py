"""`rollbook protect` as an office uses it."""

from __future__ import annotations

from tests.apply.desk import account
from tests.apply.wire import connected
from tests.cli.inside import said, told
from tests.store.world import a_school
from typer.testing import CliRunner

from rollbook.cli.app import app


def test_an_account_is_listed_with_its_reason_and_taken_off_again(sqlite_store, tenant):
    connected(a_school(1), tenant)
    head = account(tenant, "head")

    assert "is never touched" in said("protect", "add", "head@sample-school.example", "--because", "head of school")
    listed = said("protect", "list")
    assert head in listed
    assert "head of school" in listed
    assert told("protect", "list")[0]["kind"] == "kept"
    assert "off the list" in said("protect", "remove", head)
    assert said("protect", "list").strip() == "0 on the list."
    assert CliRunner().invoke(app, ["protect", "add", head]).exit_code == 2
