"""The journal of one run on the database: every method one transaction, durable when it returns."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from rollbook.apply.journal import Answer, Intent
from rollbook.clock import Clock
from rollbook.plan.changes import CHANGES, ChangeVerdict, Kind
from rollbook.plan.make import MAKERS
from rollbook.store import freezes, leases, models, passwords, runs
from rollbook.store.bulk import among, execute_many, read_frame, table_of
from rollbook.store.models import Link, Run, Secret
from rollbook.store.vault import Vault

OPEN = (ChangeVerdict.PLANNED, ChangeVerdict.SENT)
PASSWORDS = {
    Kind.CREATE_USER: Secret.Purpose.FIRST_PASSWORD,
    Kind.SET_PASSWORD: Secret.Purpose.NEXT_PASSWORD,
}
"""What a password is while its request is on its way: a new one takes the place of the first only once Microsoft took it."""
NAMESPACES = {
    Kind.CREATE_USER: "user",
    Kind.RENAME_USER: "user",
    Kind.RESTORE_USER: "user",
    Kind.CREATE_CLASS: "team",
    Kind.CREATE_UNIFIED: "team",
}
"""Kinds that claim a name, and among which names it has to be alone."""


def unasked() -> None:
    """Nobody is asked whether a run may go on: it may."""


class StoreJournal:
    """The memory of one run (apply.journal.Journal). Each batch first checks that the tenant is still ours."""

    def __init__(
        self,
        run: Run,
        lease: leases.Lease,
        clock: Clock,
        vault: Vault | None = None,
        may_go_on: Callable[[], None] = unasked,
    ) -> None:
        self._run = run
        self._may_go_on = may_go_on
        self._lease = lease
        self._clock = clock
        self._vault = vault or Vault()
        # Object ids are asked for at each wave; only what this process learns changes them while it holds the lease.
        self._object_ids: dict[int, str] | None = None

    def open_changes(self, kinds: Sequence[int] | None = None) -> pl.DataFrame:
        """The run's changes that have no final verdict (schema CHANGES), by seq; of all kinds or of some."""
        verdicts = ", ".join(str(int(verdict)) for verdict in OPEN)
        chosen = "" if kinds is None else f"AND kind IN ({', '.join(str(int(kind)) for kind in kinds)})"
        statement = f"{runs.select_changes()} WHERE run_id = %s AND verdict IN ({verdicts}) {chosen} ORDER BY seq"
        return read_frame(statement, [self._run.pk], CHANGES)

    def in_vain(self, kinds: Sequence[int]) -> list[int]:
        """The seqs of the run's changes of these kinds that nothing was sent for, and that need a change which was not done."""
        changes, chosen = table_of(models.Change), ", ".join(str(int(kind)) for kind in kinds)
        statement = (
            f"SELECT c.seq FROM {changes} c JOIN {changes} n ON n.run_id = c.run_id "
            "AND n.seq IN (c.needs_subject, c.needs_object) "
            f"WHERE c.run_id = %s AND c.kind IN ({chosen}) AND c.verdict = {int(ChangeVerdict.PLANNED)} "
            f"AND n.verdict <> {int(ChangeVerdict.DONE)} ORDER BY c.seq"
        )
        return read_frame(statement, [self._run.pk], {"seq": pl.Int64})["seq"].unique().to_list()

    def details(self, kinds: Sequence[int]) -> pl.DataFrame:
        """The attribute values of the run's changes of these kinds (schema DETAILS)."""
        return runs.load_details(self._run, kinds)

    def unanswered(self) -> list[Intent]:
        """Intents that have no answer, by number, with the names reserved for them."""
        statement = (
            f"SELECT i.number, i.kind, i.seqs, i.names FROM {table_of(models.Intent)} i "
            f"LEFT JOIN {table_of(models.Answer)} a ON a.run_id = i.run_id AND a.number = i.number "
            "WHERE i.run_id = %s AND a.id IS NULL ORDER BY i.number"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, [self._run.pk])
            rows = cursor.fetchall()
        promised = self._promised([int(link) for *_, names in rows for link in names.split(",") if link])
        return [
            Intent(
                number,
                kind,
                tuple(int(seq) for seq in seqs.split(",")),
                names={int(link): promised[int(link)] for link in names.split(",") if link},
            )
            for number, kind, seqs, names in rows
        ]

    def _promised(self, links: Sequence[int]) -> dict[int, str]:
        """The name each link was promised, as it was sent."""
        found: dict[int, str] = {}
        details = runs.load_details(self._run, [int(kind) for kind in NAMESPACES])
        wanted = details.filter(pl.col("subject").is_in(list(links)))
        for name in ("mail_nickname", "user_principal_name"):
            column = wanted.select("subject", pl.col("after").str.json_path_match(f"$.{name}")).drop_nulls()
            found.update(column.iter_rows())
        return found

    def next_number(self) -> int:
        """A number no intent of the run has yet."""
        return (
            models.Intent.objects.filter(run=self._run).order_by("-number").values_list("number", flat=True).first()
            or 0
        ) + 1

    def attempted(self) -> frozenset[int]:
        """The changes (seqs) of which a request of this run was sent, or about to be: the tenant may show them already."""
        sent = models.Intent.objects.filter(run=self._run).values_list("seqs", flat=True)
        return frozenset(int(seq) for seqs in sent for seq in seqs.split(","))

    def object_ids(self) -> dict[int, str]:
        """Microsoft's object id of every link that a change of the run is about, of those that have one."""
        if self._object_ids is None:
            quote = connection.ops.quote_name
            about = " UNION ".join(
                f"SELECT {quote(side)} FROM {table_of(models.Change)} WHERE run_id = %s"
                for side in ("subject", "object")
            )
            statement = f"SELECT id, object_id FROM {table_of(Link)} WHERE id IN ({about}) AND object_id IS NOT NULL"
            schema = {"link": pl.Int64, "object_id": pl.String}
            rows = read_frame(statement, [self._run.pk, self._run.pk], schema).iter_rows()
            self._object_ids = {link: str(object_id) for link, object_id in rows}
        return self._object_ids

    def marks(self, links: Sequence[int]) -> dict[int, str]:
        """The mark that objects of these links carry at Microsoft."""
        chosen, listed = among("id", links)
        statement = f"SELECT id, mark FROM {table_of(Link)} WHERE {chosen} AND tenant_id = %s"
        found = read_frame(statement, [*listed, self._run.tenant_id], {"link": pl.Int64, "mark": pl.String})
        return dict(found.iter_rows())

    def made_here(self) -> frozenset[int]:
        """Links whose object this run made."""
        creating = [int(kind) for kind in MAKERS]
        done = models.Change.objects.filter(run=self._run, kind__in=creating, verdict=int(ChangeVerdict.DONE))
        return frozenset(done.values_list("subject", flat=True))

    def close_made(self) -> None:
        """Creations of what was made meanwhile, by a run that went between two batches of this one, are done."""
        creating = [int(kind) for kind in MAKERS]
        there = Link.objects.filter(pk=OuterRef("subject"), object_id__isnull=False)
        models.Change.objects.filter(
            Exists(there), run=self._run, kind__in=creating, verdict=int(ChangeVerdict.PLANNED)
        ).update(verdict=int(ChangeVerdict.DONE))

    def young(self, seconds: float) -> dict[int, float]:
        """The age in seconds of every object of the tenant that was made by us less than so many seconds ago, by its link."""
        now = self._clock.now()
        since = now - dt.timedelta(seconds=seconds)
        made = Link.objects.filter(tenant=self._run.tenant_id, origin=Link.Origin.MADE, linked_at__gt=since)
        return {
            link: max(0.0, (now - at).total_seconds())
            for link, at in made.values_list("pk", "linked_at")
            if at is not None
        }

    def intend(self, intents: Sequence[Intent]) -> None:
        """Remember that these requests are about to be sent, the names they claim and the passwords they set.

        A request that Microsoft put off is sent again under the same number. Raises Interrupted, with nothing remembered, if somebody
        wants the run to end here.
        """
        self._may_go_on()
        now = self._clock.now()
        rows = [
            (self._run.pk, i.number, int(i.kind), ",".join(map(str, i.seqs)), ",".join(map(str, i.names)), now)
            for i in intents
        ]
        with transaction.atomic():
            leases.renew(self._lease, now)
            freezes.require_thawed_for(self._run)
            execute_many(
                f"INSERT INTO {table_of(models.Intent)} (run_id, number, kind, seqs, names, sent_at) "
                "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (run_id, number) DO NOTHING",
                rows,
            )
            self._reserve_names(intents)
            self._keep_secrets(intents)

    def _reserve_names(self, intents: Iterable[Intent]) -> None:
        rows = [
            (self._run.tenant_id, NAMESPACES[Kind(intent.kind)], name.lower(), link)
            for intent in intents
            for link, name in intent.names.items()
        ]
        if rows:
            execute_many(
                f"INSERT INTO {table_of(models.NameReservation)} (tenant_id, namespace, folded, link_id) "
                "VALUES (%s, %s, %s, %s) ON CONFLICT (tenant_id, namespace, folded) DO NOTHING",
                rows,
            )

    def _keep_secrets(self, intents: Iterable[Intent]) -> None:
        for kind, purpose in PASSWORDS.items():
            sent = [intent.secrets for intent in intents if intent.kind == kind]
            secrets = [(link, text) for each in sent for link, text in each.items()]
            if not secrets:
                continue
            # A request that is sent again sets another password: the newest is the one that counts.
            Secret.objects.filter(purpose=purpose, link_id__in=[link for link, _ in secrets]).delete()
            Secret.objects.bulk_create(
                [
                    Secret(
                        tenant_id=self._run.tenant_id,
                        purpose=purpose,
                        link_id=link,
                        key_id=self._vault.key_id,
                        ciphertext=self._vault.encrypt(text),
                        made_at=self._clock.now(),
                    )
                    for link, text in secrets
                ]
            )

    def passwords(self, links: Sequence[int]) -> dict[int, str]:
        """The first password that is stored for each of these links, for those that have one."""
        stored = Secret.objects.filter(purpose=Secret.Purpose.FIRST_PASSWORD, tenant=self._run.tenant_id)
        rows = stored.filter(link_id__isnull=False).values_list("link_id", "ciphertext")
        wanted = set(links)
        return {int(link): self._vault.decrypt(text) for link, text in rows if link in wanted}

    def answer(self, answers: Sequence[Answer]) -> None:
        """Remember what came back; set the verdicts of the changes and the object ids of the links."""
        now = self._clock.now()
        rows = [
            (
                self._run.pk,
                a.number,
                int(a.verdict),
                a.status,
                a.code[:128],
                a.message,
                a.operation,
                a.request_id[:64],
                now,
            )
            for a in answers
        ]
        with transaction.atomic():
            execute_many(
                f"INSERT INTO {table_of(models.Answer)} "
                "(run_id, number, verdict, status, code, message, operation, request_id, at) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) "
                "ON CONFLICT (run_id, number) DO UPDATE SET verdict = excluded.verdict, status = excluded.status, "
                "code = excluded.code, message = excluded.message, operation = excluded.operation, "
                "request_id = excluded.request_id, at = excluded.at",
                rows,
            )
            seqs, kinds = self._carried([a.number for a in answers])
            verdicts = {
                seq: ChangeVerdict.PLANNED if seq in a.still_open else a.verdict
                for a in answers
                for seq in seqs[a.number]
            }
            self._set_verdicts([(int(verdict), seq) for seq, verdict in verdicts.items()])
            for a in answers:
                self._bind(a.object_ids, Link.Origin.MADE)
            done = [seq for seq, verdict in verdicts.items() if verdict == ChangeVerdict.DONE]
            # Asked only where the batch has such changes: most have none, and there are many batches.
            if kinds & {Kind.DISABLE_USER, Kind.ENABLE_USER}:
                self._remember_disabling(done)
            if kinds & {Kind.ARCHIVE_TEAM, Kind.UNARCHIVE_TEAM}:
                self._remember_archiving(done)
            if Kind.SET_PASSWORD in kinds:
                self._settle_passwords(verdicts)

    def _carried(self, numbers: Sequence[int]) -> tuple[dict[int, list[int]], set[int]]:
        """The changes each of these intents carries out, and of which kinds the intents are."""
        intents = models.Intent.objects.filter(run=self._run, number__in=numbers)
        rows = list(intents.values_list("number", "seqs", "kind"))
        return {number: [int(seq) for seq in seqs.split(",")] for number, seqs, _ in rows}, {row[2] for row in rows}

    def _set_verdicts(self, rows: Sequence[tuple[int, int]]) -> None:
        execute_many(
            f"UPDATE {table_of(models.Change)} SET verdict = %s WHERE run_id = {int(self._run.pk)} AND seq = %s",
            rows,
        )

    def _bind(self, object_ids: Mapping[int, str], origin: str) -> None:
        """Links and the objects they stand for from now on, with the entry in their history."""
        if not object_ids:
            return
        now = self._clock.now()
        execute_many(
            f"UPDATE {table_of(Link)} SET object_id = %s, origin = %s, linked_at = %s WHERE id = %s",
            [(object_id, origin, now, link) for link, object_id in object_ids.items()],
        )
        execute_many(
            f"INSERT INTO {table_of(models.LinkHistory)} (link_id, object_id, origin, run, actor, reason, at) "
            "VALUES (%s, %s, %s, %s, %s, '', %s)",
            [(link, object_id, origin, self._run.pk, self._run.actor, now) for link, object_id in object_ids.items()],
        )
        if self._object_ids is not None:
            self._object_ids.update(object_ids)

    def _remember_disabling(self, seqs: Sequence[int]) -> None:
        """Our claim on a disabled account begins when we disabled it and ends when it is enabled again."""
        claims = ((Kind.DISABLE_USER, self._run.pk, self._clock.now()), (Kind.ENABLE_USER, None, None))
        for kind, run, at in claims:
            done = models.Change.objects.filter(run=self._run, kind=int(kind), seq__in=seqs)
            links = list(done.values_list("subject", flat=True))
            Link.objects.filter(pk__in=links).update(disabled_by_run=run, disabled_at=at)

    def _remember_archiving(self, seqs: Sequence[int]) -> None:
        """A team counts as archived by us from the answer on, until we took it back from the archive."""
        for kind, at in ((Kind.ARCHIVE_TEAM, self._clock.now()), (Kind.UNARCHIVE_TEAM, None)):
            done = models.Change.objects.filter(run=self._run, kind=int(kind), seq__in=seqs)
            Link.objects.filter(pk__in=list(done.values_list("subject", flat=True))).update(archived_at=at)

    def _settle_passwords(self, verdicts: Mapping[int, ChangeVerdict]) -> None:
        """A new password that Microsoft took is the first password from now on; one that it refused is forgotten."""
        changes = models.Change.objects.filter(run=self._run, kind=int(Kind.SET_PASSWORD), seq__in=list(verdicts))
        verdict_of = {link: verdicts[seq] for seq, link in changes.values_list("seq", "subject")}
        refused = (ChangeVerdict.NEVER, ChangeVerdict.LATER)
        passwords.promote([link for link, verdict in verdict_of.items() if verdict == ChangeVerdict.DONE])
        passwords.drop([link for link, verdict in verdict_of.items() if verdict in refused])

    def close(self, seqs: Sequence[int], verdict: ChangeVerdict) -> None:
        """Give changes a verdict without a request; links are bound to the objects they were matched with."""
        with transaction.atomic():
            self._set_verdicts([(int(verdict), seq) for seq in seqs])
            if verdict == ChangeVerdict.DONE:
                self._bind_matches(seqs)

    def leave_drifted(self, found: Mapping[int, Mapping[str, Any]]) -> None:
        """These changes (seqs) are left, as the tenant drifted; `found` are their values that are others now, none where it is gone."""
        told = [(json.dumps(values, default=str), seq) for seq, values in found.items() if values]
        with transaction.atomic():
            self.close(list(found), ChangeVerdict.DRIFTED)
            execute_many(
                f"UPDATE {table_of(models.ChangeDetail)} SET found = %s WHERE run_id = {int(self._run.pk)} AND seq = %s",
                told,
            )

    def _bind_matches(self, seqs: Sequence[int]) -> None:
        matches = runs.load_details(self._run, [int(Kind.LINK_USER), int(Kind.LINK_GROUP)])
        chosen = matches.filter(pl.col("seq").is_in(list(seqs))).with_columns(
            object_id=pl.col("after").str.json_path_match("$.object_id"),
            adopted=pl.col("after").str.json_path_match("$.adopted") == "true",
        )
        for adopted, origin in ((True, Link.Origin.ADOPTED), (False, Link.Origin.MADE)):
            part = chosen.filter(pl.col("adopted") == adopted)
            self._bind(dict(part.select("subject", "object_id").iter_rows()), origin)

    def operations(self) -> dict[int, str]:
        """Operations that go on at Microsoft, by intent number."""
        going_on = models.Answer.objects.filter(run=self._run, verdict=int(ChangeVerdict.SENT)).exclude(operation="")
        return dict(going_on.values_list("number", "operation"))
