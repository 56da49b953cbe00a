"""The mirror of the directory: kept up by delta rounds, each written together with the link that follows it; asked by points.

What a round tells is merged into what is known, the last entry of an object or relation counting, so that replays and entries out of
order change nothing. Every difference is noticed, which is where scoped synchronizations begin.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

import orjson
import polars as pl
from django.db import connection, transaction

from rollbook.directory.state import Relation
from rollbook.graph import codec
from rollbook.graph.delta import CLASSES, GROUPS, USERS, Round
from rollbook.store.bulk import among, insert_frame, read_frame, table_of
from rollbook.store.models import DeltaLink, MirrorKey, MirrorMember, MirrorObject, Noticed, Tenant

OBJECTS = {"object_id": pl.String, "body": pl.String, "deleted": pl.Boolean}
KEYS = {"object_id": pl.String, "by": pl.String, "key": pl.String}
MEMBERS = {"group_object_id": pl.String, "user_object_id": pl.String, "relation": pl.UInt8}
SIDES = {"members@delta": Relation.MEMBER, "owners@delta": Relation.OWNER}
OBJECT = {"object_id": pl.String}


class Rounds(Protocol):
    """What tells of changes (graph.reader.GraphReader)."""

    @property
    def mark_property(self) -> str:
        """The property of users that carries our mark."""
        ...

    def round(self, collection: str, asked: str | None, link: str | None) -> Round:
        """The round of a collection from a link on."""
        ...

    def deleted_users(self) -> list[dict[str, Any]]:
        """Users that can be restored."""
        ...

    def read_ahead(self, paths: Sequence[str]) -> None:
        """Ask in one batch for pages that will be wanted next."""
        ...

    def read_ahead_of_a_look(self, links: Sequence[str]) -> None:
        """The same, with what every look at a tenant begins with."""
        ...


def catch_up(tenant: Tenant, rounds: Rounds, at: dt.datetime, *, anew: bool = False, again: bool = False) -> int:
    """Bring the mirror up to what Microsoft tells now; how many objects and relations differ. `anew`: by whole rounds.

    What a look asks besides is asked in the same batch, unless the look was begun before and is taken `again`.
    """
    followed = {} if anew else {link.collection: link for link in DeltaLink.objects.filter(tenant=tenant)}
    found = 0
    links = [link.link for link in followed.values()]
    if links:
        (rounds.read_ahead if again else rounds.read_ahead_of_a_look)(links)
    for collection in (USERS, GROUPS, CLASSES):
        before = followed.get(collection)
        told = rounds.round(collection, before.asked if before else None, before.link if before else None)
        restorable = rounds.deleted_users() if collection == USERS and told.whole else []
        with transaction.atomic():
            found += _write(tenant, collection, told, restorable, rounds.mark_property)
            DeltaLink.objects.update_or_create(
                tenant=tenant,
                collection=collection,
                defaults={"asked": told.asked, "link": told.link, "read_at": at},
            )
    return found


def _write(tenant: Tenant, kind: str, told: Round, restorable: Sequence[Mapping[str, Any]], marked: str) -> int:
    if not told.entries and not told.whole:
        return 0
    changed = _objects(tenant, kind, told, restorable)
    related = _relations(tenant, told) if kind == GROUPS else pl.DataFrame(schema=OBJECT)
    _key(tenant, kind, changed["object_id"].to_list(), marked)
    noticed = pl.concat([changed, related]).unique(maintain_order=True)
    insert_frame(Noticed, noticed.with_columns(tenant_id=pl.lit(tenant.pk)))
    return noticed.height


def _objects(tenant: Tenant, kind: str, told: Round, restorable: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """[object_id] of what is different now, written."""
    entries = [*told.entries, *({**entry, "@removed": {"reason": "changed"}} for entry in restorable)]
    ids = list(dict.fromkeys(entry["id"] for entry in entries))
    before = _read(tenant, kind, None if told.whole else ids)
    held = {key: (body, deleted) for key, body, deleted in before.iter_rows()}
    after = {} if told.whole else {key: value for key, value in held.items() if key in set(ids)}
    for entry in entries:
        key, removed = entry["id"], entry.get("@removed")
        old = after.get(key)
        if removed and removed.get("reason") == "deleted":
            after.pop(key, None)
        elif removed and len(entry) == 2:
            if old is not None:
                after[key] = (old[0], True)
        elif removed and held.get(key, ("", False))[1]:
            after[key] = held[key]  # as it was before it was deleted: Microsoft puts its id before its name
        else:
            said = {name: value for name, value in entry.items() if not name.startswith(("@", "members@", "owners@"))}
            known = orjson.loads(old[0]) if old is not None else {}
            body = orjson.dumps({**known, **said}, option=orjson.OPT_SORT_KEYS).decode()
            after[key] = (body, removed is not None)
    changed = [key for key in {**held, **after} if held.get(key) != after.get(key)]
    _forget(MirrorObject, tenant, "object_id", changed, "AND kind = %s", [kind])
    rows = [(key, *after[key]) for key in changed if key in after]
    frame = pl.DataFrame(rows, schema=OBJECTS, orient="row")
    insert_frame(MirrorObject, frame.with_columns(tenant_id=pl.lit(tenant.pk), kind=pl.lit(kind)))
    gone = [key for key in changed if key not in after]
    if kind == GROUPS:
        _forget(MirrorMember, tenant, "group_object_id", gone)
    if kind == USERS:
        _forget(MirrorMember, tenant, "user_object_id", gone)
    return pl.DataFrame({"object_id": changed}, schema=OBJECT)


def _relations(tenant: Tenant, told: Round) -> pl.DataFrame:
    """[object_id] of groups and people whose relations are different now, written."""
    last: dict[tuple[str, str, int], bool] = {}
    for entry in told.entries:
        for side, relation in SIDES.items():
            for kin in entry.get(side, ()):
                last[entry["id"], kin["id"], int(relation)] = "@removed" not in kin
    rows = [(*key, there) for key, there in last.items()]
    frame = pl.DataFrame(rows, schema={**MEMBERS, "there": pl.Boolean}, orient="row")
    columns = list(MEMBERS)
    known = members(tenant, None if told.whole else frame["group_object_id"].unique().to_list())
    fresh = frame.filter("there").join(known, on=columns, how="anti").select(columns)
    ended = known.join(frame.filter("there"), on=columns, how="anti")
    if not told.whole:
        ended = ended.join(frame.filter(~pl.col("there")), on=columns, how="semi")
    _cut(tenant, ended)
    insert_frame(MirrorMember, fresh.with_columns(tenant_id=pl.lit(tenant.pk)))
    both = pl.concat([fresh, ended])
    return pl.concat([both.select(object_id="group_object_id"), both.select(object_id="user_object_id")]).unique()


def _cut(tenant: Tenant, ended: pl.DataFrame) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            f"DELETE FROM {table_of(MirrorMember)} WHERE tenant_id = {int(tenant.pk)} "
            "AND group_object_id = %s AND user_object_id = %s AND relation = %s",
            ended.rows(),
        )


def _forget(
    model: type, tenant: Tenant, column: str, ids: Sequence[str], more: str = "", parameters: Sequence[Any] = ()
) -> None:
    if not ids:
        return
    condition, listed = among(column, ids)
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table_of(model)} WHERE tenant_id = %s AND {condition} {more}",
            [tenant.pk, *listed, *parameters],
        )


def _key(tenant: Tenant, kind: str, changed: Sequence[str], marked: str) -> None:
    """What the changed objects are found by from now on."""
    _forget(MirrorKey, tenant, "object_id", changed)
    of_users = kind == USERS
    frame = users(tenant, changed, marked) if of_users else groups(tenant, changed)
    keys = _keyed(frame, USER_KEYS if of_users else GROUP_KEYS)
    insert_frame(MirrorKey, keys.with_columns(tenant_id=pl.lit(tenant.pk)))


def _local(column: str) -> pl.Expr:
    return pl.col(column).str.split("@").list.first()


USER_KEYS: Mapping[str, pl.Expr] = {
    "name": pl.col("user_principal_name"),
    "local": _local("user_principal_name"),
    "mail": pl.col("mail"),
    "number": pl.col("employee_id"),
    "mark": pl.col("mark"),
}
GROUP_KEYS: Mapping[str, pl.Expr] = {
    "nickname": pl.col("mail_nickname"),
    "address": pl.coalesce(_local("mail"), "mail_nickname"),
    "display": pl.col("display_name"),
    "external": pl.col("external_id"),
    "mark": pl.col("mark"),
}
"""What users and groups can be found by, and what of them is folded for it."""


def _keyed(frame: pl.DataFrame, keys: Mapping[str, pl.Expr]) -> pl.DataFrame:
    rows = [
        frame.select("object_id", by=pl.lit(by), key=text.str.to_lowercase()).drop_nulls("key")
        for by, text in keys.items()
    ]
    return pl.concat(rows)


def _read(tenant: Tenant, kind: str, ids: Iterable[str] | None) -> pl.DataFrame:
    """Mirrored objects (schema OBJECTS), all or these."""
    condition, listed = ("", []) if ids is None else among("object_id", ids)
    chosen = f"AND {condition}" if condition else ""
    statement = (
        f"SELECT object_id, body, deleted FROM {table_of(MirrorObject)} WHERE tenant_id = %s AND kind = %s {chosen}"
    )
    return read_frame(statement, [tenant.pk, kind, *listed], OBJECTS)


def users(
    tenant: Tenant, ids: Sequence[str] | None, marked: str, protected: frozenset[str] | None = frozenset()
) -> pl.DataFrame:
    """Mirrored users (schema USERS), all or those of `ids`; `protected` as in codec.users_frame."""
    held = _read(tenant, USERS, ids)
    parts = []
    for deleted in (False, True):
        bodies = [orjson.loads(body) for body in held.filter(pl.col("deleted") == deleted)["body"]]
        parts.append(codec.users_frame(bodies, marked, protected, deleted=deleted))
    return pl.concat(parts)


def groups(tenant: Tenant, ids: Sequence[str] | None) -> pl.DataFrame:
    """Mirrored groups that are there (schema GROUPS), all or those of `ids`."""
    held = _read(tenant, GROUPS, ids).filter(~pl.col("deleted"))
    classes = _read(tenant, CLASSES, ids)
    return codec.groups_frame([orjson.loads(b) for b in held["body"]], [orjson.loads(b) for b in classes["body"]])


def found(tenant: Tenant, by: str, keys: Iterable[str]) -> list[str]:
    """Object ids of users or groups that have one of these keys, folded (USER_KEYS, GROUP_KEYS)."""
    condition, listed = among("key", [key.lower() for key in keys])
    # Not DISTINCT: SQLite would walk through all objects in their order to find out.
    statement = f"SELECT object_id FROM {table_of(MirrorKey)} WHERE tenant_id = %s AND by = %s AND {condition}"
    return sorted(set(read_frame(_quoted(statement), [tenant.pk, by, *listed], OBJECT)["object_id"]))


def taken(tenant: Tenant, by: str, keys: Iterable[str]) -> set[str]:
    """Which of these folded keys something in the tenant has."""
    condition, listed = among("key", [key.lower() for key in keys])
    statement = f"SELECT key FROM {table_of(MirrorKey)} WHERE tenant_id = %s AND by = %s AND {condition}"
    return set(read_frame(_quoted(statement), [tenant.pk, by, *listed], {"key": pl.String})["key"])


def _quoted(statement: str) -> str:
    quote = connection.ops.quote_name
    return statement.replace(" by = ", f" {quote('by')} = ").replace(" key ", f" {quote('key')} ")


def members(
    tenant: Tenant,
    group_ids: Collection[str] | None = None,
    user_ids: Collection[str] | None = None,
    relation: Relation | None = None,
) -> pl.DataFrame:
    """Mirrored relations (schema MEMBERS) of these groups, of these people, or of both."""
    conditions, parameters = ["tenant_id = %s"], [tenant.pk]
    for column, ids in (("group_object_id", group_ids), ("user_object_id", user_ids)):
        if ids is not None:
            condition, listed = among(column, ids)
            conditions.append(condition)
            parameters += listed
    if relation is not None:
        conditions.append(f"relation = {int(relation)}")
    statement = (
        f"SELECT group_object_id, user_object_id, relation FROM {table_of(MirrorMember)} "
        f"WHERE {' AND '.join(conditions)}"
    )
    return read_frame(statement, parameters, MEMBERS)


def count_members(tenant: Tenant, group_ids: Sequence[str]) -> pl.DataFrame:
    """[group_object_id, members] of these groups."""
    condition, listed = among("group_object_id", group_ids)
    statement = (
        f"SELECT group_object_id, COUNT(*) FROM {table_of(MirrorMember)} WHERE tenant_id = %s AND {condition} "
        f"AND relation = {int(Relation.MEMBER)} GROUP BY group_object_id"
    )
    return read_frame(statement, [tenant.pk, *listed], {"group_object_id": pl.String, "members": pl.Int64})
