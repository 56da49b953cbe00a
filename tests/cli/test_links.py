"""`rollbook link` as an office uses it."""

from __future__ import annotations

import pytest
from tests.apply.desk import account
from tests.apply.wire import connected, synchronized
from tests.cli.inside import said, told
from tests.store.world import a_school

from rollbook.errors import InputRefused


def test_a_link_is_looked_at_undone_set_and_its_history_is_kept(sqlite_store, tenant):
    synchronized(connected(a_school(1), tenant))
    other = account(tenant, "other")
    first = told("link", "show", "p2")["object_id"]
    assert first in said("link", "list")
    assert "1 link" in said("link", "list", "--class")

    assert f"no longer linked to {first}" in said("link", "unlink", "S2", "--because", "not her")
    shown = told("link", "show", "p2")
    assert (shown["object_id"], [d["decision"] for d in shown["decisions"]]) == (None, ["refused"])
    assert f"p2 is linked to other@sample-school.example ({other})" in said("link", "set", "p2", other)
    assert "is linked to other@sample-school.example already" in said("link", "set", "p2", other)

    lines = said("link", "show", "p2").splitlines()
    assert lines[0] == f"p2: {other}"
    assert any("not her" in line for line in lines)
    assert [entry["object_id"] for entry in told("link", "show", "p2")["history"]] == [first, None, other]


def test_links_are_written_to_a_file_read_back_and_rebuilt(sqlite_store, tenant, tmp_path):
    synchronized(connected(a_school(1), tenant))
    file = tmp_path / "links.csv"

    said("link", "export", str(file))
    assert file.read_text() == said("link", "export", "-")
    assert said("link", "import", str(file)).strip() == "0 links changed."
    assert "0 links are remade, 3 were there already" in said("link", "rebuild")
    assert told("link", "rebuild") == {"made": 0, "known": 3, "left": []}

    file.write_text("sourced_id,object_id\nnobody,nothing\n")
    with pytest.raises(InputRefused, match="line 2: the register knows nobody"):
        said("link", "import", str(file))
