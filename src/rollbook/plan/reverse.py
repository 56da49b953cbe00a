"""The plan that undoes a run: what it did is put back where it still stands as the run left it. Pure, and always agreed to by a person.

Nothing is ever deleted, so what a run made stays: accounts without sign-in, groups and teams without the people it put in. What somebody
changed since is not overwritten, and what cannot be put back is said: both are in the plan, and wait.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from rollbook.directory.state import MAPPED, Relation, State
from rollbook.plan.changes import Cause, ChangeVerdict, Kind, Plan
from rollbook.plan.chosen import plan_of_chosen
from rollbook.plan.match import beside_actual, is_ours
from rollbook.plan.owners import Acting, Succession, succession
from rollbook.plan.rows import rows, together, values, waits

AGREED_BY_A_PERSON = "run-undone"
"""The code of the objection that every such plan raises."""

DONE: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "kind": pl.UInt8,
    "subject": pl.Int64,
    "object": pl.Int64,
    "before": pl.String,
    "after": pl.String,
}
"""What is asked of the changes a run carried out, in the order it did."""

SIGN_IN: Mapping[Kind, Kind] = {
    Kind.CREATE_USER: Kind.DISABLE_USER,
    Kind.RESTORE_USER: Kind.DISABLE_USER,
    Kind.ENABLE_USER: Kind.DISABLE_USER,
    Kind.DISABLE_USER: Kind.ENABLE_USER,
}
"""Whether somebody may sign in: what a made or restored account loses, since no account is ever deleted."""

VALUES: Mapping[Kind, Kind] = {kind: kind for kind in (Kind.UPDATE_USER, Kind.RENAME_USER)}
GROUP_VALUES: Mapping[Kind, Kind] = {kind: kind for kind in (Kind.UPDATE_CLASS, Kind.UPDATE_GROUP)}
ARCHIVING: Mapping[Kind, Kind] = {
    Kind.ARCHIVE_TEAM: Kind.UNARCHIVE_TEAM,
    Kind.UNARCHIVE_TEAM: Kind.ARCHIVE_TEAM,
}

OWNER, MEMBER = int(Relation.OWNER), int(Relation.MEMBER)
RELATIONS: Mapping[Kind, tuple[Kind, int]] = {
    Kind.ADD_OWNER: (Kind.REMOVE_OWNER, OWNER),
    Kind.ADD_MEMBER: (Kind.REMOVE_MEMBER, MEMBER),
    Kind.JOIN_LICENCE_GROUP: (Kind.LEAVE_LICENCE_GROUP, MEMBER),
    Kind.REMOVE_OWNER: (Kind.ADD_OWNER, OWNER),
    Kind.DEMOTE_OWNER: (Kind.ADD_OWNER, OWNER),
    Kind.REMOVE_MEMBER: (Kind.ADD_MEMBER, MEMBER),
    Kind.LEAVE_LICENCE_GROUP: (Kind.JOIN_LICENCE_GROUP, MEMBER),
}
"""What undoes a change of who is where, and the relation it is about."""

STRANGERS: Mapping[Kind, Kind] = {
    Kind.REMOVE_STRANGER: Kind.RETURN_STRANGER,
    Kind.RETURN_STRANGER: Kind.REMOVE_STRANGER,
}

LICENSING: Mapping[Kind, Kind] = {
    Kind.LICENSE_USER: Kind.UNLICENSE_USER,
    Kind.UNLICENSE_USER: Kind.LICENSE_USER,
    Kind.LICENSE_GROUP: Kind.LICENSE_GROUP,
}
"""What undoes a change of licences, where nothing more is known of it; what is both given and taken is given."""

ENDING = (Kind.REMOVE_OWNER, Kind.REMOVE_MEMBER, Kind.LEAVE_LICENCE_GROUP)

STAYS = (
    Kind.LINK_USER,
    Kind.LINK_GROUP,
    Kind.SET_PASSWORD,
    Kind.CREATE_GROUP,
    Kind.CREATE_CLASS,
    Kind.CREATE_UNIFIED,
    Kind.CREATE_TEAM,
)
"""What no request puts back; plan.sentences says why of each."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What such a plan is for; `plans` [sku, plan] are the service plans of the products the tenant has."""

    tenant: str
    profile_version: int
    as_of: dt.date
    plans: pl.DataFrame


@dataclass(frozen=True, slots=True)
class _There:
    """What the run touched, as it is now: [link, ..., why] of people and of groups; `why` is null where nothing speaks against it."""

    people: pl.DataFrame
    groups: pl.DataFrame
    memberships: pl.DataFrame  # [team, user, user_object_id, relation]


