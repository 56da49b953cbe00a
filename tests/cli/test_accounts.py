"""`rollbook accounts` as an office uses it."""

from __future__ import annotations

import pytest
from tests.apply.wire import connected, synchronized, users_of
from tests.cli.inside import said, told
from tests.store.world import a_school

from rollbook.errors import InputRefused


def test_accounts_are_listed_for_people_and_machines_and_written_for_the_schools_own_system(
    sqlite_store, tenant, tmp_path
):
    synchronized(connected(a_school(1), tenant))
    names = {user["userPrincipalName"] for user in users_of(tenant)}

    listed = said("accounts", "list")
    assert "Nikos Vasilakis" in listed
    assert all(name in listed for name in names)
    assert "2 people: 2 active" in listed
    assert said("accounts", "list", "--state", "none").strip() == "0 people: nobody"
    assert {row["user_name"] for row in told("accounts", "list")} == names

    file = tmp_path / "accounts.csv"
    said("accounts", "export", str(file), "--type", "student")
    assert file.read_text().splitlines()[0].startswith("sourced_id,sis_number,user_type,user_name,mail,object_id")
    assert file.read_text() == said("accounts", "export", "-", "--type", "student")
    assert len(file.read_text().splitlines()) == 2

    with pytest.raises(InputRefused, match="no state"):
        said("accounts", "list", "--state", "asleep")
    with pytest.raises(InputRefused, match="cannot be written"):
        said("accounts", "export", str(tmp_path / "missing" / "accounts.csv"))
