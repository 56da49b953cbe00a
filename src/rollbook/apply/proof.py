"""The proof: expected against actual, group by group, each missing or extra person with one reason. Pure.

Expected is everybody the register puts into a group, whether they can be there yet or not. Of each group therefore

    expected - missing - waiting - held  =  actual - extra - leaving - kept

which is everybody who should be there and is. Who is *pending* is in the group, and not yet in the team made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from rollbook.apply.whys import BY_A_PERSON, EXTRA, HELD, KEPT, LEAVING, MISSING, PENDING, STATUSES, WAITING, Why
from rollbook.directory.desired import OUTSIDE
from rollbook.directory.state import Relation
from rollbook.plan.changes import Cause, ChangeVerdict, Kind
from rollbook.plan.make import MAKERS
from rollbook.plan.memberships import difference

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

KEY = ["team", "user", "relation"]

GROUPS: Schema = {
    "team": pl.Int64,  # link
    "purpose": pl.String,  # team, node, licence
    "name": pl.String,
    "kind": pl.String,  # class, unified, security
    "there": pl.Boolean,  # in the tenant
    "wants_team": pl.Boolean,
    "has_team": pl.Boolean,
}

EXPECTED: Schema = {"team": pl.Int64, "user": pl.Int64, "relation": pl.UInt8, "held": pl.Boolean}

STRANGERS: Schema = {"seq": pl.Int32, "object_id": pl.String}

DEVIATIONS: Schema = {
    "team": pl.Int64,
    "user": pl.Int64,  # link of a person or of a nested group; null: not in the register
    "object_id": pl.String,  # of somebody who is not in the register
    "relation": pl.UInt8,
    "status": pl.String,  # STATUSES
    "why": pl.String,  # Why
    "cause": pl.UInt8,  # plan.changes.Cause: what the plan says of it; null where it says nothing
    "seq": pl.Int32,  # the change Microsoft answered; null where it is not about one
}

NUMBERS = ("expected", "actual", *STATUSES)

PROVEN: Schema = {
    "team": pl.Int64,
    "purpose": pl.String,
    "kind": pl.String,
    "name": pl.String,
    "there": pl.Boolean,
    "has_team": pl.Boolean,
    "cause": pl.UInt8,  # why the group, or the team made from it, waits
    "seq": pl.Int32,  # the change of the group that was not carried out
    **dict.fromkeys(NUMBERS, pl.Int64),
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is compared.

    `groups` (schema GROUPS) are all that are wanted, `expected` (schema EXPECTED) who the register puts into them, `actual`
    (schema directory.state.MEMBERSHIPS) who is in them, `accounts` [user] are linked to an account. `changes` (schema
    plan.changes.CHANGES) are those of the plan with the verdicts they have now; `strangers` (schema STRANGERS) says whom each
    removal of somebody unknown was about. `unmanaged` are links of groups of ours that are left as they are, and `outside` (schema
    directory.desired.OUTSIDE) what the register asks for outside the profile's scope.
    """

    groups: pl.DataFrame
    expected: pl.DataFrame
    actual: pl.DataFrame
    accounts: pl.DataFrame
    changes: pl.DataFrame
    strangers: pl.DataFrame
    keep_previous: bool = False
    unmanaged: pl.Series = field(default_factory=lambda: pl.Series([], dtype=pl.Int64))
    outside: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=pl.Schema(OUTSIDE)))