def plan_undo(done: pl.DataFrame, links: pl.DataFrame, actual: State, archived: pl.Series, asked: Asked) -> Plan:
    """The plan that undoes `done` (schema DONE), the changes that a run carried out.

    `links` [link, mark, object_id, adopted, moved] are those of the people and groups it touched, `moved` where they stand for another
    object since; `actual` their accounts and groups as they are now, with `memberships` of these groups by link; `archived` the object
    ids of teams in the archive.
    """
    there = _there(links, actual)
    accounts = [
        *_sign_in(_of(done, SIGN_IN), there.people),
        *_licences(_of(done, (Kind.LICENSE_USER, Kind.UNLICENSE_USER)), there.people, Cause.ACCOUNT_GONE, asked.plans),
    ]
    relations, relying = _relations(_of(done, RELATIONS), there, _acting(there, together(accounts)))
    parts = [
        *accounts,
        *_values(_of(done, VALUES), there.people, Cause.ACCOUNT_GONE),
        *_values(_of(done, GROUP_VALUES), there.groups, Cause.GROUP_GONE),
        *_licences(_of(done, (Kind.LICENSE_GROUP,)), there.groups, Cause.GROUP_GONE, asked.plans),
        *_archiving(_of(done, ARCHIVING), there.groups, archived),
        *relations,
        *_strangers(_of(done, STRANGERS), there.groups),
        waits(_of(done, STAYS), pl.col("kind"), Cause.STAYS),
    ]
    return plan_of_chosen(together(parts), asked, AGREED_BY_A_PERSON, relying)


def _of(done: pl.DataFrame, kinds: Mapping[Kind, object] | tuple[Kind, ...]) -> pl.DataFrame:
    """The changes of these kinds; `link` is their subject."""
    return done.filter(pl.col("kind").is_in([int(kind) for kind in kinds])).rename({"subject": "link"})


def _turned(kinds: Mapping[Kind, Kind]) -> pl.Expr:
    """The kind that undoes the kind of a row."""
    return pl.col("kind").replace_strict({int(k): int(v) for k, v in kinds.items()}, return_dtype=pl.UInt8)


def _there(links: pl.DataFrame, actual: State) -> _There:
    known = links.select("link", "mark", "object_id", "moved")
    bound = links.select("link", "object_id", "adopted").drop_nulls("object_id")
    people = beside_actual(known, actual.users.filter(~pl.col("deleted")), bound)
    groups = beside_actual(known, actual.groups, bound)
    moved, foreign = (pl.col("moved"), Cause.CHANGED_SINCE), (~is_ours(), Cause.FOREIGN_MARK)
    untouchable = pl.col("protected_now") | pl.col("restricted_now")
    return _There(
        people.with_columns(
            why=_first(moved, foreign, (untouchable, Cause.PROTECTED), (pl.col("on_premises_now"), Cause.ON_PREMISES))
        ),
        groups.with_columns(
            why=_first(
                moved,
                foreign,
                (pl.col("dynamic_now"), Cause.DYNAMIC_GROUP),
                (pl.col("on_premises_now"), Cause.KEPT_ON_PREMISES),
            )
        ),
        actual.memberships.select("team", "user", "user_object_id", "relation"),
    )


def _first(*reasons: tuple[pl.Expr, Cause]) -> pl.Expr:
    return pl.coalesce(*(pl.when(applies).then(pl.lit(int(cause), dtype=pl.UInt8)) for applies, cause in reasons))


def _judged(frame: pl.DataFrame, there: pl.DataFrame, gone: Cause) -> pl.DataFrame:
    """The rows beside what their subject is now; `why` nothing is done says also that it is gone."""
    found = frame.join(there, on="link", how="left")
    return found.with_columns(
        why=pl.when(pl.col("object_id").is_null()).then(pl.lit(int(gone), dtype=pl.UInt8)).otherwise("why")
    )


