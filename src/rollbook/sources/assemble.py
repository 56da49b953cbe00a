"""Accepted OneRoster rows -> the frames of a Roster: institute and locations, periods, groups, people with their user types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from rollbook.errors import DeliveryRefused
from rollbook.roster import tables
from rollbook.roster.findings import Finding
from rollbook.roster.former import Former
from rollbook.roster.groups import group_classes
from rollbook.roster.tables import Roster
from rollbook.sources.grouping import counting, grouped_before, regrouped, spans_of
from rollbook.sources.sessions import school_years

Rows = Mapping[str, pl.DataFrame]
Known = Callable[[str], Former]
"""What was known of an institute, by its sourced id."""

TABLE_FILES = {"people": "users.csv", "classes": "classes.csv", "enrolments": "enrollments.csv"}

LOCATION_KINDS = {"school": "school", "department": "department"}

USER_TYPES = {
    "student": "student",
    "teacher": "teacher",
    "aide": "teacher",
    "proctor": "teacher",
    "administrator": "employee",
    "parent": "parent",
    "guardian": "parent",
    "relative": "parent",
}
"""What a OneRoster role makes of a person."""

TEACHER_TYPES = {"teacher": "teacher", "aide": "assistant", "proctor": "assistant", "administrator": "assistant"}
"""What a OneRoster enrollment role makes of a teacher."""


def assemble(rows: Rows, institute: str | None, known: Known) -> tuple[Roster, list[Finding]]:
    """The Roster of the institute (the topmost org, or the one named), and notes on what was derived."""
    topmost = _institute(rows["orgs.csv"], institute)
    orgs, former = _within(rows["orgs.csv"], topmost), known(topmost)
    institutes, locations = _places(orgs)
    periods, markings, sessions, findings = school_years(rows["academicSessions.csv"], former.years)
    users = _of_orgs(rows["users.csv"], "orgSourcedIds", orgs)
    classes = rows["classes.csv"].join(orgs.select(schoolSourcedId="sourcedId"), on="schoolSourcedId", how="semi")
    people = _people(users)
    grades = _grades(users, classes)
    ids = _numbered(classes.select(sourced_id="sourcedId", line="line"), "klass")
    enrolments, teachings = _enrolments(rows["enrollments.csv"], people, ids)
    subjects = _subjects(rows["courses.csv"], orgs, locations)
    described = _described(classes, ids, locations, grades, subjects, sessions)
    spans = spans_of(described, classes, sessions)
    before = grouped_before(spans, former)
    kept = before if former.keep else None
    with ThreadPoolExecutor(1) as beside:
        homes = beside.submit(group_classes, spans, counting(enrolments, people, former.day), kept)
        guardianships = _guardianships(users, people)
        affiliations = _affiliations(users, people, locations, grades, teachings, guardianships)
        groups, described = _groups(described, homes.result())
    findings += regrouped(described, homes.result(), before, kept=former.keep)
    frames = {
        "institutes": institutes,
        "locations": locations,
        "academic_periods": periods,
        "marking_periods": markings,
        "grades": grades,
        "groups": groups,
        "subjects": subjects,
        "classes": described,
        "class_markings": _class_markings(classes, ids, markings),
        "people": people,
        "affiliations": affiliations,
        "guardianships": guardianships,
        "enrolments": enrolments,
        "teachings": teachings,
    }
    return Roster(**{name: _shaped(name, frame) for name, frame in frames.items()}), findings


def _shaped(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with exactly the columns and types of its table."""
    columns = [
        pl.col(column).cast(kind) if column in frame.columns else pl.lit(None, dtype=kind).alias(column)
        for column, kind in tables.SCHEMAS[name].items()
    ]
    return frame.select(columns)


def _numbered(frame: pl.DataFrame, key: str) -> pl.DataFrame:
    return frame.with_row_index(key, offset=1).with_columns(pl.col(key).cast(pl.Int64))


def _key(frame: pl.DataFrame, column: str, keys: pl.DataFrame, key: str) -> pl.DataFrame:
    """`column` (a sourced id) replaced by the integer `key` of `keys` [sourced_id, key]."""
    mapping = keys.select(pl.col("sourced_id").alias(column), pl.col(key).alias(f"_{key}"))
    return frame.join(mapping, on=column, how="left", maintain_order="left").drop(column).rename({f"_{key}": key})


def _by_line(keys: pl.DataFrame, key: str, lines: pl.Series) -> pl.Series:
    """The `key` of the record on each of these lines of its file, null where there is none: an array, not a join.

    `keys` has [line, key]. Lines come from the columns that validation puts beside a reference.
    """
    last = pl.select(pl.max_horizontal(keys["line"].max(), lines.max(), 0)).item()
    table = pl.repeat(None, last + 1, dtype=pl.Int64, eager=True).scatter(keys["line"], keys[key])
    return table.gather(lines).alias(key)