@dataclass(frozen=True, slots=True)
class Proof:
    """The comparison group by group (schema PROVEN), and every deviation (schema DEVIATIONS)."""

    groups: pl.DataFrame
    deviations: pl.DataFrame

    @property
    def missing(self) -> int:
        """Memberships that should be there and are not, without a reason the plan knew."""
        return self._sum("missing")

    @property
    def extra(self) -> int:
        """Memberships that should have ended and are there, though no rule keeps them."""
        return self._sum("extra")

    @property
    def pending(self) -> int:
        """Memberships of groups of which Microsoft is still making the team."""
        return self._sum("pending")

    @property
    def members_expected(self) -> int:
        """Memberships the register asks for."""
        return self._sum("expected")

    @property
    def unsettled(self) -> pl.Series:
        """Links of groups that do not show yet what Microsoft answered to have done; a later look may (graph.md section 13.15)."""
        return self.deviations.filter(pl.col("why").is_in([Why.NOT_SEEN, Why.NOT_GONE]))["team"].unique()

    @property
    def holds(self) -> bool:
        """Whether the tenant equals the register: nobody is missing and nobody is extra."""
        return self.missing == 0 and self.extra == 0

    def as_json(self) -> dict[str, int]:
        """The numbers as the command line prints them, and as they are remembered with a run; of those that wait, or are leaving,
        what waits for somebody to agree and what somebody refused is told where there is any.
        """
        of_teams = self.groups.filter(pl.col("purpose") == "team").height
        return {
            "teams": of_teams,
            "groups": self.groups.height - of_teams,
            "members_expected": self.members_expected,
            **{status: self._sum(status) for status in STATUSES},
            **by_a_person(self.deviations),
        }

    def _sum(self, name: str) -> int:
        return int(self.groups[name].sum())


def by_a_person(deviations: pl.DataFrame) -> dict[str, int]:
    """How many deviations (schema DEVIATIONS) are for somebody to agree to, and how many somebody refused; by why, where there are any."""
    counts = {why.value: deviations.filter(pl.col("why") == why).height for why in BY_A_PERSON}
    return {why: count for why, count in counts.items() if count}


def prove(evidence: Evidence) -> Proof:
    """Every group with its numbers, and everybody who is missing, extra, pending, waiting, leaving, held or kept, with one reason."""
    answered = _blocking(evidence.changes)
    told = _told(evidence, answered)
    groups = evidence.groups.join(_of_groups(evidence, answered), on="team", how="left")
    absent, surplus = difference(evidence.expected, evidence.actual.drop_nulls("user").select(KEY))
    inside = evidence.expected.join(absent, on=KEY, how="anti")
    unknown = evidence.actual.filter(pl.col("user").is_null())
    deviations = pl.concat(
        [
            _absent(absent, evidence, groups, told),
            _surplus(surplus, evidence, groups, told),
            _strangers(unknown, evidence),
            _unfinished(inside, groups),
        ]
    )
    return Proof(_counted(groups, evidence, deviations), _ordered(deviations, groups))


def _as_deviations(rows: pl.DataFrame, **given: pl.Expr | str) -> pl.DataFrame:
    """Rows as deviations (schema DEVIATIONS): texts are values, what is not given is the column of the name, or null."""
    chosen = []
    for name, kind in DEVIATIONS.items():
        value = given.get(name, pl.col(name) if name in rows.columns else pl.lit(None))
        chosen.append((pl.lit(value) if isinstance(value, str) else value).cast(kind).alias(name))
    return rows.select(chosen)


_SAYS_OF_GROUPS = (
    Kind.LINK_GROUP,
    Kind.CREATE_GROUP,
    Kind.CREATE_CLASS,
    Kind.CREATE_UNIFIED,
    Kind.CREATE_TEAM,
    Kind.UPDATE_GROUP,
)
_MAKING = (*MAKERS, Kind.CREATE_TEAM)
SHUT = (Cause.DYNAMIC_GROUP, Cause.KEPT_ON_PREMISES, Cause.FOREIGN_MARK)
"""Why nobody is put into a group, or taken out of it, although it is there."""

HALTING = (Cause.ACCOUNT_GONE, Cause.MAPPING_FAILED, Cause.FOREIGN_MARK)
"""Why nothing at all is done for a person whose account is linked."""

