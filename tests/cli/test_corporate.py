"""`rollbook corporate` as an organisation uses it."""

from __future__ import annotations

import pytest
from tests.apply.test_corporate import Staff, a_school_with_staff
from tests.apply.wire import connected, control
from tests.cli.inside import said, told

from rollbook.errors import ApprovalDue, InputRefused


def test_a_corporate_tenant_is_connected_matched_looked_at_and_removed(sqlite_store, tenant, tmp_path, monkeypatch):
    staff = Staff(tenant)
    staff.account("eleni", employeeId="S3")
    connected(a_school_with_staff(), tenant)
    control(tenant, "/counters/reset", {})
    with pytest.raises(InputRefused, match="no corporate tenant"):
        said("corporate", "show")

    monkeypatch.setenv("ROLLBOOK_CLIENT_SECRET", staff.app["client_secret"])
    where = ["--graph-url", tenant.graph, "--login-url", tenant.login]
    connected_said = said("corporate", "connect", "--tenant", staff.id, "--client-id", staff.app["client_id"], *where)
    assert "employees have the domain staff.example" in connected_said
    assert staff.app["client_secret"] not in connected_said

    shown = said("profile", "show", "Suggested")
    assert "locked: users.actions.employee.update is no, because the organisation's corporate tenant" in shown
    assert "domain: staff.example" in shown
    assert len(told("profile", "show", "Suggested")["locked"]) == 5
    file = tmp_path / "profile.yaml"
    said("profile", "export", "Suggested", str(file))
    edited = said("profile", "edit", "Suggested", str(file))
    assert "Corrected: users.actions.employee.update: yes -> no" in edited
    assert "version 2" in edited

    with pytest.raises(ApprovalDue) as due:
        said("corporate", "sync", "--as-of", "2026-10-01", "--quiet")
    assert due.value.remedy == f"Run `rollbook corporate sync --approve {due.value.fingerprint}`."
    said("corporate", "sync", "--as-of", "2026-10-01", "--quiet", "--approve", due.value.fingerprint)
    assert "1 employee of The School is linked, 0 to review" in said("corporate", "show")
    assert told("corporate", "show")["linked"] == 1
    assert "eleni@staff.example" in said("link", "list", "--corporate")
    assert told("match", "list", "--corporate") == []
    assert told("protect", "list", "--corporate") == []
    assert control(tenant, "/counters")["writes"] == 0
    with pytest.raises(InputRefused, match="no run yet"):
        said("show")

    assert "no longer the corporate tenant" in said("corporate", "remove")
    assert "locked: users" not in said("profile", "show", "Suggested")