def _institute(orgs: pl.DataFrame, wanted: str | None) -> str:
    topmost = orgs.filter(pl.col("parentSourcedId").is_null())
    if wanted is not None:
        if wanted not in orgs["sourcedId"].to_list():
            raise DeliveryRefused(
                f"The delivery has no org {wanted!r}.", remedy="Name one of: " + _listed(topmost) + "."
            )
        return wanted
    if topmost.height == 1:
        return str(topmost["sourcedId"][0])
    if topmost.is_empty():
        raise DeliveryRefused("No org of the delivery is the topmost.", remedy="Leave its parentSourcedId empty.")
    raise DeliveryRefused(
        f"The delivery has {topmost.height} topmost orgs; one delivery feeds one institute.",
        remedy=f"Name one with --institute ID: {_listed(topmost)}.",
    )


def _listed(orgs: pl.DataFrame) -> str:
    return ", ".join(
        f"{sourced_id} ({name})" for sourced_id, name in orgs.select("sourcedId", "name").head(10).iter_rows()
    )


def _within(orgs: pl.DataFrame, institute: str) -> pl.DataFrame:
    """The org of the institute and all below it, the institute first."""
    found = orgs.filter(pl.col("sourcedId") == institute)
    level = found
    while not level.is_empty():
        below = orgs.join(level.select(parentSourcedId="sourcedId"), on="parentSourcedId", how="semi")
        level = below.join(found, on="sourcedId", how="anti")
        found = pl.concat([found, level])
    return found