_NOT_AGREED = (ChangeVerdict.UNAPPROVED, ChangeVerdict.DECLINED)
_ANSWERED = (ChangeVerdict.DONE, ChangeVerdict.LATER, ChangeVerdict.NEVER, ChangeVerdict.BLOCKED)
_UNDONE = (ChangeVerdict.LATER, ChangeVerdict.NEVER, ChangeVerdict.BLOCKED)


def _in(name: str, *values: int) -> pl.Expr:
    return pl.col(name).is_in([int(value) for value in values])


_waiting = pl.col("verdict") == int(ChangeVerdict.WAITS)


def _first(changes: pl.DataFrame, *columns: pl.Expr | str, **named: pl.Expr | str) -> pl.DataFrame:
    """Of changes of one subject the first."""
    first = changes.sort("seq").unique("subject", keep="first", maintain_order=True)
    return first.select("subject", *columns, **named)


def _of_groups(evidence: Evidence, answered: pl.DataFrame) -> pl.DataFrame:
    """[team, cause, seq, shut, no_team]: why a group waits, which of its changes was not carried out, whether nobody is put into it,
    and whether no team will be made from it."""
    about = evidence.changes.filter(_in("kind", *_SAYS_OF_GROUPS)).join(answered, on="seq", how="left")
    undone = about.filter(_in("kind", *_MAKING), _in("verdict", *_UNDONE))
    unmade = about.filter(
        _in("kind", *_MAKING), _in("verdict", ChangeVerdict.NEVER, ChangeVerdict.BLOCKED, *_NOT_AGREED)
    )
    made = about.filter(_in("kind", *MAKERS), ~_waiting)
    parts = [
        _first(about.filter(_waiting), "cause"),
        _first(undone, pl.coalesce("by", "seq").alias("seq")),
        _first(unmade, pl.lit(value=True).alias("no_team")),
        _first(made, pl.lit(value=True).alias("made")),
    ]
    found = evidence.groups.select("there", subject="team")
    for part in parts:
        found = found.join(part, on="subject", how="left")
    shut = _in("cause", *SHUT).fill_null(value=False)
    return found.select(
        "cause",
        "seq",
        "no_team",
        team="subject",
        shut=pl.when("there").then(shut).otherwise(pl.col("made").is_null()),
    )


def _of_accounts(evidence: Evidence) -> pl.DataFrame:
    """[user, halted, person_cause]: people for whom nothing is done, and what the plan says of it; null where it says nothing."""
    about = evidence.changes.filter(_in("kind", Kind.LINK_USER, Kind.CREATE_USER, Kind.UPDATE_USER))
    made = about.filter(_in("kind", Kind.CREATE_USER), ~_waiting).select(user="subject")
    said = _first(about.filter(_waiting), person_cause="cause").rename({"subject": "user"})
    parties = (evidence.expected.select("user"), evidence.actual.select("user").drop_nulls())
    groups = pl.concat([evidence.groups["team"], evidence.unmanaged]).alias("user").to_frame()
    people = pl.concat(parties).unique().join(groups, on="user", how="anti")
    without = people.join(pl.concat([evidence.accounts.select("user"), made]), on="user", how="anti")
    told = people.join(said, on="user", how="left").join(
        without.with_columns(without=pl.lit(value=True)), on="user", how="left"
    )
    halted = pl.col("without").fill_null(value=False) | _in("person_cause", *HALTING).fill_null(value=False)
    return told.filter(halted).select("user", "person_cause", halted=pl.lit(value=True))


_RELATION = {
    Kind.ADD_OWNER: (True, Relation.OWNER),
    Kind.ADD_MEMBER: (True, Relation.MEMBER),
    Kind.JOIN_LICENCE_GROUP: (True, Relation.MEMBER),
    Kind.REMOVE_OWNER: (False, Relation.OWNER),
    Kind.DEMOTE_OWNER: (False, Relation.OWNER),
    Kind.REMOVE_MEMBER: (False, Relation.MEMBER),
    Kind.LEAVE_LICENCE_GROUP: (False, Relation.MEMBER),
}
"""Whether a kind of change adds, and which relation."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What the plan says of relations: [team, user, relation, verdict, seq, cause] of `added` and of `removed` ones."""

    added: pl.DataFrame
    removed: pl.DataFrame


