"""Approvals of runs, what guards hold of them, and what was refused: written whole, read as frames."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl
from django.db import connection, transaction

from rollbook.apply.approval import EVERYTHING, NEEDED, Approval, Cleared, Role
from rollbook.plan.changes import HELD, ChangeVerdict, Kind, Plan
from rollbook.plan.context import DECLINED
from rollbook.plan.guards import READINGS
from rollbook.store import models
from rollbook.store.bulk import execute_many, insert_frame, read_frame, table_of
from rollbook.store.models import Change, Hold, Institute, Refusal, Run, Tenant
from rollbook.words import counted


def save_held(run: Run, plan: Plan) -> None:
    """Remember what guards hold of a run's plan."""
    insert_frame(Hold, plan.held.with_columns(run_id=pl.lit(run.pk)))


def held(run: Run) -> pl.DataFrame:
    """What guards hold of a run's plan (schema HELD)."""
    return read_frame(f"SELECT seq, code FROM {table_of(Hold)} WHERE run_id = %s ORDER BY seq, code", [run.pk], HELD)


def of_run(run: Run) -> list[Approval]:
    """Every approval of a run's content, the oldest first."""
    return [
        Approval(
            row.fingerprint,
            row.actor,
            role=Role(row.role),
            waived=frozenset(row.waived),
            kinds=frozenset(row.kinds),
            items=frozenset(row.items),
            refused=frozenset(row.refused),
        )
        for row in run.approvals.filter(fingerprint=run.fingerprint).order_by("pk")
    ]


def save(run: Run, given: Approval, at: dt.datetime) -> None:
    """Remember an approval of a run."""
    models.Approval.objects.create(
        run=run,
        fingerprint=given.fingerprint,
        actor=given.actor,
        role=int(given.role),
        at=at,
        waived=sorted(given.waived),
        kinds=sorted(given.kinds),
        items=sorted(given.items),
        refused=sorted(given.refused),
    )


def settle(run: Run, may: Cleared) -> None:
    """Give a run's open changes the verdicts that follow from its approvals; only rows that differ are written."""
    now = read_frame(
        f"SELECT seq, verdict FROM {table_of(Change)} WHERE run_id = %s AND verdict IN (%s, %s)",
        [run.pk, int(ChangeVerdict.PLANNED), int(ChangeVerdict.UNAPPROVED)],
        {"seq": pl.Int32, "verdict": pl.UInt8},
    )
    then = pl.concat(
        [
            _with_verdict(may.going, ChangeVerdict.PLANNED),
            _with_verdict(may.waiting["seq"].unique(), ChangeVerdict.UNAPPROVED),
            _with_verdict(may.declined, ChangeVerdict.DECLINED),
        ]
    )
    differing = now.join(then, on="seq", suffix="_then").filter(pl.col("verdict") != pl.col("verdict_then"))
    with transaction.atomic():
        execute_many(
            f"UPDATE {table_of(Change)} SET verdict = %s WHERE run_id = {int(run.pk)} AND seq = %s",
            differing.select("verdict_then", "seq").iter_rows(),
        )


def _with_verdict(seqs: pl.Series, verdict: ChangeVerdict) -> pl.DataFrame:
    return pl.DataFrame({"seq": seqs.cast(pl.Int32)}).with_columns(verdict=pl.lit(int(verdict), dtype=pl.UInt8))


def unapproved(run: Run) -> int:
    """How many changes of a run still wait for somebody to agree."""
    return Change.objects.filter(run=run, verdict=int(ChangeVerdict.UNAPPROVED)).count()


def agreeable(run: Run) -> int:
    """How many changes of a run somebody may still agree to: none once a newer plan superseded it."""
    return unapproved(run) if run.state == Run.State.APPROVAL_DUE else 0


