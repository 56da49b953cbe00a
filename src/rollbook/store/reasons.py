"""Why something is not done for a person: what the newest plan says, and what Microsoft answered."""

from __future__ import annotations

import polars as pl

from rollbook.plan.changes import WAITING_FROM, Cause, ChangeVerdict, Kind
from rollbook.plan.sentences import REASONS, VERDICTS
from rollbook.store.bulk import read_frame, table_of
from rollbook.store.changes import answers
from rollbook.store.models import Change, Run

ABOUT_PEOPLE = tuple(kind for kind in Kind if kind.name.endswith("_USER"))
GIVING_ACCOUNTS = (Kind.LINK_USER, Kind.CREATE_USER)
NONE_PLANNED = (Cause.CREATION_OFF, Cause.NOBODY)
"""Why there is no account, and none is to be."""

NOT_YET: dict[ChangeVerdict, str] = {
    ChangeVerdict.PLANNED: "planned, not carried out yet",
    ChangeVerdict.SENT: "sent, and Microsoft did not answer yet",
    ChangeVerdict.LATER: "Microsoft put it off; the next run tries again",
    ChangeVerdict.NEVER: "Microsoft refused it",
    ChangeVerdict.BLOCKED: "what it needs could not be made",
    **VERDICTS,
}
"""What is said of a change that is not done, where neither the plan nor Microsoft says more."""

UNDONE = {"link": pl.Int64, "seq": pl.Int64, "kind": pl.Int64, "cause": pl.Int64, "verdict": pl.Int64}


def why_undone(run: Run | None) -> pl.DataFrame:
    """[link, why, none_planned, open] of people for whom a run did not do everything; the first thing it says of each.

    `open`: nothing hinders it, and it gives nobody an account who has none; what is hindered is said before it. Empty without a run.
    """
    undone = _undone(run)
    said = answers(run) if run else {}
    waits = {int(cause): REASONS[cause].removeprefix("waits: ") for cause in Cause if cause >= WAITING_FROM}
    told = pl.DataFrame(
        {"seq": list(said), "answer": list(said.values())}, schema={"seq": pl.Int64, "answer": pl.String}
    )
    reason = pl.col("cause").replace_strict(waits, default=None, return_dtype=pl.String)
    waiting = pl.when(pl.col("verdict") == int(ChangeVerdict.WAITS)).then(reason)
    giving = pl.col("kind").is_in([int(kind) for kind in GIVING_ACCOUNTS])
    what = pl.col("kind").replace_strict(
        {int(kind): f"{kind.label}: " for kind in ABOUT_PEOPLE}, return_dtype=pl.String
    )
    stands = pl.col("verdict").replace_strict(
        {int(v): text for v, text in NOT_YET.items()}, default=None, return_dtype=pl.String
    )
    not_yet = pl.when(giving).then(stands).otherwise(what + stands)
    return (
        undone.join(told, on="seq", how="left")
        .with_columns(
            why=pl.coalesce(waiting, "answer", not_yet),
            open=~giving & (pl.col("verdict") == int(ChangeVerdict.PLANNED)),
        )
        .sort("open", "seq")
        .unique("link", keep="first", maintain_order=True)
        .select("link", "why", "open", none_planned=pl.col("cause").is_in([int(cause) for cause in NONE_PLANNED]))
    )


def what_waits(run: Run | None) -> pl.DataFrame:
    """[link, cause] of people and groups of which a run says that something waits, not of who is in which; empty without a run."""
    statement = (
        f"SELECT DISTINCT subject, cause FROM {table_of(Change)} "
        f'WHERE run_id = %s AND verdict = {int(ChangeVerdict.WAITS)} AND "object" IS NULL ORDER BY subject, cause'
    )
    return read_frame(statement, [run.pk if run else 0], {"link": pl.Int64, "cause": pl.Int64})


def _undone(run: Run | None) -> pl.DataFrame:
    """Changes of accounts that are not done."""
    statement = (
        f"SELECT subject, seq, kind, cause, verdict FROM {table_of(Change)} WHERE run_id = %s AND kind IN ({_listed(ABOUT_PEOPLE)}) "
        f"AND verdict <> {int(ChangeVerdict.DONE)} ORDER BY seq"
    )
    return read_frame(statement, [run.pk if run else 0], UNDONE)


def _listed(kinds: tuple[Kind, ...]) -> str:
    return ", ".join(str(int(kind)) for kind in kinds)
