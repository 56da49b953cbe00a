"""`rollbook import` as somebody reads it: what it compared with the register before."""

from __future__ import annotations

from tests.cli.inside import said, told
from tests.sources.homerooms import Homerooms


def of_year(begins: str) -> Homerooms:
    return Homerooms().year(begins, known_as="-now").klass("m7a", "-now", "s1")


def test_what_only_an_import_can_find_is_told_with_what_to_do(sqlite_store, tmp_path):
    assert "kept apart" not in said("import", str(of_year("2026").folder(tmp_path / "1")))

    shown = said("import", str(of_year("2027").folder(tmp_path / "2")))

    assert "academicSessions.csv:2" in shown
    assert "kept apart as year-now@2027-09-01" in " ".join(shown.split())
    assert "Give each school year an id of its own" in shown
    (finding,) = told("import", str(tmp_path / "2"))["findings"]
    assert finding["code"] == "period-id-reused"