def counted_by_code(run: Run) -> dict[str, int]:
    """How many changes of a run that wait, or would, for somebody to agree each code holds; what only needs such a one under NEEDED."""
    open_ones = f"({int(ChangeVerdict.PLANNED)}, {int(ChangeVerdict.UNAPPROVED)})"
    unapproved = f"COALESCE(h.code, CASE WHEN c.verdict = {int(ChangeVerdict.UNAPPROVED)} THEN %s END)"
    statement = (
        f"SELECT {unapproved}, COUNT(*) FROM {table_of(Change)} c LEFT JOIN {table_of(Hold)} h "
        f"ON h.run_id = c.run_id AND h.seq = c.seq WHERE c.run_id = %s AND c.verdict IN {open_ones} GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [NEEDED, run.pk])
        return {code: count for code, count in cursor.fetchall() if code is not None}


def why_held(run: Run) -> dict[int, str]:
    """The code under which each change of a run waits for approval, by seq, its guard's before others."""
    said: dict[int, str] = {}
    for seq, code in held(run).iter_rows():
        if said.get(seq, NEEDED) == NEEDED:
            said[seq] = code
    return said


def doubts_reading(run: Run) -> bool:
    """Whether a guard objects to what the run's plan read of the tenant, and nobody said that the tenant really is so."""
    objected = {objection["code"] for objection in run.objections} & READINGS
    said = frozenset().union(*(given.waived for given in of_run(run)))
    return bool(objected - said)


def refuse(run: Run, keyed: pl.DataFrame, given: Approval, reason: str, at: dt.datetime) -> None:
    """These changes [seq, every column of DECLINED] are not asked again while their cause and values stay."""
    insert_frame(
        Refusal,
        keyed.drop("seq").with_columns(
            tenant_id=pl.lit(run.tenant_id),
            institute_id=pl.lit(run.institute_id),
            actor=pl.lit(given.actor),
            reason=pl.lit(reason),
            at=pl.lit(at),
        ),
    )


RefusedKey = tuple[int, int, int | None, int, dt.date | None]
"""What a refusal is known again by: kind, subject, object, cause, day of the change."""


def said_of_refusals(run: Run) -> dict[RefusedKey, str]:
    """Who refused changes such as those of a run, when, and why, the last word of each."""
    found = Refusal.objects.filter(tenant=run.tenant_id, institute=run.institute_id).order_by("pk")
    return {
        (row.kind, row.subject, row.object, row.cause, row.day): (
            f"refused by {row.actor}, {row.at:%Y-%m-%d %H:%M} UTC{f': {row.reason}' if row.reason else ''}"
        )
        for row in found
    }


@dataclass(frozen=True, slots=True)
class Agreed:
    """Who decided what about a run's content, as who, and when: `what` names guards, kinds and how many single changes."""

    at: dt.datetime
    actor: str
    role: str
    decided: str  # approved, or refused
    what: str


def decisions_of(run: Run) -> list[Agreed]:
    """Every decision about a run's content, the oldest first."""
    return [
        Agreed(
            row.at,
            row.actor,
            Role(row.role).label,
            "refused" if row.refused else "approved",
            _what(row),
        )
        for row in run.approvals.filter(fingerprint=run.fingerprint).order_by("pk")
    ]


def _what(row: models.Approval) -> str:
    single = len(row.refused) or len(row.items)
    named = [*row.waived, *(Kind(kind).name.lower() for kind in row.kinds)]
    words = ["everything" if word == EVERYTHING else word for word in named]
    return ", ".join([*words, *([counted(single, "change")] if single else [])]) or "what no guard holds"


def declined(tenant: Tenant, institute: Institute) -> pl.DataFrame:
    """What somebody refused and what is not asked again (schema plan.context.DECLINED)."""
    return _in_force(tenant.pk, institute.pk).drop("id")


def _in_force(tenant: int, institute: int) -> pl.DataFrame:
    """[every column of DECLINED, id] of refusals that count."""
    columns = ", ".join(connection.ops.quote_name(name) for name in DECLINED)
    statement = (
        f"SELECT {columns}, id FROM {table_of(Refusal)} "
        "WHERE tenant_id = %s AND institute_id = %s AND ended_at IS NULL ORDER BY id"
    )
    return read_frame(statement, [tenant, institute], {**DECLINED, "id": pl.Int64})


def end_refusals(run: Run, keyed: pl.DataFrame, at: dt.datetime) -> int:
    """Somebody agreed after all to these changes [seq, every column of DECLINED]; how many refusals ended."""
    known = _in_force(run.tenant_id, run.institute_id)
    ended = known.join(keyed, on=list(DECLINED), how="semi", nulls_equal=True)["id"].to_list()
    with transaction.atomic():
        execute_many(f"UPDATE {table_of(Refusal)} SET ended_at = %s WHERE id = %s", [(at, pk) for pk in ended])
    return len(ended)


def reopen(run: Run, seqs: set[int], still: pl.Series) -> None:
    """These changes of a run are refused no more; of all that were, only `still` (seqs) are."""
    with transaction.atomic():
        for given in run.approvals.exclude(refused=[]):
            given.refused = sorted(set(given.refused) - seqs)
            given.save(update_fields=["refused"])
        refused = Change.objects.filter(run=run, verdict=int(ChangeVerdict.DECLINED))
        refused.update(verdict=int(ChangeVerdict.PLANNED))
        execute_many(
            f"UPDATE {table_of(Change)} SET verdict = {int(ChangeVerdict.DECLINED)} WHERE run_id = %s AND seq = %s",
            [(run.pk, seq) for seq in still],
        )
