"""Mappings carried out: properties of people as columns, and what each mapping makes of them, with what went wrong for whom.

Properties and static texts are column operations; expressions run once for each distinct set of values they read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from collections.abc import Mapping as Table

import polars as pl

from rollbook.profiles import PROPERTIES, TARGETS, Row, Target
from rollbook.profiles.expressions import ExpressionFailed, fields_of, renderer
from rollbook.roster.tables import Roster
from rollbook.roster.vocabulary import UserType

NAME_LENGTH = 256
EMPLOYEE_NUMBER_LENGTH = 16

PROBLEMS: Table[str, pl.DataType | type[pl.DataType]] = {"target": pl.String, "problem": pl.String}


def properties(
    roster: Roster, people: pl.DataFrame, as_of: dt.date, asked: frozenset[str] = frozenset(PROPERTIES)
) -> pl.DataFrame:
    """[person, the properties `asked` for, of profiles.mappings.PROPERTIES] of `people` [person, user_type, present, current].

    The groups of everybody alone take as long as all the rest, so that who needs few had better ask for few.
    """
    institute = roster.institutes["name"][0] if roster.institutes.height else None
    rows = people.select("person", pl.col("user_type").cast(pl.String), "present", "current")
    # Lazily, so that what is not asked for is not even put together.
    found = rows.lazy().join(_named(roster), on="person", how="left", maintain_order="left")
    for fields, (told_by, key) in TOLD_BY.items():
        if not asked.isdisjoint(fields):
            found = found.join(told_by(roster, as_of).lazy(), on=key, how="left", maintain_order="left")
    known = {
        "status": _status(),
        "active": _yes(pl.col("present")),
        "has_enrolments": _yes(pl.col("_enrolled").fill_null(value=False) | _counted()),
        "active_and_has_enrolments": _yes(pl.col("current")),
        "employee_id": pl.when(_of_staff()).then("sis_number"),
        "registration_end_date": pl.coalesce("_given_end", "_last_end").dt.to_string("iso"),
        "institute": pl.lit(institute, dtype=pl.String),
        "today": pl.lit(as_of.isoformat()),
    }
    values = [known.get(name, pl.col(name)).alias(name) for name in PROPERTIES if name in asked]
    return found.select("person", *values).collect()


def _named(roster: Roster) -> pl.LazyFrame:
    """[person, and what the register says of the people themselves]."""
    first = pl.coalesce("preferred_given_name", "given_name")
    last = pl.coalesce("preferred_family_name", "family_name")
    number = pl.col("sis_number")
    return roster.people.lazy().select(
        "person",
        name=_joined(" ", first, last),
        name_family_first=_joined(" ", last, first),
        name_family_comma=_joined(", ", last, first),
        called_first=first,
        called_last=last,
        first_name="given_name",
        middle_name="middle_name",
        last_name="family_name",
        preferred_first_name="preferred_given_name",
        preferred_last_name="preferred_family_name",
        contact_email="email",
        username="username",
        id="sourced_id",
        external_id="external_id",
        sis_number="sis_number",
        employee_number=pl.when(number.str.len_chars() <= EMPLOYEE_NUMBER_LENGTH).then(number),
        phone="phone",
        _said_active="active",
        _given_end="registration_end",
    )


def _yes(condition: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(pl.lit("yes")).otherwise(pl.lit("no"))


def _status() -> pl.Expr:
    """Whoever is active in the register and yet not present is past the end."""
    inactive = pl.when(~pl.col("_said_active")).then(pl.lit("inactive"))
    return pl.when("present").then(pl.lit("active")).otherwise(inactive.otherwise(pl.lit("left")))


def _of_staff() -> pl.Expr:
    return pl.col("user_type").is_in([UserType.TEACHER.value, UserType.EMPLOYEE.value])


def _counted() -> pl.Expr:
    """People who are current because of an enrolment; employees are without one."""
    return pl.col("current") & (pl.col("user_type") != UserType.EMPLOYEE.value)


def _joined(separator: str, *parts: pl.Expr) -> pl.Expr:
    return pl.concat_str(parts, separator=separator, ignore_nulls=True).str.slice(0, NAME_LENGTH)


def _placed(roster: Roster, _: dt.date) -> pl.DataFrame:
    """[person, user_type, and where they are placed] by the first affiliation of each type."""
    grades = roster.grades.select("grade", grade_name="name", grade_level="level")
    locations = roster.locations.select("location", location_name="name")
    departments = roster.locations.select(department="location", department_name="name")
    return (
        roster.affiliations.unique(["person", "user_type"], keep="first", maintain_order=True)
        .join(grades, on="grade", how="left")
        .join(locations, on="location", how="left")
        .join(departments, on="department", how="left")
        .select(
            "person",
            pl.col("user_type").cast(pl.String),
            "grade_type",
            "grade_level",
            "stream",
            grade="grade_name",
            location="location_name",
            department="department_name",
        )
    )


def _enrolled(roster: Roster, as_of: dt.date) -> pl.DataFrame:
    """[person, _enrolled, _last_end]: whether they, or children of theirs, learn or teach that day, and until when at the latest.

    The last end is null while a class of their own is open, and for whoever has none.
    """
    columns = ("person", "begin", "end")
    own = pl.concat([roster.enrolments.select(columns), roster.teachings.select(columns)])
    begun = (pl.col("begin") <= as_of).fill_null(value=True)
    in_force = begun & (pl.col("end") > as_of).fill_null(value=True)
    spans = own.group_by("person").agg(
        _enrolled=in_force.any(), _last_end=pl.when(pl.col("end").null_count() == 0).then(pl.col("end").max())
    )
    children = spans.filter("_enrolled").select(child="person")
    parents = roster.guardianships.join(children, on="child", how="semi").select(person="parent").unique()
    return spans.join(parents.with_columns(_parent=pl.lit(value=True)), on="person", how="full", coalesce=True).select(
        "person", "_last_end", _enrolled=pl.any_horizontal("_enrolled", "_parent").fill_null(value=False)
    )


def _groups(roster: Roster, _: dt.date) -> pl.DataFrame:
    """[person, groups]: the names of the groups of all classes somebody is taught in or teaches, in order, with commas."""
    of_class = roster.classes.select("klass", "group").join(roster.groups.select("group", "name"), on="group")
    inside = pl.concat([roster.enrolments.select("person", "klass"), roster.teachings.select("person", "klass")])
    return (
        inside.join(of_class, on="klass")
        .select("person", "name")
        .unique()
        .sort("person", "name")
        .group_by("person")
        .agg(groups=pl.col("name").str.join(", "))
    )


def fields_used(mappings: Table[str, Row]) -> frozenset[str]:
    """The properties that some mapping reads."""
    read = [
        fields_of(m.value) if m.type == "expression" else {m.value} for m in mappings.values() if m.type != "static"
    ]
    return frozenset().union(*read)


TOLD_BY: Table[tuple[str, ...], tuple[Callable[[Roster, dt.date], pl.DataFrame], tuple[str, ...]]] = {
    ("grade_type", "grade_level", "stream", "grade", "location", "department"): (_placed, ("person", "user_type")),
    ("groups",): (_groups, ("person",)),
    ("has_enrolments", "registration_end_date"): (_enrolled, ("person",)),
}
"""Properties that are looked up elsewhere than among the people, by what and by which columns."""


def mapped(
    rows: pl.DataFrame, mappings: Table[str, Row], targets: Table[str, Target] = TARGETS, key: str = "person"
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What the mappings make of people, or of teams and groups: [key, every target], and what went wrong [key, target, problem].

    `rows` has [key, every property]. A target without a mapping is null; one that failed is null too, and named in the
    problems, as is one that is too long or, being required, empty.
    """
    used = {target: mappings[target] for target in targets if target in mappings}
    rendered = {target: evaluated(rows, m.value) for target, m in used.items() if m.type == "expression"}
    made = rows.select(key, *(_made_of(m, rendered.get(target)).alias(target) for target, m in used.items()))
    failed = {target: pl.lit(rendered[target][1]) if target in rendered else NOTHING for target in used}
    wrong = {target: _wrong(target, targets[target]) for target in used}
    # Nearly always nothing is wrong with anybody, so that is asked first, and of all targets at once.
    ever = made.select(
        pl.any_horizontal(failed[target].is_not_null(), *wrong[target].values()).any().alias(target) for target in used
    )
    amiss = [target for target in used if ever[target].item()]
    told = made.select(
        key,
        *(
            pl.coalesce(failed[target], *(pl.when(so).then(pl.lit(why)) for why, so in wrong[target].items())).alias(
                target
            )
            for target in amiss
        ),
    )
    values = {
        **dict.fromkeys(targets, NOTHING),
        **{target: pl.col(target) for target in used},
        **{target: pl.when(told[target].is_null()).then(pl.col(target)) for target in amiss},
    }
    none = pl.DataFrame(schema={key: pl.Int64, **PROBLEMS}).select(key, "target", "problem")
    problems = [told.select(key, target=pl.lit(target), problem=target).drop_nulls("problem") for target in amiss]
    return made.select(key, *(value.alias(target) for target, value in values.items())), pl.concat([none, *problems])


