"""Mappings of 100,000 people: against the same columns made by bare polars, and the same expressions by the bare engine."""

from __future__ import annotations

import minijinja
import polars as pl
from anyascii import anyascii

from bench.rows import Row, seconds
from rollbook.desired.mapping import mapped
from rollbook.profiles import PROPERTIES, Mapping

PEOPLE = 100_000
EXPRESSIONS = {
    "display_name": "{{ last_name|upper }}, {{ first_name }}",
    "job_title": "{{ 'Pupil' if user_type == 'student' else 'Staff' }} {{ id }}",
    "department": "{{ join(' / ', location, grade, last_name) }}",
}
COLUMNS = {
    "given_name": "called_first",
    "surname": "called_last",
    "employee_id": "employee_number",
    "company_name": "institute",
    "street_address": "location",
    "city": "grade",
    "state": "groups",
}
STATIC = {"postal_code": "10434", "country": "Greece"}


def measure() -> list[Row]:
    """The one row of the area `mapping`."""
    rows = _people()
    mappings = {name: Mapping(type="expression", value=text) for name, text in EXPRESSIONS.items()}
    mappings |= {name: Mapping(value=value) for name, value in COLUMNS.items()}
    mappings |= {name: Mapping(type="static", value=text) for name, text in STATIC.items()}
    ours = seconds(lambda: mapped(rows, mappings), repeats=3)
    columns = seconds(lambda: _columns(rows), repeats=3)
    engine = seconds(lambda: _expressions(rows), repeats=3)
    name = "100,000 people x 12 mappings, 3 of them expressions"
    return [Row(name, ours, "s", columns + engine, 1.5)]


def _people() -> pl.DataFrame:
    numbers = range(PEOPLE)
    given = {
        "first_name": [f"Given{n % 997}" for n in numbers],
        "last_name": [f"Family{n}" for n in numbers],
        "called_first": [f"Given{n % 997}" for n in numbers],
        "called_last": [f"Family{n}" for n in numbers],
        "employee_number": [str(n) for n in numbers],
        "id": [f"p{n}" for n in numbers],
        "institute": ["School"] * PEOPLE,
        "location": [f"House {n % 7}" for n in numbers],
        "grade": [str(n % 12) for n in numbers],
        "groups": [f"{n % 12}A" for n in numbers],
        "user_type": ["student" if n % 10 else "teacher" for n in numbers],
    }
    missing = {name: [None] * PEOPLE for name in PROPERTIES if name not in given}
    schema = {"person": pl.Int64, **dict.fromkeys((*given, *missing), pl.String)}
    return pl.DataFrame({"person": numbers, **given, **missing}, schema=schema)


def _columns(rows: pl.DataFrame) -> pl.DataFrame:
    """The properties and static texts as one bare selection, trimmed, with the lengths looked at."""
    taken = [pl.col(source).str.strip_chars().alias(name) for name, source in COLUMNS.items()]
    static = [pl.lit(text).alias(name) for name, text in STATIC.items()]
    made = rows.select("person", *taken, *static)
    made.select(pl.col(name).str.len_chars().max() for name in COLUMNS)
    return made


def _expressions(rows: pl.DataFrame) -> list[list[str]]:
    """The expressions by the engine alone, row by row."""
    environment = minijinja.Environment(fuel=5_000, undefined_behavior="strict")
    environment.add_function("join", lambda sep, *parts: sep.join(part for part in parts if part))  # type: ignore[attr-defined]
    environment.add_filter("ascii", anyascii)
    made = []
    for name, text in EXPRESSIONS.items():
        environment.add_template(name, text)
        fields = sorted(environment.undeclared_variables_in_str(text) - {"join"})
        made.append([environment.render_template(name, **row) for row in rows.select(fields).iter_rows(named=True)])
    return made
