"""Links between our subjects and Microsoft's objects: reserved, read as frames, and changed by people, always in bulk.

The mark goes with the object. A link that leaves an object carrying its mark gets a fresh mark, so that nothing made for it later
is taken for the other; a link that takes an object which carries a mark of ours takes the mark over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from django.db import transaction

from rollbook.store import decisions, mirror, scopes
from rollbook.store.bulk import among, execute_many, insert_frame, read_frame, table_of
from rollbook.store.marks import fresh_marks
from rollbook.store.models import Due, Institute, Link, LinkHistory, Secret, Tenant

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

SUBJECTS: Schema = {"subject": pl.Int64, "link": pl.Int64, "object_id": pl.String}
RESERVED: Schema = {"subject": pl.Int64, "period": pl.Int64, "link": pl.Int64, "mark": pl.String}
HELD: Schema = {
    "link": pl.Int64,
    "institute": pl.Int64,
    "subject": pl.Int64,
    "period": pl.Int64,
    "mark": pl.String,
    "held": pl.String,  # object id, null where nothing is made or matched yet
    "origin": pl.String,
}
GIVEN_UP: Schema = {"mark": pl.String}


@dataclass(frozen=True, slots=True)
class By:
    """Who changes links, when, and why."""

    actor: str
    at: dt.datetime
    reason: str = ""


def reserve(tenant: Tenant, institute: Institute, kind: str, subjects: pl.DataFrame) -> pl.DataFrame:
    """[subject, period, link, mark] of all `subjects` [subject, period]; missing links are made in bulk, nothing at Microsoft."""
    known = _reserved(tenant, kind, subjects)
    missing = subjects.select("subject", "period").join(known, on=["subject", "period"], how="anti").unique()
    if missing.height:
        rows = fresh_marks(tenant, institute, kind, missing).with_columns(
            tenant_id=pl.lit(tenant.pk), institute_id=pl.lit(institute.pk), kind=pl.lit(kind)
        )
        with transaction.atomic():
            insert_frame(Link, rows.sort("period", "subject"))
        known = _reserved(tenant, kind, subjects)
    return subjects.select("subject", "period").join(known, on=["subject", "period"])


FEW = 5_000
"""Up to so many of them are asked for one by one; beyond, all there are."""


def _reserved(tenant: Tenant, kind: str, subjects: pl.DataFrame) -> pl.DataFrame:
    chosen, listed = among("subject", subjects["subject"]) if subjects.height <= FEW else ("TRUE", [])
    statement = (
        f"SELECT subject, period, id, mark FROM {table_of(Link)} WHERE tenant_id = %s AND kind = %s AND {chosen}"
    )
    return read_frame(statement, [tenant.pk, kind, *listed], RESERVED)


def linked_subjects(tenant: Tenant, kind: str) -> pl.DataFrame:
    """All links of a kind (schema SUBJECTS), object id null where nothing is made or matched yet."""
    statement = f"SELECT subject, id, object_id FROM {table_of(Link)} WHERE tenant_id = %s AND kind = %s"
    return read_frame(statement, [tenant.pk, kind], SUBJECTS)


def held(tenant: Tenant, kind: str) -> pl.DataFrame:
    """All links of a kind with what they hold and how they came to it (schema HELD), by link."""
    statement = (
        "SELECT id, institute_id, subject, period, mark, object_id, origin "
        f"FROM {table_of(Link)} WHERE tenant_id = %s AND kind = %s ORDER BY id"
    )
    return read_frame(statement, [tenant.pk, kind], HELD)


def given_up(tenant: Tenant) -> pl.DataFrame:
    """[mark] of objects that links have left: ours, though no link has it now."""
    rows = LinkHistory.objects.filter(link__tenant=tenant, mark__isnull=False).values_list("mark")
    return pl.DataFrame(list(rows), schema=GIVEN_UP, orient="row").unique()


def change(tenant: Tenant, institute: Institute, kind: str, wanted: pl.DataFrame, by: By) -> int:
    """Let links hold what `wanted` [link, object_id, object_mark] says, null for nothing; how many changed.

    Whoever calls has made sure that no link keeps an object that another one gets. Decisions about the links end; undoing one
    is itself a decision: the pair is refused until somebody decides otherwise.
    """
    now = held(tenant, kind)
    moves = (
        wanted.join(now, on="link")
        .filter(pl.col("object_id").ne_missing(pl.col("held")))
        .with_columns(leaves_mark=pl.col("held").is_not_null() & (pl.col("origin") == Link.Origin.MADE))
        .sort("link")
    )
    if moves.is_empty():
        return 0
    with transaction.atomic():
        _exchange_marks(tenant, institute, kind, moves, now)
        _bind(moves, by)
        _remember(moves, by)
        decisions.end(moves["link"].to_list(), by.at)
        undone = moves.filter(pl.col("object_id").is_null()).select("link", object_id="held")
        decisions.refuse(tenant, undone, by.actor, by.reason, by.at)
        _forget_what_was(moves)
        scopes.look_again(institute, moves["link"], by.at.date(), Due.Kind.LINK)
    return moves.height


def _exchange_marks(tenant: Tenant, institute: Institute, kind: str, moves: pl.DataFrame, now: pl.DataFrame) -> None:
    """Whoever leaves an object that carries its mark, or whose mark is on an object somebody takes, gets a fresh one."""
    taken = moves.filter(pl.col("object_mark").is_not_null()).select("link", mark="object_mark")
    bereft = now.join(taken.select("mark"), on="mark", how="semi").join(taken, on=["link", "mark"], how="anti")
    leaving = moves.filter("leaves_mark").join(taken, on=["link", "mark"], how="anti")
    losing = pl.concat(
        [bereft.select("link", "subject", "period"), leaving.select("link", "subject", "period")]
    ).unique()
    fresh = losing.join(fresh_marks(tenant, institute, kind, losing), on=["subject", "period"])
    for marks in (fresh, taken):
        execute_many(
            f"UPDATE {table_of(Link)} SET mark = %s WHERE id = %s", list(marks.select("mark", "link").iter_rows())
        )


def _bind(moves: pl.DataFrame, by: By) -> None:
    execute_many(
        f"UPDATE {table_of(Link)} SET object_id = NULL WHERE id = %s", [(link,) for link in moves["link"]]
    )  # first, so that two links can exchange their objects
    rows = _with_origin(moves).select("object_id", "new_origin", pl.lit(by.at), "link")
    execute_many(
        f"UPDATE {table_of(Link)} SET object_id = %s, origin = %s, linked_at = %s, "
        "disabled_by_run = NULL, disabled_at = NULL, archived_at = NULL WHERE id = %s",
        list(rows.iter_rows()),
    )


def _with_origin(moves: pl.DataFrame) -> pl.DataFrame:
    """How the object came to be the link's: made by us if it carries a mark, else adopted; null where there is none."""
    marked = pl.when(pl.col("object_mark").is_not_null()).then(pl.lit(Link.Origin.MADE.value))
    origin = marked.otherwise(pl.lit(Link.Origin.ADOPTED.value))
    return moves.with_columns(new_origin=pl.when(pl.col("object_id").is_not_null()).then(origin))


