"""Grade levels: the school's own table, joined to the grades by name."""

from __future__ import annotations

from tests.world import frame

from rollbook.roster.levels import with_levels


def levels(table, *names):
    grades = frame(
        "grades", [{"grade": n, "sourced_id": name, "line": 0, "name": name} for n, name in enumerate(names)]
    )
    return with_levels(grades, table)["level"].to_list()


def test_a_grade_has_the_level_the_table_names_whatever_the_case_and_blanks():
    table = {"KG": "nursery", "01": "primary", "Grade 7": "secondary"}

    assert levels(table, "kg", "01", " GRADE 7 ", "08") == ["nursery", "primary", "secondary", None]


def test_without_a_table_no_grade_has_a_level():
    assert levels({}, "01", "02") == [None, None]
    assert levels({"01": "primary"}) == []
