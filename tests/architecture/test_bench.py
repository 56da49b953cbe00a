"""The bench plans what the product plans: it is run on a small school here, since nobody runs it every day."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from bench.planning import plan_all, read
from bench.settled import school

from rollbook import sample
from rollbook.plan.changes import Kind


def test_the_bench_plans_a_school_of_a_hundred(tmp_path: Path):
    sample.write(sample.school(100), tmp_path)

    plan = plan_all(read(tmp_path))

    assert {int(Kind.CREATE_USER), int(Kind.CREATE_CLASS), int(Kind.ADD_MEMBER)} <= set(plan.changes["kind"])


def test_the_school_of_scopes_has_ten_classes_for_every_student_and_a_teacher_in_each():
    roster = school(100)

    inside = roster.enrolments.group_by("person").agg(classes=pl.col("klass").n_unique())
    assert set(inside["classes"]) == {10}
    assert set(roster.enrolments["klass"]) == set(roster.teachings["klass"]) == set(roster.classes["klass"])