NOTHING = pl.lit(None, dtype=pl.String)


def _made_of(mapping: Row, rendered: tuple[pl.Series, pl.Series] | None) -> pl.Expr:
    """The value of one mapping for every row in the letters it asks for, empty ones null."""
    made = pl.lit(mapping.value)
    if mapping.type == "property":
        text = pl.col(mapping.value).str.strip_chars()
        made = pl.when(text.str.len_bytes() > 0).then(text)
    elif rendered is not None:
        made = pl.lit(rendered[0])
    if mapping.casing == "lower":
        return made.str.to_lowercase()
    return made.str.to_uppercase() if mapping.casing == "upper" else made


def _wrong(target: str, limits: Target) -> dict[str, pl.Expr]:
    """What may be wrong with the values of a target, in words, and whether it is so; the first that is so counts."""
    made = pl.col(target)
    words = {f"neither {' nor '.join(limits.words)}": ~made.is_in(limits.words)} if limits.words else {}
    long = (
        {} if limits.shortened else {f"longer than {limits.longest} characters": made.str.len_chars() > limits.longest}
    )
    empty = {"empty, though it has to be there": made.is_null()} if limits.required else {}
    return {why: so.fill_null(value=False) for why, so in {**words, **long, **empty}.items()}


def evaluated(rows: pl.DataFrame, expression: str) -> tuple[pl.Series, pl.Series]:
    """The value of an expression for every row, empty ones null; and the sentence why there is none."""
    fields = sorted(fields_of(expression)) or rows.columns[:1]
    keys = rows.select(pl.col(fields).cast(pl.String).fill_null(""))
    distinct = keys.unique(maintain_order=True)
    value = renderer(expression)
    values: list[str | None] = []
    failed: list[str | None] = []
    for row in distinct.iter_rows(named=True):
        try:
            values.append(value(row) or None)
            failed.append(None)
        except ExpressionFailed as failure:
            values.append(None)
            failed.append(str(failure))
    table = distinct.with_columns(
        pl.Series("_value", values, dtype=pl.String), pl.Series("_failed", failed, dtype=pl.String)
    )
    if distinct.height < keys.height:
        table = keys.join(table, on=fields, how="left", maintain_order="left")
    return table["_value"], table["_failed"]
