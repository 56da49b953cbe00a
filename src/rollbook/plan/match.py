"""First match, then id: which objects of the tenant belong to our links. One hit links; anything unclear waits for a person.

A match is only looked for where a link has no object id yet. The mark we set when creating comes first, since it survives a
lost database; then the property the profile chose. What people decided comes before both: a pair that was refused is never
linked by itself again, and whoever had such a pair waits until somebody decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from rollbook.directory.desired import Desired
from rollbook.directory.state import State
from rollbook.plan.changes import Cause, Kind
from rollbook.plan.context import NEW, NOBODY, REFUSED, Context
from rollbook.plan.rows import rows, together, values, waits
from rollbook.profiles import Profile
from rollbook.roster.vocabulary import UserType


@dataclass(frozen=True, slots=True)
class Matched:
    """Links and their objects, known and newly found: [link, object_id, adopted, disabled_by_us, fresh]; and the changes."""

    users: pl.DataFrame
    groups: pl.DataFrame
    changes: pl.DataFrame  # ROWS: LINK_USER, LINK_GROUP, planned or waiting


STAFF = (UserType.TEACHER.value, UserType.EMPLOYEE.value)

CHANGED_BY_OWNER = ("email",)
"""Match properties that the owner of an account can change: they link neither staff nor protected accounts by themselves."""

KEPT_BY_ADMINISTRATORS = ("sis_number",)
"""Match properties only an administrator sets on purpose; by any other, an account that looks like a shared mailbox waits."""

TO_REVIEW = (
    Cause.AMBIGUOUS_MATCH,
    Cause.MATCH_TAKEN,
    Cause.STAFF_BY_EMAIL,
    Cause.LINK_UNDONE,
    Cause.SHARED_MAILBOX,
    Cause.RESTRICTED_UNIT,
    Cause.PROTECTED_MATCH,
)
"""Why a match waits on *Matches to review*; the change's details hold the candidates."""

CANDIDATES = 20
"""How many objects are shown for one person or class at most."""

FOUND = ("object_id", "adopted", "name", "display_name")


