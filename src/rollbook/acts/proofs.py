"""What a run left in the tenant, for people: every group in numbers, every deviation with its reason, and the rosters of teams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from rollbook.acts.connections import connection_of, opened
from rollbook.acts.profiles import Author
from rollbook.acts.spreadsheet import as_csv
from rollbook.apply.proof import by_a_person
from rollbook.apply.rosters import not_yet_in_team
from rollbook.apply.whys import STATUSES, cause_sentence
from rollbook.errors import InputRefused
from rollbook.store import links, proofs
from rollbook.store.changes import answers
from rollbook.store.models import Institute, Link, Run
from rollbook.store.proof_lines import group_ids, group_names, names_of
from rollbook.store.proof_lines import told as lines
from rollbook.sync import read_memberships

GROUPS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "group": pl.String,
    "group_id": pl.String,  # sourced id; several teams may be called alike
    "purpose": pl.String,  # team, hierarchy, licence
    "kind": pl.String,
    "there": pl.Boolean,
    "has_team": pl.Boolean,
    "archived": pl.Boolean,  # as far as we know
    **dict.fromkeys(
        ("expected", "actual", "missing", "extra", "pending", "waiting", "leaving", "held", "kept"), pl.Int64
    ),
    "waits": pl.String,  # why the group, or the team made from it, waits or was refused
}

PURPOSES = {"node": "hierarchy"}
"""What groups are for, where people call it otherwise than the proof itself."""

CLASS = "class"
EQUAL = "equal"
"""What the file says of a group in which nothing deviates."""


@dataclass(frozen=True, slots=True)
class Told:
    """A run's proof: `groups` [team, every column of GROUPS], `deviations` (schema store.proof_lines.LINES).

    `by_a_person` counts those that wait for somebody to agree, or that somebody refused (apply.proof.by_a_person).
    """

    run: Run
    groups: pl.DataFrame
    deviations: pl.DataFrame
    by_a_person: Mapping[str, int]

    @property
    def holds(self) -> bool:
        """Whether nobody is missing and nobody is extra in these groups."""
        return bool(self.groups["missing"].sum() == 0 and self.groups["extra"].sum() == 0)

    @property
    def numbers(self) -> dict[str, int]:
        """How many memberships there are of each status, as in apply.proof.Proof.as_json."""
        return {status: int(self.groups[status].sum()) for status in STATUSES} | dict(self.by_a_person)


def proven_run(institute: Institute, number: int | None) -> Run:
    """The run of this number, or the newest that was proven. InputRefused if there is none, or its proof is not kept."""
    tenant = connection_of(institute).tenant
    if number is None:
        run = proofs.newest_proven(tenant, institute)
        if run is None:
            raise InputRefused("No run was proven yet.", remedy="Synchronize with `rollbook sync`.")
    else:
        run = Run.objects.filter(tenant=tenant, institute=institute, number=number).first()
        if run is None:
            raise InputRefused(
                f"There is no run {number}.", remedy="`rollbook proof` shows the newest that was proven."
            )
        if run.proof is None:
            raise InputRefused(
                f"Run {number} is {run.get_state_display().lower()}; it was not proven.",
                remedy="A run is proven when everything was applied: `rollbook sync`, `rollbook apply`.",
            )
    if not proofs.is_kept(run):
        raise InputRefused(
            f"Of run {run.number} only the numbers are kept (`rollbook show {run.number}`): "
            f"proofs are kept of the newest {proofs.PROOFS_KEPT} runs.",
            remedy="Look at a newer one, or synchronize: the proof is made anew each time.",
        )
    return run


def proof_of(run: Run, name: str | None = None) -> Told:
    """The proof of a run, or of its groups whose name holds `name`. InputRefused if none does."""
    groups = _groups(run)
    if name is not None:
        found = groups.filter(pl.col("group").str.to_lowercase().str.contains(name.lower(), literal=True))
        if found.is_empty():
            raise InputRefused(f"The proof of run {run.number} has no group called {name!r}.", remedy=_some(groups))
        groups = found
    deviations = proofs.read_deviations(run, None if name is None else groups["team"].to_list())
    return Told(run, groups, lines(run, deviations), by_a_person(deviations))


def _some(groups: pl.DataFrame) -> str:
    names = groups["group"].head(8).to_list()
    return f"There are, for example: {', '.join(names)}." if names else "It has no groups at all."


def _groups(run: Run) -> pl.DataFrame:
    found = proofs.read_groups(run)
    nameless = found.filter(pl.col("name").is_null())["team"].to_list()
    names = names_of(run, nameless) | group_names(run)
    said = answers(run) if found["seq"].drop_nulls().len() else {}
    waits = [_waits(cause, seq, said) for cause, seq in found.select("cause", "seq").iter_rows()]
    named = [names.get(team) or f"#{team}" for team in found["team"]]
    archived = Link.objects.filter(tenant=run.tenant, archived_at__isnull=False).values_list("pk", flat=True)
    told = found.with_columns(
        group=pl.Series(named, dtype=pl.String),
        waits=pl.Series(waits, dtype=pl.String),
        purpose=pl.col("purpose").replace(PURPOSES),
        archived=pl.col("team").is_in(list(archived)),
    )
    return told.join(group_ids(run), on="team", how="left", maintain_order="left").select("team", *GROUPS)


def _waits(cause: int | None, seq: int | None, said: Mapping[int, str]) -> str | None:
    if cause is not None:
        return cause_sentence(cause)
    if seq is None:
        return None
    return f"Microsoft: {said[seq]}" if seq in said else "not carried out; see `rollbook show`"


def as_rows(proof: Told) -> pl.DataFrame:
    """One row a deviation, with the numbers of its group; one for each group in which nothing deviates."""
    numbers = proof.groups.select("team", "group", "group_id", "purpose", "expected", "actual")
    whose = proof.deviations.drop("group", "group_id")
    deviating = whose.join(numbers, on="team", how="left", maintain_order="left")
    equal = numbers.join(whose, on="team", how="anti").with_columns(status=pl.lit(EQUAL))
    columns = [*numbers.columns[1:], *whose.columns[1:]]
    return pl.concat([deviating.select(columns), equal.drop("team")], how="diagonal").select(columns)


def exported(proof: Told, author: Author) -> tuple[str, int]:
    """The proof as CSV text, and how many rows it has; noted in the trail, since it takes names out of here."""
    rows = as_rows(proof)
    author.note(proof.run.institute, "proof.exported", {"run": proof.run.number, "rows": rows.height})
    return as_csv(rows), rows.height


def with_rosters(proof: Told, author: Author) -> Told:
    """The proof with everybody who is in a group and not yet on the roster of its team, both read at Microsoft now."""
    run, known = proof.run, _linked(proof.run)
    groups = known.join(proof.groups.filter("has_team").select(link="team"), on="link", how="semi")
    with opened(connection_of(run.institute), author.clock) as tenant:
        members = read_memberships(tenant.reader, known, groups)
        read = tenant.reader.team_rosters(groups["object_id"].to_list())
    rosters = read.join(groups.select(group_object_id="object_id", team="link"), on="group_object_id")
    pending = not_yet_in_team(members, rosters, proof.groups.filter(pl.col("kind") == CLASS)["team"])
    counted = pending.group_by("team").agg(more=pl.len())
    numbers = (
        proof.groups.join(counted, on="team", how="left", maintain_order="left")
        .with_columns(pending=pl.col("pending") + pl.col("more").fill_null(0))
        .drop("more")
    )
    return Told(run, numbers, pl.concat([proof.deviations, lines(run, pending)]), proof.by_a_person)


def _linked(run: Run) -> pl.DataFrame:
    """[link, object_id] of everything that is linked in the run's tenant."""
    held = [
        links.held(run.tenant, kind).drop_nulls("held") for kind in (Link.Kind.USER, Link.Kind.TEAM, Link.Kind.NODE)
    ]
    return pl.concat(held).select("link", object_id="held")