def _places(orgs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    named = orgs.rename({"sourcedId": "sourced_id", "identifier": "code"})
    institutes = named.head(1).with_columns(institute=pl.lit(1))
    kind = pl.col("type").replace_strict(LOCATION_KINDS, default="campus")
    below = _numbered(named.tail(-1), "location").with_columns(kind=kind)
    parents = below.select("sourced_id", parent="location")
    return institutes, _key(below, "parentSourcedId", parents, "parent")


def _of_orgs(rows: pl.DataFrame, column: str, orgs: pl.DataFrame) -> pl.DataFrame:
    """Rows that name at least one of the orgs in their list."""
    if rows.is_empty():
        return rows
    inside = (
        rows.select("line", column)
        .explode(column, empty_as_null=True)
        .join(orgs.select(pl.col("sourcedId").alias(column)), on=column, how="semi")
    )
    return rows.join(inside.select("line").unique(), on="line", how="semi", maintain_order="left")


def _people(users: pl.DataFrame) -> pl.DataFrame:
    names = {
        "sourcedId": "sourced_id",
        "enabledUser": "active",
        "givenName": "given_name",
        "middleName": "middle_name",
        "familyName": "family_name",
        "identifier": "sis_number",
        "metadata.registrationEndDate": "registration_end",
    }
    external = pl.coalesce("metadata.externalId", "userIds")
    return _numbered(users.rename(names).with_columns(external_id=external), "person")


def _grades(users: pl.DataFrame, classes: pl.DataFrame) -> pl.DataFrame:
    """The grades people and classes name, with the line of the first row that does."""
    named = pl.concat([users.select("grades").with_columns(line=0), classes.select("grades").with_columns(line=0)])
    words = named.explode("grades", empty_as_null=True).drop_nulls("grades").unique("grades").sort("grades")
    return _numbered(words.select(sourced_id="grades", name="grades", line="line"), "grade")


def _first_grade(frame: pl.DataFrame, grades: pl.DataFrame) -> pl.DataFrame:
    """`grades` (a list) replaced by the key of its first item."""
    first = frame.with_columns(pl.col("grades").list.first())
    return _key(first, "grades", grades, "grade")


def _subjects(courses: pl.DataFrame, orgs: pl.DataFrame, locations: pl.DataFrame) -> pl.DataFrame:
    mine = courses.join(orgs.select(orgSourcedId="sourcedId"), on="orgSourcedId", how="semi")
    named = mine.rename({"sourcedId": "sourced_id", "title": "name", "courseCode": "code"})
    return _numbered(_key(named, "orgSourcedId", locations, "location"), "subject")


def _described(
    classes: pl.DataFrame,
    ids: pl.DataFrame,
    locations: pl.DataFrame,
    grades: pl.DataFrame,
    subjects: pl.DataFrame,
    sessions: pl.DataFrame,
) -> pl.DataFrame:
    """Classes with the keys of everything but their group."""
    named = classes.rename({"sourcedId": "sourced_id", "classCode": "code", "classType": "kind"}).with_columns(
        ids["klass"]
    )
    named = _key(named, "schoolSourcedId", locations, "location")
    named = _key(_first_grade(named, grades), "courseSourcedId", subjects, "subject")
    first_term = named.with_columns(pl.col("termSourcedIds").list.first())
    return _key(first_term, "termSourcedIds", sessions, "period")


def _groups(described: pl.DataFrame, homes: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A group for each class that stands for one, and the classes with the key of theirs."""
    standing = described.join(homes.select(klass="home").unique(), on="klass", how="semi", maintain_order="left")
    groups = _numbered(standing.rename({"title": "name"}), "group")
    of_class = homes.join(groups.select(home="klass", group="group"), on="home").select("klass", "group")
    return groups, described.join(of_class, on="klass", how="left", maintain_order="left")


def _class_markings(classes: pl.DataFrame, ids: pl.DataFrame, markings: pl.DataFrame) -> pl.DataFrame:
    terms = classes.select(sourced_id="sourcedId", term="termSourcedIds").explode("term", empty_as_null=True)
    return (
        terms.join(ids.select("sourced_id", "klass"), on="sourced_id")
        .join(markings.select("marking", term="sourced_id"), on="term")
        .select("klass", "marking")
        .unique(maintain_order=True)
    )


def _enrolments(rows: pl.DataFrame, people: pl.DataFrame, classes: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Students' rows as enrolments, all others as teachings. `people` and `classes` have [line, person] and [line, klass]."""
    named = rows.select(
        _by_line(people, "person", rows["userSourcedId@"]),
        _by_line(classes, "klass", rows["classSourcedId@"]),
        "role",
        "primary",
        "line",
        sourced_id="sourcedId",
        begin="beginDate",
        end="endDate",
    )
    if named["person"].null_count() or named["klass"].null_count():
        # People and classes of other institutes in the same delivery.
        named = named.drop_nulls(["person", "klass"])
    teacher_type = pl.col("role").replace_strict(TEACHER_TYPES, default=None)
    teaching = named.filter(pl.col("role") != "student").with_columns(teacher_type=teacher_type)
    enrolled = named.filter(pl.col("role") == "student").drop("role", "primary")
    return _numbered(enrolled, "enrolment"), _numbered(teaching, "teaching")


def _guardianships(users: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Whoever a student names as an agent is a parent of theirs."""
    named = users.select("role", child=people["person"], parent_id="agentSourcedIds")
    return (
        named.filter((pl.col("role") == "student") & pl.col("parent_id").is_not_null())
        .explode("parent_id", empty_as_null=True)
        .join(people.select(parent_id="sourced_id", parent="person"), on="parent_id")
        .select("child", "parent")
        .unique(maintain_order=True)
    )


def _affiliations(
    users: pl.DataFrame,
    people: pl.DataFrame,
    locations: pl.DataFrame,
    grades: pl.DataFrame,
    teachings: pl.DataFrame,
    guardianships: pl.DataFrame,
) -> pl.DataFrame:
    """What everybody is: by role, and also a teacher who teaches, a parent who is named as one."""
    # People are the users, numbered, in the same order.
    placed = _placed(_first_grade(users, grades), locations).with_columns(people["person"])
    by_role = placed.select(
        "person",
        "location",
        "department",
        "grade",
        grade_type="metadata.gradeType",
        stream="metadata.stream",
        user_type=pl.col("role").replace_strict(USER_TYPES),
    )
    extra = pl.concat(
        [
            teachings.select("person", user_type=pl.lit("teacher")),
            guardianships.select(person="parent", user_type=pl.lit("parent")),
        ]
    ).unique(maintain_order=True)
    more = extra.join(by_role, on=["person", "user_type"], how="anti").join(
        by_role.select("person", "location", "department"), on="person", how="left"
    )
    return pl.concat([by_role, more], how="diagonal")


def _placed(users: pl.DataFrame, locations: pl.DataFrame) -> pl.DataFrame:
    """The users with `location`, the first of their orgs that is no department, and `department`, the first that is one.

    Whoever is in departments only is where the first of them is. The institute itself is no location: null.
    """
    departments = locations.filter(pl.col("kind") == "department")
    first = users.with_columns(pl.col("orgSourcedIds").list.first())
    if departments.is_empty():
        placed = _key(first, "orgSourcedIds", locations, "location")
        return placed.with_columns(department=pl.lit(None, dtype=pl.Int64))
    places = locations.select("location", sourced_id="sourced_id", inside=pl.col("kind") == "department")
    orgs = (
        users.select("line", sourced_id="orgSourcedIds")
        .explode("sourced_id", empty_as_null=True)
        .join(places, on="sourced_id", how="left", maintain_order="left")
    )
    outside = orgs.filter(pl.col("inside").fill_null(value=False).not_()).unique(
        "line", keep="first", maintain_order=True
    )
    inside = orgs.filter("inside").unique("line", keep="first", maintain_order=True)
    within = inside.join(outside, on="line", how="anti").join(_campuses(locations), on="location", how="left")
    place = pl.concat([outside.select("line", "location"), within.select("line", location="campus")])
    return users.join(place, on="line", how="left", maintain_order="left").join(
        inside.select("line", department="location"), on="line", how="left", maintain_order="left"
    )


def _campuses(locations: pl.DataFrame) -> pl.DataFrame:
    """[location, campus]: the nearest location above that is no department, or the location itself; null for the institute."""
    above = locations.select(campus="location", up="parent", inside=pl.col("kind") == "department")
    found = locations.select("location", campus="location")
    while True:
        step = found.join(above, on="campus", how="left", maintain_order="left")
        if not step["inside"].any():
            return found
        found = step.select("location", campus=pl.when("inside").then("up").otherwise("campus"))