def _told(evidence: Evidence, answered: pl.DataFrame) -> _Told:
    relation = {int(kind): int(relation) for kind, (_, relation) in _RELATION.items()}
    about = evidence.changes.filter(_in("kind", *_RELATION)).with_columns(
        relation=pl.col("kind").replace_strict(relation, return_dtype=pl.UInt8)
    )
    named = (
        about.join(answered, on="seq", how="left")
        .with_columns(seq=pl.coalesce("by", "seq"))
        .select("verdict", "seq", "cause", "relation", "kind", team="subject", user="object")
    )
    adding = _in("kind", *(kind for kind, (adds, _) in _RELATION.items() if adds))
    added, removed = (named.filter(side).drop("kind").unique(KEY, keep="first") for side in (adding, ~adding))
    return _Told(added, removed)


def _blocking(changes: pl.DataFrame) -> pl.DataFrame:
    """[seq, by]: of each blocked change the one that was not done, as far back as that goes."""
    verdicts = changes.select("seq", "verdict", "needs_subject", "needs_object")
    undone = verdicts.filter(_in("verdict", *_UNDONE))
    found = verdicts.filter(pl.col("verdict") == int(ChangeVerdict.BLOCKED)).select("seq", by="seq")
    # An owner who could not be added blocks the team; what made the owner blocks that: three steps are all there can be.
    for _ in range(3):
        needs = undone.select(
            by="seq",
            further=pl.coalesce(
                pl.when(pl.col(name).is_in(undone["seq"].implode())).then(name)
                for name in ("needs_subject", "needs_object")
            ),
        )
        found = found.join(needs, on="by", how="left").select("seq", by=pl.coalesce("further", "by"))
    return found


_NOT_ADDED = {
    ChangeVerdict.PLANNED: Why.NOT_APPLIED,
    ChangeVerdict.SENT: Why.NOT_APPLIED,
    ChangeVerdict.DONE: Why.NOT_SEEN,
    ChangeVerdict.LATER: Why.PUT_OFF,
    ChangeVerdict.NEVER: Why.REFUSED,
    ChangeVerdict.BLOCKED: Why.BLOCKED,
    ChangeVerdict.WAITS: Why.WAITS,
    ChangeVerdict.UNAPPROVED: Why.UNAPPROVED,
    ChangeVerdict.DECLINED: Why.DECLINED,
    ChangeVerdict.DRIFTED: Why.DRIFTED,
}
_NOT_REMOVED = _NOT_ADDED | {ChangeVerdict.DONE: Why.NOT_GONE}


def _by_verdict(words: Mapping[ChangeVerdict, Why]) -> pl.Expr:
    codes = {int(verdict): why.value for verdict, why in words.items()}
    return pl.col("verdict").replace_strict(codes, return_dtype=pl.String).fill_null(Why.NOT_PLANNED.value)