def match(desired: Desired, actual: State, context: Context, profile: Profile) -> Matched:
    """Every link with the object it stands for, and what a person has to look at."""
    people = _match(_people(desired, actual.users, context, profile))
    groups = _match(_groups(desired, actual.groups, context))
    return Matched(
        users=people.links,
        groups=groups.links,
        changes=together([people.changes(Kind.LINK_USER), groups.changes(Kind.LINK_GROUP)]),
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """What is matched with what."""

    links: pl.DataFrame  # LINKS
    marks: pl.DataFrame  # [link, mark]
    wanted: pl.DataFrame  # [link, key]
    offered: (
        pl.DataFrame
    )  # [object_id, mark, by, key, name, display_name, hold]; hold: why a hit by key waits, null if it does not
    staff: pl.DataFrame  # [link] whose hit by key waits
    decisions: pl.DataFrame  # DECISIONS
    going_on: bool = (
        False  # whether an object somebody gave to another link goes on there, so that nothing is to be decided
    )


def _people(desired: Desired, users: pl.DataFrame, context: Context, profile: Profile) -> _Question:
    wants, by = desired.state.users, profile.users.match
    keys = {
        "sis_number": (wants.select("link", key="employee_id"), (pl.col("employee_id"),)),
        "username": (
            desired.usernames.select("link", key="username"),
            (pl.col("user_principal_name").str.split("@").list.first(),),
        ),
        "email": (wants.select("link", key="mail"), (pl.col("user_principal_name"), pl.col("mail"))),
        "nothing": (wants.select("link", key="employee_id").clear(), (pl.col("employee_id"),)),
    }
    wanted, offered = keys[by]
    staff = desired.people.filter(pl.col("user_type").cast(pl.String).is_in(STAFF)).select("link")
    members = users.filter(~pl.col("guest"))
    return _Question(
        links=context.user_links,
        marks=wants.select("link", "mark"),
        wanted=wanted,
        offered=pl.concat([_offered(members, key, by) for key in offered]).unique(
            ["object_id", "key"], keep="first", maintain_order=True
        ),
        staff=staff if by in CHANGED_BY_OWNER else staff.clear(),
        decisions=context.decisions,
    )


def _offered(members: pl.DataFrame, key: pl.Expr, by: str) -> pl.DataFrame:
    """Accounts under one of their keys. A deleted one is found by its mark alone: its name may be somebody else's by now."""
    alive = pl.when(~pl.col("deleted")).then(key.str.to_lowercase())
    return members.select(
        "object_id", "mark", "display_name", by=pl.lit(by), key=alive, name="user_principal_name", hold=_hold(by)
    )


def _hold(by: str) -> pl.Expr:
    """Why an account found by this property is linked by a person only; null where it may be linked at once."""
    looks_shared = ~pl.col("account_enabled") & (pl.col("licences").list.len() == 0) & pl.col("mail").is_not_null()
    return (
        pl.when("restricted")
        .then(int(Cause.RESTRICTED_UNIT))
        .when(looks_shared & pl.lit(by not in KEPT_BY_ADMINISTRATORS))
        .then(int(Cause.SHARED_MAILBOX))
        .when(pl.col("protected") & pl.lit(by in CHANGED_BY_OWNER))
        .then(int(Cause.PROTECTED_MATCH))
    )


GROUP_KEYS: Mapping[str, pl.Expr] = {
    "email": pl.coalesce(pl.col("mail").str.split("@").list.first(), "mail_nickname"),
    "name": pl.col("display_name"),
    "external_id": pl.col("external_id"),
}
"""What a group is found by the first time, as the tenant holds it."""


def _family(kind: pl.Expr) -> pl.Expr:
    """Groups that can stand for each other: class groups and Microsoft 365 groups can be teams, only security groups are nested."""
    unified = kind.cast(pl.String).is_in(["class", "unified"])
    return pl.when(unified).then(pl.lit("unified")).otherwise(kind.cast(pl.String))


def _key(by: pl.Expr, family: pl.Expr, key: pl.Expr) -> pl.Expr:
    return pl.format("{}\x1f{}\x1f{}", by, family, key)


def _groups(desired: Desired, groups: pl.DataFrame, context: Context) -> _Question:
    """All groups in one question, so that what one of them finds is not given to another as well."""
    wants = desired.state.groups
    used = desired.match_keys["by"].unique().to_list()
    family = _family(pl.col("kind"))
    # A group by a rule or of the school's own Active Directory is not ours to change. One that we made ourselves was made for
    # somebody: equal names and numbers say nothing then, and it is found by its mark alone.
    open_groups = groups.filter(~pl.col("dynamic") & ~pl.col("on_premises"))
    made = context.group_links.filter(~pl.col("adopted"))["object_id"].drop_nulls()
    found = pl.when(~pl.col("object_id").is_in(made.implode()))
    offered = [
        open_groups.select(
            "object_id",
            "mark",
            "display_name",
            by=pl.lit("address" if by == "email" else by),
            key=found.then(_key(pl.lit(by), family, GROUP_KEYS[by])),
            name="mail_nickname",
            hold=pl.lit(None, dtype=pl.Int32),
        )
        for by in sorted(used) or ["external_id"]
    ]
    keyed = desired.match_keys.join(wants.select("link", "kind"), on="link").drop_nulls("key")
    return _Question(
        links=context.group_links,
        marks=wants.select("link", "mark"),
        wanted=keyed.select("link", key=_key(pl.col("by"), family, pl.col("key"))),
        offered=pl.concat(offered),
        staff=wants.select("link").clear(),
        decisions=context.decisions,
        going_on=True,
    )


@dataclass(frozen=True, slots=True)
class _Hits:
    links: pl.DataFrame
    found: pl.DataFrame  # [link, every column of FOUND]
    unclear: pl.DataFrame  # [link, cause, candidates]

    def changes(self, kind: Kind) -> pl.DataFrame:
        """The matches as changes that write nothing, and the unclear ones as changes that wait, beside what was found."""
        return together(
            [
                rows(self.found, kind, Cause.MATCHED, after=values(*FOUND)),
                waits(self.unclear, kind, pl.col("cause"), before=values("candidates")),
            ]
        )


def _match(question: _Question) -> _Hits:
    """Hits by mark, then by key, as far as nobody decided otherwise."""
    ours = question.links.join(question.marks, on="link", how="semi")
    open_links = ours.filter(pl.col("object_id").is_null()).select("link")
    decided = question.decisions.join(open_links, on="link", how="semi")
    refused = decided.filter(pl.col("decision") == REFUSED).select("link", "object_id")
    without = decided.filter(pl.col("decision") == NOBODY).select("link").unique()
    new = decided.filter(pl.col("decision") == NEW).select("link").unique()
    marked = _by_mark(question, open_links.join(without, on="link", how="anti"), refused)
    doubtful = _contradicted(question, marked)
    by_mark = marked.join(doubtful, on="link", how="anti").select("link", *FOUND)
    asking = open_links.join(pl.concat([marked.select("link"), without, new]), on="link", how="anti")
    undone = asking.join(refused, on="link", how="semi")
    hits = _by_key(question, asking.join(undone, on="link", how="anti"))
    taken = pl.concat([question.links.drop_nulls("object_id").select("object_id"), by_mark.select("object_id")])
    gone_on = undone.join(refused.join(taken, on="object_id", how="semi"), on="link", how="semi")
    gone_on = gone_on if question.going_on else gone_on.clear()
    unclear = pl.concat(
        [
            _unclear(question, hits, taken),
            _said(doubtful, Cause.AMBIGUOUS_MATCH),
            _said(undone.join(gone_on, on="link", how="anti"), Cause.LINK_UNDONE),
            _said(gone_on, Cause.WENT_ON),
            _said(without, Cause.NOBODY),
        ]
    )
    of_mark = marked.join(doubtful, on="link", how="semi").select(HITS)
    seen = pl.concat([hits, of_mark, _by_key(question, undone), _refused_hits(question, undone, refused)])
    clear = hits.join(unclear, on="link", how="anti").with_columns(adopted=pl.lit(value=True)).select("link", *FOUND)
    found = pl.concat([by_mark, clear]).sort("link")
    fresh = found.with_columns(disabled_by_us=pl.lit(value=False), fresh=pl.lit(value=True))
    # Links of other institutes in the same tenant only say what is taken; what they stand for is none of ours.
    known = ours.drop_nulls("object_id").with_columns(fresh=pl.lit(value=False))
    columns = ["link", "object_id", "adopted", "disabled_by_us", "fresh"]
    candidates = _candidates(seen.join(unclear, on="link", how="semi"), taken, refused)
    return _Hits(
        pl.concat([known.select(columns), fresh.select(columns)]),
        found,
        unclear.join(candidates, on="link", how="left").sort("link"),
    )


def _said(links: pl.DataFrame, cause: Cause) -> pl.DataFrame:
    return links.select("link", cause=pl.lit(int(cause), dtype=pl.Int32))


def _by_mark(question: _Question, links: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """[link, adopted, every column of `offered`]: the object that carries the mark of each of these links, one at most."""
    return (
        question.marks.join(links, on="link", how="semi")
        .join(question.offered.drop_nulls("mark"), on="mark")
        .join(refused, on=["link", "object_id"], how="anti")
        .with_columns(adopted=pl.lit(value=False))
        .unique("link", keep="first", maintain_order=True)
    )


def _contradicted(question: _Question, marked: pl.DataFrame) -> pl.DataFrame:
    """[link] whose mark stands on an object that, by the match property, is somebody else's.

    An account that was moved by hand to another person still carries the first one's mark; after a lost database it would go back.
    """
    folded = pl.col("key").str.to_lowercase()
    keys = question.wanted.drop_nulls("key").with_columns(folded)
    owners = marked.drop_nulls("key").with_columns(folded).join(keys.select("key", owner="link"), on="key")
    own = owners.filter(pl.col("owner") == pl.col("link")).select("link")
    return owners.select("link").unique().join(own, on="link", how="anti").sort("link")


HITS = ("link", "object_id", "mark", "by", "name", "display_name", "hold")


def _by_key(question: _Question, links: pl.DataFrame) -> pl.DataFrame:
    """[every column of HITS]: objects whose property is that of one of these links, whatever their case."""
    folded = pl.col("key").str.to_lowercase()
    hits = (
        question.wanted.join(links, on="link", how="semi")
        .drop_nulls("key")
        .with_columns(folded)
        .join(question.offered.drop_nulls("key").with_columns(folded), on="key", maintain_order="left_right")
        .select(HITS)
    )
    return hits.join(_of_another_period(question, hits), on=["link", "object_id"], how="anti", maintain_order="left")


def _of_another_period(question: _Question, hits: pl.DataFrame) -> pl.DataFrame:
    """[link, object_id] of hits that are the team of another academic period.

    Last year's team of the same group has the same external id, and often the name: it goes on only if a person says so.
    """
    periods = question.links.filter(pl.col("period") > 0)
    return (
        hits.select("link", "object_id")
        .join(periods.select("link", "period"), on="link")
        .join(periods.select("object_id", held_in="period").drop_nulls(), on="object_id")
        .filter(pl.col("period") != pl.col("held_in"))
    )


def _refused_hits(question: _Question, undone: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """[every column of HITS]: objects whose link was undone, as far as they are still there."""
    objects = question.offered.unique("object_id", keep="first", maintain_order=True)
    return refused.join(undone, on="link", how="semi").join(objects, on="object_id").select(HITS)


def _unclear(question: _Question, hits: pl.DataFrame, taken: pl.DataFrame) -> pl.DataFrame:
    """[link, cause] of hits that a person has to look at; the first reason that applies to a link is the one that is said."""
    several = hits.filter(pl.len().over("link") > 1)
    shared = hits.filter(pl.len().over("object_id") > 1)
    marked = hits.filter(pl.col("mark").is_not_null()).select("object_id")
    belonging = hits.join(pl.concat([taken, marked]).unique(), on="object_id", how="semi")
    return pl.concat(
        [
            _said(pl.concat([several, shared]).select("link").unique(), Cause.AMBIGUOUS_MATCH),
            _said(belonging, Cause.MATCH_TAKEN),
            _said(hits.join(question.staff, on="link", how="semi"), Cause.STAFF_BY_EMAIL),
            hits.drop_nulls("hold").select("link", cause=pl.col("hold").cast(pl.Int32)),
        ]
    ).unique("link", keep="first", maintain_order=True)


def _candidates(seen: pl.DataFrame, taken: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """[link, candidates]: what was seen for each link, with words that say why (plan.sentences.WHY)."""
    held = taken.unique().with_columns(taken=pl.lit(value=True))
    undone = refused.unique().with_columns(undone=pl.lit(value=True))
    words = {
        "undone": pl.col("undone").is_not_null(),
        "taken": pl.col("taken").is_not_null(),
        "marked": pl.col("mark").is_not_null() & pl.col("taken").is_null(),
        "several": pl.len().over("object_id") > 1,
        "restricted": pl.col("hold") == int(Cause.RESTRICTED_UNIT),
        "shared": pl.col("hold") == int(Cause.SHARED_MAILBOX),
        "protected": pl.col("hold") == int(Cause.PROTECTED_MATCH),
    }
    why = pl.concat_list(pl.col("by"), *(pl.when(applies).then(pl.lit(word)) for word, applies in words.items()))
    return (
        seen.unique(["link", "object_id"], keep="first", maintain_order=True)
        .join(held, on="object_id", how="left")
        .join(undone, on=["link", "object_id"], how="left")
        .with_columns(why=why.list.drop_nulls())
        .sort("link", "name", "object_id")
        .group_by("link", maintain_order=True)
        .agg(candidates=pl.struct("object_id", "name", "display_name", "why").head(CANDIDATES))
    )


def beside_actual(wanted: pl.DataFrame, actual: pl.DataFrame, matched: pl.DataFrame) -> pl.DataFrame:
    """Desired rows whose object is in the tenant, beside what the object is now (columns suffixed `_now`)."""
    now = actual.drop("link").rename(lambda name: name if name == "object_id" else f"{name}_now")
    return wanted.drop("object_id").join(matched, on="link").join(now, on="object_id")


def is_ours() -> pl.Expr:
    """Whether link and mark of a row of `beside_actual` agree: our mark, or none on an object that was matched."""
    return ((pl.col("mark_now") == pl.col("mark")) | (pl.col("mark_now").is_null() & pl.col("adopted"))).fill_null(
        value=False
    )
