"""A large school whose tenant equals its register: the first plan is carried out by seeding the emulated tenant, not by requests."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import defaultdict
from typing import Any

import polars as pl

from bench.emulating import Running
from rollbook.graph import codec
from rollbook.plan.changes import ChangeVerdict, Kind, Plan
from rollbook.roster.tables import SCHEMAS, Roster

AS_OF = dt.date(2026, 10, 1)
CLASSES_A_STUDENT, STUDENTS_A_CLASS, STUDENTS_A_TEACHER = 10, 25, 20
BEGIN, END = dt.date(2026, 9, 1), dt.date(2027, 7, 1)
AT_ONCE = 5_000
MADE = (Kind.CREATE_CLASS, Kind.CREATE_GROUP)


def school(students: int) -> Roster:
    """Students in ten classes each and one grade of one location, and their teachers."""
    classes = students * CLASSES_A_STUDENT // STUDENTS_A_CLASS
    teachers = students // STUDENTS_A_TEACHER
    locations, grades = max(1, students // 1_000), 12
    person = pl.int_range(1, students + teachers + 1, eager=True)
    teaches = pl.col("person") > students
    people = pl.DataFrame({"person": person}).with_columns(
        sourced_id=pl.format("p{}", "person"),
        line=0,
        active=pl.lit(value=True),
        given_name=pl.format("Given{}", "person"),
        family_name=pl.format("Family{}", "person"),
        sis_number=pl.format("S{}", "person"),
    )
    affiliations = people.select(
        "person",
        user_type=pl.when(teaches).then(pl.lit("teacher")).otherwise(pl.lit("student")),
        location=pl.col("person") % locations + 1,
        grade=pl.when(~teaches).then(pl.col("person") % grades + 1),
    )
    pairs = pl.DataFrame({"person": pl.int_range(1, students + 1, eager=True)}).join(
        pl.DataFrame({"turn": range(CLASSES_A_STUDENT)}), how="cross"
    )
    block = classes // CLASSES_A_STUDENT
    enrolments = pairs.select(
        pl.int_range(1, pl.len() + 1).alias("enrolment"),
        pl.format("e{}x{}", "person", "turn").alias("sourced_id"),
        pl.lit(0).alias("line"),
        "person",
        (pl.col("turn") * block + (pl.col("person") + 7 * pl.col("turn")) % block + 1).alias("klass"),
        pl.lit(BEGIN).alias("begin"),
        pl.lit(END).alias("end"),
    )
    key = pl.DataFrame({"klass": pl.int_range(1, classes + 1, eager=True)})
    teachings = key.select(
        pl.col("klass").alias("teaching"),
        pl.format("t{}", "klass").alias("sourced_id"),
        pl.lit(0).alias("line"),
        (pl.col("klass") % teachers + students + 1).alias("person"),
        "klass",
        pl.lit("teacher").alias("teacher_type"),
        pl.lit(BEGIN).alias("begin"),
        pl.lit(END).alias("end"),
    )
    named = key.with_columns(sourced_id=pl.format("c{}", "klass"), line=0, title=pl.format("Class {}", "klass"))
    return Roster(
        institutes=_frame("institutes", pl.DataFrame({"institute": [1], "sourced_id": ["bench"], "name": ["Bench"]})),
        locations=_frame("locations", _numbered("location", locations, kind="school")),
        academic_periods=_frame(
            "academic_periods", _numbered("period", 1, "title").with_columns(begin=pl.lit(BEGIN), end=pl.lit(END))
        ),
        grades=_frame("grades", _numbered("grade", grades)),
        groups=_frame("groups", named.rename({"klass": "group", "title": "name"})),
        subjects=_frame("subjects", named.rename({"klass": "subject", "title": "name"})),
        classes=_frame(
            "classes",
            named.with_columns(
                code=pl.format("C{}", "klass"), kind=pl.lit("scheduled"), group="klass", subject="klass", period=1
            ),
        ),
        people=_frame("people", people),
        affiliations=_frame("affiliations", affiliations),
        enrolments=_frame("enrolments", enrolments),
        teachings=_frame("teachings", teachings),
    )


def _numbered(key: str, count: int, called: str = "name", **more: str) -> pl.DataFrame:
    frame = pl.DataFrame({key: pl.int_range(1, count + 1, eager=True)})
    more_columns = {name: pl.lit(value) for name, value in more.items()}
    return frame.with_columns(
        pl.format(f"{key}{{}}", key).alias("sourced_id"), pl.format(f"{key} {{}}", key).alias(called), **more_columns
    )


def _frame(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    schema = SCHEMAS[table]
    missing = [pl.lit(0 if name == "line" else None).alias(name) for name in schema if name not in frame.columns]
    return frame.with_columns(missing).select(schema.keys()).cast(pl.Schema(schema))


def object_of(link: int) -> str:
    """The object id that what stands for a link is seeded with."""
    return str(uuid.UUID(int=link + (1 << 100)))


def seed(tenant: Running, plan: Plan, marks: dict[int, str], marked: str) -> dict[int, str]:
    """The plan carried out by seeding; the object id of every link that has one now."""
    values = {seq: json.loads(after) for seq, after in plan.details.select("seq", "after").iter_rows() if after}
    rows = plan.changes.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED))
    made = rows.filter(pl.col("kind").is_in([int(kind) for kind in (*MADE, Kind.CREATE_USER)]))
    objects = {link: object_of(link) for link in made["subject"]}
    licences = _licences(rows, values)
    inside: dict[str, dict[int, list[str]]] = {"owners": defaultdict(list), "members": defaultdict(list)}
    for kind, team, user in rows.select("kind", "subject", "object").iter_rows():
        if kind in (Kind.ADD_OWNER, Kind.ADD_MEMBER) and user in objects:
            inside["owners" if kind == Kind.ADD_OWNER else "members"][team].append(objects[user])
    users, groups, classes = [], [], []
    nested = {objects[link] for link in made.filter(pl.col("kind") != int(Kind.CREATE_USER))["subject"]}
    teams = set(rows.filter(pl.col("kind") == int(Kind.CREATE_TEAM))["subject"])
    for seq, kind, link in made.select("seq", "kind", "subject").iter_rows():
        given: dict[str, Any] = {"id": objects[link]}
        if kind == Kind.CREATE_USER:
            body = codec.create_user(password="", mark_property=marked, mark=marks[link], **values[seq]).body
            body.pop("passwordProfile")
            users.append({**body, **given, "assignedLicenses": licences.get(link, [])})
            continue
        # Groups in groups are left to the first synchronization.
        people = {side: [key for key in keys[link] if key not in nested] for side, keys in inside.items()}
        if kind == Kind.CREATE_CLASS:
            body = codec.create_class(external_name="", mark=marks[link], **values[seq]).body
            classes.append({**body, **given, **people, "team": link in teams})
        else:
            body = codec.create_group(marks[link], values[seq]).body
            name = {"uniqueName": f"{codec.UNIQUE_NAME}{marks[link]}"}
            groups.append({**body, **given, **name, **people})
    for kept, entries in (("users", users), ("groups", groups), ("classes", classes)):
        for start in range(0, len(entries), AT_ONCE):
            tenant.control("seed", {kept: entries[start : start + AT_ONCE]})
    return objects


def _licences(rows: pl.DataFrame, values: dict[int, Any]) -> dict[int, list[dict[str, Any]]]:
    licensing = rows.filter(pl.col("kind") == int(Kind.LICENSE_USER))
    return {
        link: [{"skuId": entry["sku"], "disabledPlans": entry["off"]} for entry in values[seq]["licences"]]
        for seq, link in licensing.select("seq", "subject").iter_rows()
    }