def _absent(absent: pl.DataFrame, evidence: Evidence, groups: pl.DataFrame, told: _Told) -> pl.DataFrame:
    """Who is not there and should be: held, waiting for an account or for the group, else missing."""
    doors = groups.select("team", "purpose", "shut", group_cause="cause")
    nested = doors.select(user="team", nested_shut="shut", nested_cause="group_cause")
    seatless = evidence.changes.filter(_in("cause", Cause.NO_SEATS)).select(user="subject", seatless=pl.lit(value=True))
    found = (
        absent.join(doors, on="team", how="left")
        .join(nested, on="user", how="left")
        .join(_of_accounts(evidence), on="user", how="left")
        .join(seatless.unique(), on="user", how="left")
        .join(told.added, on=KEY, how="left")
    )
    no_seat = pl.col("seatless") & (pl.col("purpose") == "licence")
    waits = pl.col("verdict") == int(ChangeVerdict.WAITS)
    none = pl.lit(None, dtype=pl.UInt8)
    cases: list[tuple[pl.Expr, str, pl.Expr, pl.Expr]] = [
        (pl.col("held"), HELD, pl.lit(Why.HELD), pl.lit(int(Cause.HELD))),
        (pl.col("halted"), WAITING, pl.lit(Why.ACCOUNT_WAITS), pl.col("person_cause")),
        (pl.col("shut"), WAITING, pl.lit(Why.GROUP_WAITS), pl.col("group_cause")),
        (pl.col("nested_shut"), WAITING, pl.lit(Why.NESTED_WAITS), pl.col("nested_cause")),
        (no_seat, WAITING, pl.lit(Why.WAITS), pl.lit(int(Cause.NO_SEATS))),
        (waits, WAITING, pl.lit(Why.WAITS), pl.col("cause")),
        (_in("verdict", *_NOT_AGREED), WAITING, _by_verdict(_NOT_ADDED), none),
    ]
    return _by_case(found, cases, (MISSING, _by_verdict(_NOT_ADDED)))


def _surplus(surplus: pl.DataFrame, evidence: Evidence, groups: pl.DataFrame, told: _Told) -> pl.DataFrame:
    """Who is there and should not be: kept by rule, leaving once somebody agrees, else extra."""
    doors = groups.select("team", "purpose", "kind", "shut", group_cause="cause")
    last = evidence.changes.filter(_in("cause", Cause.LAST_OWNER)).select(
        team="subject", user="object", last=pl.lit(value=True)
    )
    found = (
        surplus.join(doors, on="team", how="left")
        .join(_of_accounts(evidence), on="user", how="left")
        .join(last.unique(), on=["team", "user"], how="left")
        .join(evidence.outside.select(*KEY, outside=pl.lit(value=True)), on=KEY, how="left")
        .join(told.removed, on=KEY, how="left")
    )
    none = pl.lit(None, dtype=pl.UInt8)
    # Nobody is made an owner of a security group: whoever is one was made so by hand.
    by_hand = (pl.col("kind") == "security") & (pl.col("relation") == int(Relation.OWNER))
    previous = pl.lit(evidence.keep_previous) & (pl.col("purpose") == "team")
    # Its level is off or hidden now: as long as Microsoft did not answer, that says more than what became of the change.
    answered = _in("verdict", *_ANSWERED).fill_null(value=False)
    unmanaged = pl.col("user").is_in(evidence.unmanaged.implode()) & ~answered
    cases: list[tuple[pl.Expr, str, pl.Expr, pl.Expr]] = [
        (pl.col("shut"), KEPT, pl.lit(Why.GROUP_LEFT_ALONE), pl.col("group_cause")),
        (pl.col("halted"), KEPT, pl.lit(Why.ACCOUNT_LEFT_ALONE), pl.col("person_cause")),
        (pl.col("outside"), KEPT, pl.lit(Why.OUT_OF_SCOPE), none),
        (unmanaged, EXTRA, pl.lit(Why.LEVEL_OFF), none),
        (previous, KEPT, pl.lit(Why.KEPT), none),
        (pl.col("last"), KEPT, pl.lit(Why.LAST_OWNER), pl.lit(int(Cause.LAST_OWNER))),
        (by_hand, KEPT, pl.lit(Why.OWNER_BY_HAND), none),
        (_in("verdict", *_NOT_AGREED), LEAVING, _by_verdict(_NOT_REMOVED), none),
    ]
    return _by_case(found, cases, (EXTRA, _by_verdict(_NOT_REMOVED)))