def _split(judged: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    return judged.filter(pl.col("why").is_null()), judged.filter(pl.col("why").is_not_null())


def _sign_in(done: pl.DataFrame, people: pl.DataFrame) -> list[pl.DataFrame]:
    """Sign-in as it was before; where it is so already, nothing."""
    # Restored and enabled by one run is disabled once.
    turned = done.select("link", kind=_turned(SIGN_IN)).unique(maintain_order=True)
    enabling = pl.col("kind") == int(Kind.ENABLE_USER)
    judged = _judged(turned, people, Cause.ACCOUNT_GONE)
    judged = judged.filter(pl.col("account_enabled_now").is_null() | (pl.col("account_enabled_now") != enabling))
    able, unable = _split(judged)
    return [rows(able, pl.col("kind"), Cause.UNDONE), waits(unable, pl.col("kind"), pl.col("why"))]


def _archiving(done: pl.DataFrame, groups: pl.DataFrame, archived: pl.Series) -> list[pl.DataFrame]:
    judged = _judged(done.select("link", kind=_turned(ARCHIVING)), groups, Cause.TEAM_GONE)
    is_archived = pl.col("object_id").is_in(archived.implode())
    open_ = judged.filter(pl.col("object_id").is_null() | (is_archived != (pl.col("kind") == int(Kind.ARCHIVE_TEAM))))
    able, unable = _split(open_)
    return [rows(able, pl.col("kind"), Cause.UNDONE), waits(unable, pl.col("kind"), pl.col("why"))]


ATTRIBUTES: Mapping[Kind, tuple[str, ...]] = {
    Kind.UPDATE_USER: (*MAPPED, "usage_location"),
    Kind.RENAME_USER: ("user_principal_name", "mail_nickname"),
    Kind.UPDATE_CLASS: ("display_name", "description", "class_code"),
    Kind.UPDATE_GROUP: ("display_name", "description"),
}
"""What changes of values speak of; all of it text."""

NEVER_CLEARED = ("usage_location", "display_name")
"""Attributes that Microsoft lets nobody empty (graph.md section 4)."""


def _values(done: pl.DataFrame, there: pl.DataFrame, gone: Cause) -> list[pl.DataFrame]:
    """Every attribute the run changed and nobody since, as it was; one that somebody changed since is left as it is."""
    able, unable = _split(_judged(done, there, gone))
    parts = [waits(unable, pl.col("kind"), pl.col("why"))]
    for kind, names in ATTRIBUTES.items():
        of_kind = able.filter(pl.col("kind") == int(kind))
        if of_kind.height:
            parts += _put_back(of_kind, kind, names)
    return parts


def _put_back(changed: pl.DataFrame, kind: Kind, names: tuple[str, ...]) -> list[pl.DataFrame]:
    told = changed.with_columns(
        *(pl.col("before").str.json_path_match(f"$.{name}").alias(f"{name}_old") for name in names),
        *(pl.col("after").str.json_path_match(f"$.{name}").alias(f"{name}_new") for name in names),
    )
    if kind == Kind.RENAME_USER:
        # Plans say of the former name only the address; the nickname always is what stands before its @.
        told = told.with_columns(mail_nickname_old=pl.col("user_principal_name_old").str.split("@").list.first())

    def differ(one: str, other: str) -> pl.Expr:
        return (
            pl.col(one).str.to_lowercase().ne_missing(pl.col(other).str.to_lowercase())
            if kind == (Kind.RENAME_USER)
            else pl.col(one).ne_missing(pl.col(other))
        )

    to_return = {name: differ(f"{name}_old", f"{name}_new") & differ(f"{name}_old", f"{name}_now") for name in names}
    to_return |= {n: to_return[n] & pl.col(f"{n}_old").is_not_null() for n in NEVER_CLEARED if n in names}
    ours = {name: to_return[name] & ~differ(f"{name}_new", f"{name}_now") for name in names}
    judged = told.with_columns(
        put=pl.any_horizontal(*ours.values()),
        left=pl.any_horizontal(*(to_return[name] & ~ours[name] for name in names)),
    )
    back = judged.filter("put")
    before = pl.struct(pl.col(f"{name}_now").alias(name) for name in names).struct.json_encode()
    after = pl.struct(
        pl.when(ours[name]).then(f"{name}_old").otherwise(f"{name}_now").alias(name) for name in names
    ).struct.json_encode()
    return [
        rows(back, pl.col("kind"), Cause.UNDONE, before=before, after=after),
        waits(judged.filter("left"), pl.col("kind"), Cause.CHANGED_SINCE),
    ]


HELD = pl.Struct({"licences": pl.List(pl.String), "plans_off": pl.List(pl.String)})


def _licences(done: pl.DataFrame, there: pl.DataFrame, gone: Cause, plans: pl.DataFrame) -> list[pl.DataFrame]:
    """Products given are taken back, products taken are given again, with the plans that were off; as far as they still are so."""
    unknown = done.filter(pl.col("before").is_null())  # by plans of a version that did not remember it
    able, unable = _split(_judged(done.drop_nulls("before"), there, gone))
    told = able.select(
        "link",
        pl.col("licences_now").alias("now"),
        pl.col("plans_off_now").alias("off_now"),
        pl.col("before").str.json_decode(HELD).struct.field("licences").alias("had"),
        pl.col("before").str.json_decode(HELD).struct.field("plans_off").alias("off"),
    )
    products = pl.concat(
        [
            told.select("link", sku="had").explode("sku", empty_as_null=True),
            told.select("link", sku="now").explode("sku", empty_as_null=True),
        ]
    )
    touched = _touched(able)
    each = (
        products.drop_nulls("sku")
        .unique()
        .join(touched, on=["link", "sku"], how="semi")
        .join(told, on="link")
        .join(plans.group_by("sku").agg("plan"), on="sku", how="left")
        .with_columns(pl.col("plan").fill_null([]))
        .with_columns(
            had_it=pl.col("had").list.contains(pl.col("sku")),
            has_it=pl.col("now").list.contains(pl.col("sku")),
            off=pl.col("off").list.set_intersection("plan").list.sort(),
            off_now=pl.col("off_now").list.set_intersection("plan").list.sort(),
        )
    )
    giving = each.filter("had_it", ~pl.col("has_it") | (pl.col("off") != pl.col("off_now")))
    given = giving.sort("link", "sku").group_by("link", maintain_order=True).agg(licences=pl.struct("sku", "off"))
    taken = each.filter("has_it", ~pl.col("had_it")).group_by("link").agg(remove=pl.col("sku").sort())
    changing = (
        told.select("link", licences_had="now", plans_had="off_now")
        .join(given, on="link", how="left")
        .join(taken, on="link", how="left")
        .filter(pl.col("licences").is_not_null() | pl.col("remove").is_not_null())
        .with_columns(pl.col("licences").fill_null([]), pl.col("remove").fill_null([]))
    )
    before = pl.struct(licences="licences_had", plans_off="plans_had").struct.json_encode()
    return [
        rows(changing, _licensing(done), Cause.UNDONE, before=before, after=values("licences", "remove")),
        waits(unable, _turned(LICENSING), pl.col("why")),
        waits(unknown, pl.col("kind"), Cause.STAYS),
    ]


def _licensing(done: pl.DataFrame) -> pl.Expr:
    """The kind of a row [licences, remove]: only who is given nothing loses a licence; a group carries others."""
    if done["kind"].is_in([int(Kind.LICENSE_GROUP)]).any():
        return pl.lit(int(Kind.LICENSE_GROUP))
    giving = pl.col("licences").list.len() > 0
    return pl.when(giving).then(pl.lit(int(Kind.LICENSE_USER))).otherwise(pl.lit(int(Kind.UNLICENSE_USER)))


SENT = pl.Struct({"licences": pl.List(pl.Struct({"sku": pl.String})), "remove": pl.List(pl.String)})


def _touched(done: pl.DataFrame) -> pl.DataFrame:
    """[link, sku] of every product these changes gave, took or switched plans of."""
    told = done.select("link", pl.col("after").str.json_decode(SENT).struct.unnest())
    given = told.select("link", licence="licences").explode("licence", empty_as_null=True).drop_nulls("licence")
    taken = told.select("link", sku="remove").explode("sku", empty_as_null=True).drop_nulls("sku")
    return pl.concat([given.select("link", sku=pl.col("licence").struct.field("sku")), taken]).unique()


def _acting(there: _There, accounts: pl.DataFrame) -> Acting:
    """Who can act as an owner once `accounts` (schema ROWS) are carried out; owners by hand are not looked at, and count for nobody."""
    planned = accounts.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED))
    signing = planned.filter(pl.col("kind").is_in([int(kind) for kind in set(SIGN_IN.values())]))
    after = signing.select(link="subject", after=pl.col("kind") == int(Kind.ENABLE_USER))
    sent = planned.filter(pl.col("kind").is_in([int(Kind.LICENSE_USER), int(Kind.UNLICENSE_USER)])).select(
        "subject", pl.col("after").str.json_decode(SENT).struct.unnest()
    )
    given = sent.select(link="subject", more=pl.col("licences").list.len().cast(pl.Int64) - pl.col("remove").list.len())
    people = there.people.join(after, on="link", how="left").join(given, on="link", how="left")
    licences = pl.col("licences_now").list.len().cast(pl.Int64) + pl.col("more").fill_null(0)
    return Acting(
        people.select(user="link", enabled=pl.coalesce("after", "account_enabled_now"), licensed=licences > 0),
        pl.Series([], dtype=pl.String),
    )