def _remember(moves: pl.DataFrame, by: By) -> None:
    rows = _with_origin(moves).select(
        "object_id",
        before="held",
        link_id="link",
        origin=pl.col("new_origin").fill_null(""),
        mark=pl.when("leaves_mark").then("mark"),
        actor=pl.lit(by.actor),
        reason=pl.lit(by.reason),
        at=pl.lit(by.at),
    )
    insert_frame(LinkHistory, rows)


def _forget_what_was(moves: pl.DataFrame) -> None:
    """First passwords and the mirror belong to the object that was left."""
    links = moves["link"].to_list()
    mirror.forget(links)
    execute_many(
        f"DELETE FROM {table_of(Secret)} WHERE purpose = %s AND link_id = %s",
        [(Secret.Purpose.FIRST_PASSWORD.value, link) for link in links],
    )


def history(link: int) -> Sequence[LinkHistory]:
    """What a link pointed to, the oldest first."""
    return list(LinkHistory.objects.filter(link=link).order_by("at", "pk"))


TAKEN_OVER: Schema = {"link": pl.Int64, "before": pl.Int64}


def taken_over(tenant: Tenant, kind: str) -> pl.DataFrame:
    """[link, before]: links that hold what another link gave up for them in the same change, and that link."""
    table = table_of(LinkHistory)
    statement = (
        f"SELECT n.link_id, o.link_id FROM {table} n "
        f"JOIN {table_of(Link)} l ON l.id = n.link_id AND l.object_id = n.object_id "
        f"JOIN {table} o ON o.before = n.object_id AND o.at = n.at AND o.object_id IS NULL AND o.link_id <> n.link_id "
        f"WHERE l.tenant_id = %s AND l.kind = %s AND n.id = (SELECT MAX(m.id) FROM {table} m WHERE m.link_id = n.link_id) "
        "ORDER BY n.link_id"
    )
    return read_frame(statement, [tenant.pk, kind], TAKEN_OVER)


def remember_archived(tenant: Tenant, archived: Sequence[int], active: Sequence[int], at: dt.datetime) -> None:
    """What the tenant says now of the teams of these links; of one that was known as archived, the day stays."""
    teams = Link.objects.filter(tenant=tenant)
    teams.filter(pk__in=archived, archived_at__isnull=True).update(archived_at=at)
    teams.filter(pk__in=active, archived_at__isnull=False).update(archived_at=None)