def _by_case(
    found: pl.DataFrame, cases: list[tuple[pl.Expr, str, pl.Expr, pl.Expr]], otherwise: tuple[str, pl.Expr]
) -> pl.DataFrame:
    """Rows as deviations, each by the first case (applies, status, why, cause) that applies; else `otherwise`, with its change."""
    status, why = pl.lit(otherwise[0]), otherwise[1]
    cause, seq = pl.lit(None, dtype=pl.UInt8), pl.col("seq")
    for applies, case_status, case_why, case_cause in reversed(cases):
        here = applies.fill_null(value=False)
        status = pl.when(here).then(pl.lit(case_status)).otherwise(status)
        why = pl.when(here).then(case_why).otherwise(why)
        cause = pl.when(here).then(case_cause.cast(pl.UInt8)).otherwise(cause)
        seq = pl.when(here).then(pl.lit(None, dtype=pl.Int32)).otherwise(seq)
    return _as_deviations(found, status=status, why=why, cause=cause, seq=seq)


def _strangers(unknown: pl.DataFrame, evidence: Evidence) -> pl.DataFrame:
    """People who are not in the register: left alone, unless the plan was to remove them."""
    leaving = evidence.changes.filter(_in("kind", Kind.REMOVE_STRANGER)).join(evidence.strangers, on="seq")
    planned = leaving.select("verdict", "seq", team="subject", user_object_id="object_id")
    found = unknown.join(planned, on=["team", "user_object_id"], how="left")
    extra = found.filter(pl.col("verdict").is_not_null(), ~_in("verdict", *_NOT_AGREED))
    held = found.filter(_in("verdict", *_NOT_AGREED))
    object_id = pl.col("user_object_id")
    return pl.concat(
        [
            _as_deviations(
                found.filter(pl.col("verdict").is_null()),
                object_id=object_id,
                status=KEPT,
                why=Why.NOT_IN_REGISTER,
                seq=pl.lit(None),
            ),
            _as_deviations(held, object_id=object_id, status=LEAVING, why=_by_verdict(_NOT_REMOVED), seq=pl.lit(None)),
            _as_deviations(extra, object_id=pl.col("user_object_id"), status=EXTRA, why=_by_verdict(_NOT_REMOVED)),
        ]
    )


def _unfinished(inside: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Who is in a group of which Microsoft is still making the team."""
    making = (
        pl.col("there")
        & pl.col("wants_team")
        & ~pl.col("has_team")
        & pl.col("cause").is_null()
        & pl.col("no_team").is_null()
    )
    teams = groups.filter(making).select("team")
    return _as_deviations(inside.join(teams, on="team", how="semi"), status=PENDING, why=Why.TEAM_PENDING)


def _counted(groups: pl.DataFrame, evidence: Evidence, deviations: pl.DataFrame) -> pl.DataFrame:
    """The groups with their numbers (schema PROVEN), by purpose and name."""
    counts = [
        evidence.expected.group_by("team").agg(expected=pl.len()),
        evidence.actual.group_by("team").agg(actual=pl.len()),
        deviations.group_by("team").agg((pl.col("status") == status).sum().alias(status) for status in STATUSES),
    ]
    counted = groups
    for part in counts:
        counted = counted.join(part, on="team", how="left")
    filled = counted.with_columns(pl.col(NUMBERS).fill_null(0))
    return filled.select(PROVEN.keys()).cast(pl.Schema(PROVEN)).sort("purpose", "name", "team", nulls_last=True)


def _ordered(deviations: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """The deviations with faults first, each status by group."""
    rank = pl.col("status").replace_strict({status: n for n, status in enumerate(STATUSES)}, return_dtype=pl.Int8)
    names = groups.select("team", "purpose", "name")
    return (
        deviations.join(names, on="team", how="left")
        .sort(rank, "purpose", "name", "team", "user", "object_id", "relation", nulls_last=True)
        .select(DEVIATIONS.keys())
    )