def _relations(done: pl.DataFrame, there: _There, acting: Acting) -> tuple[list[pl.DataFrame], pl.DataFrame]:
    """Who the run added leaves, whoever it removed comes back; of a team, whoever was a member stays one.

    The second are owners who leave only once another came back: [team, user, successor].
    """
    kinds = {int(kind): int(turned) for kind, (turned, _) in RELATIONS.items()}
    sides = {int(kind): relation for kind, (_, relation) in RELATIONS.items()}
    turned = done.select(
        "link",
        team="link",
        user="object",
        kind=pl.col("kind").replace_strict(kinds, return_dtype=pl.UInt8),
        relation=pl.col("kind").replace_strict(sides, return_dtype=pl.UInt8),
    )
    held = there.memberships.drop_nulls("user").select("team", "user", "relation", held=pl.lit(value=True))
    beside = turned.join(held, on=["team", "user", "relation"], how="left").with_columns(
        pl.col("held").fill_null(value=False)
    )
    ending = pl.col("kind").is_in([int(kind) for kind in ENDING])
    accounts = pl.concat([part.select(user="link", of_user="why") for part in (there.people, there.groups)])
    judged = _judged(beside.filter(pl.col("held") == ending), there.groups, Cause.GROUP_GONE).join(
        accounts.with_columns(known=pl.lit(value=True)), on="user", how="left"
    )
    gone = pl.when(pl.col("known").is_null()).then(pl.lit(int(Cause.ACCOUNT_GONE), dtype=pl.UInt8))
    another = pl.when(pl.col("of_user") == int(Cause.CHANGED_SINCE)).then("of_user")
    able, unable = _split(judged.with_columns(why=pl.coalesce("why", gone, another)))
    leaving, coming = able.filter(ending), able.filter(~ending)
    following = _following(leaving, coming, there, acting)
    leaving = leaving.join(following.spared, on=["team", "user"], how="anti")
    return [
        rows(_demoted(leaving, there), pl.col("kind"), Cause.UNDONE, object="user"),
        rows(coming, pl.col("kind"), Cause.UNDONE, object="user"),
        waits(unable, pl.col("kind"), pl.col("why"), object="user"),
        waits(following.spared, Kind.REMOVE_OWNER, Cause.LAST_OWNER, subject="team", object="user"),
    ], following.relying


