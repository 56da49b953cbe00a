"""What has to be looked at: what changed in the register and at Microsoft since the last look, and what fell due. Set-based.

Rows of the register are versions told apart by a hash of their content, so that what changed since a delivery is what has a version
that begins or ends after it. Marks move only when a run was applied: what was planned and refused is looked at again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
import polars as pl
from django.db import connection, transaction
from django.db.models import Max, Min

from rollbook.desired import near
from rollbook.desired.current import END_OF_YEAR_DAYS
from rollbook.plan.changes import ChangeVerdict
from rollbook.profiles import Profile
from rollbook.store.bulk import among, insert_frame, read_frame, table_of
from rollbook.store.groupings import digest
from rollbook.store.models import (
    Change,
    Connection,
    Due,
    Grouping,
    Institute,
    Link,
    MirrorMember,
    Noticed,
    Run,
    ScopeMark,
    Source,
    Tenant,
)
from rollbook.store.register import BY_NAME

STRUCTURE = ("locations", "academic_periods", "marking_periods", "grades")
"""Tables of which a change may concern everybody."""

TOUCHED: Sequence[tuple[str, str, str]] = (
    ("people", "entity", "person"),
    ("affiliations", "person", "person"),
    ("guardianships", "child", "person"),
    ("guardianships", "parent", "person"),
    ("enrolments", "person", "person"),
    ("enrolments", "klass", "class"),
    ("teachings", "person", "person"),
    ("teachings", "klass", "class"),
    ("classes", "entity", "class"),
    ("class_markings", "klass", "class"),
    ("groups", "entity", "group"),
    ("subjects", "entity", "subject"),
)
"""Of which table which column says who or what a changed row is about."""

MANY = 5_000
"""From so many people on, a look at everything costs less."""

KEY = {"key": pl.Int64}


def horizon(institute: Institute, tenant: Tenant) -> dict[str, Any]:
    """How far a look that begins now sees: published deliveries by source, the newest thing noticed, what is in no delivery."""
    return {
        "deliveries": {str(pk): number for pk, number in institute.sources.values_list("pk", "published")},
        "noticed": Noticed.objects.filter(tenant=tenant).aggregate(last=Max("pk"))["last"] or 0,
        "structure": _structure(institute),
    }


def _structure(institute: Institute) -> str:
    name, levels = Institute.objects.values_list("name", "grade_levels").get(pk=institute.pk)
    return hashlib.sha256(orjson.dumps([name, levels], option=orjson.OPT_SORT_KEYS)).hexdigest()


def to_look_at(
    institute: Institute, tenant: Tenant, version: int, until: Mapping[str, Any], day: dt.date
) -> near.Seeds | None:
    """What changed, or falls due by `day`, since the last look, as far as `until` sees; None: everything has to be looked at.

    That is so before the first look, under other settings, after a change of the school's structure or years, and for very many.
    """
    mark = ScopeMark.objects.filter(institute=institute, tenant=tenant, profile_version=version).first()
    if mark is None or mark.structure != until["structure"] or mark.deliveries.keys() != until["deliveries"].keys():
        return None
    due = _due(institute, day)
    sources = {pk: (mark.deliveries[pk], number) for pk, number in until["deliveries"].items()}
    changed = {pk: span for pk, span in sources.items() if span[0] != span[1]}
    if due.filter(pl.col("kind") == Due.Kind.PERIOD).height or _restructured(changed):
        return None
    people, classes = _changed(changed)
    links = due.filter(pl.col("kind") == Due.Kind.LINK)["subject"]
    noticed, teams = _noticed(institute, tenant, mark.noticed, until["noticed"], links)
    fallen = due.filter(pl.col("kind") == Due.Kind.PERSON)["subject"]
    everybody = pl.concat([people, noticed, fallen]).unique().sort()
    if everybody.len() > MANY:
        return None
    return near.Seeds(everybody, classes, teams)


def without_account(tenant: Tenant, people: pl.Series) -> list[int]:
    """Those of these people who have no account in the tenant yet, in order."""
    about, listed = among("subject", people)
    statement = f"SELECT subject FROM {table_of(Link)} WHERE tenant_id = %s AND kind = 'user' AND object_id IS NOT NULL AND {about}"
    linked = read_frame(statement, [tenant.pk, *listed], KEY)["key"]
    found: list[int] = people.filter(~people.is_in(linked.implode())).unique().sort().to_list()
    return found


def _due(institute: Institute, day: dt.date) -> pl.DataFrame:
    statement = f"SELECT DISTINCT kind, subject FROM {table_of(Due)} WHERE institute_id = %s AND day <= %s"
    return read_frame(statement, [institute.pk, day], {"kind": pl.String, "subject": pl.Int64})


Spans = Mapping[str, tuple[int, int]]
"""By source, the delivery that was looked at last and the one that counts now."""


def _versions(table: str, column: str, source: str, span: tuple[int, int]) -> pl.Series:
    """Values of a column in rows whose versions began or ended between two deliveries."""
    quoted = connection.ops.quote_name(column)
    name = table_of(BY_NAME[table].model)
    found = [
        read_frame(
            f"SELECT DISTINCT {quoted} FROM {name} WHERE source_id = %s AND {edge} > %s AND {edge} <= %s",
            [int(source), *span],
            KEY,
        )["key"]
        for edge in ("since", "until")
    ]
    return pl.concat(found)


def _restructured(changed: Spans) -> bool:
    return any(_versions(table, "entity", pk, span).len() for pk, span in changed.items() for table in STRUCTURE)


def _changed(changed: Spans) -> tuple[pl.Series, pl.Series]:
    """People and classes of which something changed; a group or subject stands for its classes."""
    found: dict[str, list[pl.Series]] = {"person": [], "class": [], "group": [], "subject": []}
    for pk, span in changed.items():
        for table, column, what in TOUCHED:
            found[what].append(_versions(table, column, pk, span))
    none = pl.Series([], dtype=pl.Int64)
    keys = {what: pl.concat([none, *parts]).unique() for what, parts in found.items()}
    classes = [keys["class"], *(_classes_of(column, keys[column]) for column in ("group", "subject"))]
    return keys["person"], pl.concat(classes).unique()


def _classes_of(column: str, keys: pl.Series) -> pl.Series:
    condition, listed = among(connection.ops.quote_name(column), keys)
    return read_frame(
        f"SELECT DISTINCT entity FROM {table_of(BY_NAME['classes'].model)} WHERE {condition}", listed, KEY
    )["key"]


SUBJECT = {"kind": pl.String, "subject": pl.Int64, "key": pl.String, "period": pl.Int64}


def _noticed(
    institute: Institute, tenant: Tenant, after: int, until: int, links: pl.Series
) -> tuple[pl.Series, pl.DataFrame]:
    """People and teams [key, period] of what Microsoft told to be different, and of `links`; of a node somebody who is in it."""
    told = f"object_id IN (SELECT object_id FROM {table_of(Noticed)} WHERE tenant_id = %s AND id > %s AND id <= %s)"
    condition, listed = among("l.id", links)
    found = []
    for chosen, parameters in ((f"l.{told}", [tenant.pk, after, until]), (condition, listed)):
        statement = (
            "SELECT l.kind, l.subject, g.key, l.period "
            f"FROM {table_of(Link)} l LEFT JOIN {table_of(Grouping)} g ON g.id = l.subject AND l.kind IN ('team', 'node') "
            f"WHERE {chosen} AND l.tenant_id = %s AND l.institute_id = %s"
        )
        found.append(read_frame(statement, [*parameters, tenant.pk, institute.pk], SUBJECT))
    subjects = pl.concat(found).unique()
    somebody = read_frame(
        f"SELECT MIN(p.subject) FROM {table_of(Link)} l JOIN {table_of(MirrorMember)} m ON m.group_object_id = l.object_id "
        f"AND m.tenant_id = l.tenant_id JOIN {table_of(Link)} p ON p.object_id = m.user_object_id AND p.tenant_id = l.tenant_id "
        f"AND p.kind = 'user' WHERE l.{told} AND l.tenant_id = %s AND l.institute_id = %s AND l.kind = 'node' GROUP BY l.id",
        [tenant.pk, after, until, tenant.pk, institute.pk],
        KEY,
    )["key"]
    people = pl.concat([subjects.filter(pl.col("kind") == Link.Kind.USER)["subject"], somebody]).unique()
    return people, subjects.filter(pl.col("kind") == Link.Kind.TEAM).select("key", "period")


def applied(run: Run, profile: Profile) -> None:
    """Remember how far an applied run looked, and what falls due later; what Microsoft put off, or a guard holds, falls due at once."""
    corporate = Connection.objects.filter(tenant=run.tenant, purpose=Connection.Purpose.CORPORATE)
    if run.purpose != Run.Purpose.SYNCHRONIZATION or "structure" not in run.looked or corporate.exists():
        return
    chosen = run.looked.get("people") if run.scope in (Run.Scope.PEOPLE, Run.Scope.CHANGED) else None
    with transaction.atomic():
        if run.scope != Run.Scope.PEOPLE:
            _move_mark(run)
        _renew_due(run, profile, None if chosen is None else pl.Series(chosen, dtype=pl.Int64))
        _retry(run)


def _move_mark(run: Run) -> None:
    seen = {name: run.looked[name] for name in ("deliveries", "noticed", "structure")}
    ScopeMark.objects.update_or_create(
        institute=run.institute,
        tenant=run.tenant,
        defaults={"profile_version": run.profile_version, **seen},
    )
    # Others of the tenant may still have to read on.
    waiting = ScopeMark.objects.filter(tenant=run.tenant).aggregate(least=Min("noticed"))["least"]
    Noticed.objects.filter(tenant=run.tenant, pk__lte=waiting).delete()


def _renew_due(run: Run, profile: Profile, people: pl.Series | None) -> None:
    """The days of these people, or of everybody, anew; whatever the look was about is no longer due."""
    if people is None:
        _no_longer_due(run, "TRUE", [])
    else:
        about, listed = among("subject", people)
        _no_longer_due(run, f"{about} AND kind = '{Due.Kind.PERSON.value}'", listed)
    if run.scope == Run.Scope.CHANGED:
        _no_longer_due(run, "day <= %s", [run.as_of])
    rows = [_days(run, profile, people)]
    if people is None:
        rows.append(_years(run, profile))
    due = pl.concat(rows).filter(pl.col("day") > run.as_of).unique()
    insert_frame(Due, due.with_columns(institute_id=pl.lit(run.institute_id)))


def _no_longer_due(run: Run, condition: str, parameters: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table_of(Due)} WHERE institute_id = %s AND {condition}", [run.institute_id, *parameters]
        )


DAYS = {"subject": pl.Int64, "day": pl.Date, "kind": pl.String}


def _days(run: Run, profile: Profile, people: pl.Series | None) -> pl.DataFrame:
    """Days on which something begins or ends for people, or a grace is over (schema DAYS)."""
    lead = profile.users.lead_days
    found = [pl.DataFrame(schema=DAYS)]
    inside = [(table, "person", edge) for table in ("enrolments", "teachings") for edge in ("begin", "end")]
    sides = [*inside, ("people", "entity", "registration_end")]
    for source in run.institute.sources.all():
        for table, whose, column in sides:
            days = _dated(source, table, whose, column, people, run.as_of)
            found.append(days)
            if column == "begin":
                found.append(days.with_columns(pl.col("day") - pl.duration(days=lead)))
    found.append(_graces(run, profile, people))
    return pl.concat(found)


def _dated(
    source: Source, table: str, whose: str, column: str, people: pl.Series | None, today: dt.date
) -> pl.DataFrame:
    quote = connection.ops.quote_name
    about, listed = ("TRUE", []) if people is None else among(quote(whose), people)
    plus = "" if people is None else "+"  # as in store.points: no walk through the source
    statement = (
        f"SELECT DISTINCT {quote(whose)}, {quote(column)} FROM {table_of(BY_NAME[table].model)} "
        f"WHERE {about} AND {plus}source_id = %s AND {plus}since <= %s AND {plus}until > %s AND {quote(column)} > %s"
    )
    now = source.published
    rows = read_frame(statement, [*listed, source.pk, now, now, today], {"subject": pl.Int64, "day": pl.Date})
    return rows.with_columns(kind=pl.lit(Due.Kind.PERSON.value))


def _graces(run: Run, profile: Profile, people: pl.Series | None) -> pl.DataFrame:
    about, listed = ("TRUE", []) if people is None else among("subject", people)
    statement = (
        f"SELECT subject, left_on FROM {table_of(Link)} WHERE {about} AND tenant_id = %s AND kind = 'user' "
        "AND institute_id = %s AND left_on IS NOT NULL"
    )
    left = read_frame(statement, [*listed, run.tenant_id, run.institute_id], {"subject": pl.Int64, "day": pl.Date})
    leaving = profile.users.leaving
    graces = [
        left.with_columns(pl.col("day") + pl.duration(days=n)) for n in (leaving.disable_days, leaving.unlicense_days)
    ]
    return pl.concat(graces).with_columns(kind=pl.lit(Due.Kind.PERSON.value))


def _years(run: Run, profile: Profile) -> pl.DataFrame:
    """Days on which a school year or a term begins or ends, which concerns everybody (schema DAYS)."""
    lead = dt.timedelta(days=profile.users.lead_days)
    closing = dt.timedelta(days=END_OF_YEAR_DAYS)
    days: set[dt.date] = set()
    for source in run.institute.sources.all():
        for table in ("academic_periods", "marking_periods"):
            rows = BY_NAME[table].model._default_manager.filter(
                source=source, since__lte=source.published, until__gt=source.published
            )
            days |= {day for span in rows.values_list("begin", "end") for day in _edges(span, lead, closing)}
    frame = pl.DataFrame({"day": sorted(days)}, schema={"day": pl.Date})
    return frame.select(subject=pl.lit(0, dtype=pl.Int64), day="day", kind=pl.lit(Due.Kind.PERIOD.value))


def _edges(span: Sequence[dt.date | None], lead: dt.timedelta, closing: dt.timedelta) -> Iterable[dt.date]:
    begin, end = span
    return [*((begin, begin - lead) if begin else ()), *((end, end - closing) if end else ())]


def _retry(run: Run) -> None:
    """Whatever Microsoft put off, what waited for it, or what waits for somebody to agree is due from now on."""
    put_off = (int(ChangeVerdict.LATER), int(ChangeVerdict.BLOCKED), int(ChangeVerdict.UNAPPROVED))
    changes = Change.objects.filter(run=run, verdict__in=put_off)
    links = {link for pair in changes.values_list("subject", "object").distinct() for link in pair if link}
    rows = pl.DataFrame({"subject": sorted(links)}, schema={"subject": pl.Int64})
    day = pl.lit(run.as_of)
    insert_frame(
        Due, rows.with_columns(day=day, kind=pl.lit(Due.Kind.LINK.value), institute_id=pl.lit(run.institute_id))
    )


def look_again(institute: Institute, subjects: Iterable[int], day: dt.date, kind: Due.Kind = Due.Kind.PERSON) -> None:
    """The next scoped synchronization looks at these people, or links: something was decided about them."""
    rows = pl.DataFrame({"subject": sorted(set(subjects))}, schema={"subject": pl.Int64})
    with transaction.atomic():
        insert_frame(
            Due,
            rows.with_columns(day=pl.lit(day), kind=pl.lit(kind.value), institute_id=pl.lit(institute.pk)),
        )


def links_of(
    institute: Institute, tenant: Tenant, people: pl.Series, teams: pl.DataFrame
) -> tuple[frozenset[int], frozenset[int]]:
    """Links of these people, and of `teams` [key, period]."""
    about, listed = among("subject", people)
    of_people = read_frame(
        f"SELECT id FROM {table_of(Link)} WHERE tenant_id = %s AND kind = 'user' AND {about}", [tenant.pk, *listed], KEY
    )
    keyed, keys = among("g.digest", map(digest, teams["key"].unique()))
    of_teams = read_frame(
        f"SELECT l.id, g.key, g.period FROM {table_of(Grouping)} g JOIN {table_of(Link)} l ON l.subject = g.id "
        f"AND l.kind = 'team' AND l.tenant_id = %s WHERE g.institute_id = %s AND g.kind = 'team' AND {keyed}",
        [tenant.pk, institute.pk, *keys],
        {"link": pl.Int64, "key": pl.String, "period": pl.Int64},
    ).join(teams, on=["key", "period"], how="semi")
    return frozenset(of_people["key"]), frozenset(of_teams["link"])