def _following(leaving: pl.DataFrame, coming: pl.DataFrame, there: _There, acting: Acting) -> Succession:
    """Who follows the owners who leave; a security group needs none."""
    owner = pl.col("relation") == OWNER
    owned = there.groups.filter(pl.col("kind_now").cast(pl.String) != "security")
    return succession(
        leaving.filter(owner).select("team", "user"),
        coming.filter(owner).select("team", "user"),
        there.memberships,
        owned.select(team="link", has_team="has_team_now"),
        acting,
    )


def _demoted(leaving: pl.DataFrame, there: _There) -> pl.DataFrame:
    """The same, but an owner of a team who was a member before becomes one again, rather than leaves (graph.md section 5.2)."""
    member = pl.col("relation") == MEMBER
    out = leaving.filter(member).select("team", "user")
    held = there.memberships.drop_nulls("user")
    stays = held.filter(member).join(out, on=["team", "user"], how="anti").select("team", "user")
    teams = there.groups.filter("has_team_now").select(team="link")
    demoted = stays.join(teams, on="team", how="semi").with_columns(demoted=pl.lit(value=True))
    return leaving.join(demoted, on=["team", "user"], how="left").with_columns(
        kind=pl.when(pl.col("demoted"), pl.col("relation") == OWNER)
        .then(pl.lit(int(Kind.DEMOTE_OWNER), dtype=pl.UInt8))
        .otherwise("kind")
    )


def _strangers(done: pl.DataFrame, groups: pl.DataFrame) -> list[pl.DataFrame]:
    """Members whom no register knows come back, or leave again; whether they are still in the tenant, Microsoft says."""
    turned = done.with_columns(kind=_turned(STRANGERS))
    able, unable = _split(_judged(turned, groups, Cause.GROUP_GONE))
    return [
        rows(able, pl.col("kind"), Cause.UNDONE, after="after"),
        waits(unable, pl.col("kind"), pl.col("why"), after="after"),
    ]
