"""Runs: a stored plan and its execution. Changes are small integers; values of people stand apart and can be erased."""

from __future__ import annotations

from django.db import models

from rollbook.store.models.base import Exposed

PARTS = ("changed", "people")
"""Scopes of runs that say nothing of the rest of the school."""


class Run(Exposed):
    """One stored plan and what became of it. `number` counts the runs of the tenant from 1."""

    class State(models.TextChoices):
        """Docs/run-lifecycle.md."""

        PLANNED = "planned"
        APPROVAL_DUE = "approval_due"
        APPLYING = "applying"
        APPLIED = "applied"
        PROVEN = "proven"
        NOT_PROVEN = "not_proven"
        SUPERSEDED = "superseded"

    class Purpose(models.TextChoices):
        """Whether the plan was made from a difference of register and tenant, or from a selection of people or teams."""

        SYNCHRONIZATION = "synchronization"
        PASSWORDS = "passwords"
        ARCHIVING = "archiving"  # of teams, and taking them back
        UNDO = "undo"  # of what another run did

    class Scope(models.TextChoices):
        """What a synchronization was about."""

        EVERYTHING = "everything"
        FULL = "full"  # everything, the tenant read anew, and what scoped ones missed is told
        CHANGED = "changed"  # whatever changed, or fell due, since the last look
        PEOPLE = "people"  # chosen ones

    tenant = models.ForeignKey("store.Tenant", on_delete=models.CASCADE, related_name="runs")
    institute = models.ForeignKey("store.Institute", on_delete=models.CASCADE, related_name="runs")
    profile_version = models.ForeignKey("store.ProfileVersion", on_delete=models.PROTECT, related_name="runs")
    number = models.PositiveIntegerField()
    purpose = models.CharField(max_length=16, choices=Purpose.choices, default=Purpose.SYNCHRONIZATION)
    scope = models.CharField(max_length=16, choices=Scope.choices, default=Scope.EVERYTHING)
    looked = models.JSONField(default=dict)  # how far the look went, how many it was about, what scoped ones had missed
    state = models.CharField(max_length=16, choices=State.choices, default=State.PLANNED)
    as_of = models.DateField()
    fingerprint = models.CharField(max_length=64)
    first_run = models.BooleanField(default=False)
    counts = models.JSONField(default=dict)
    objections = models.JSONField(default=list)
    forecast = models.JSONField(default=list)  # seats by licence: needed, free, short
    register = models.JSONField(
        default=dict
    )  # rows by table of the register it was made from, what the next one is compared with
    proof = models.JSONField(null=True)  # in numbers; group by group in ProofGroup and Deviation
    actor = models.CharField(max_length=255)
    made_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    stopped = models.JSONField(null=True)  # why it stopped, if it did: message, remedy, code, request_id
    pruned_at = models.DateTimeField(
        null=True
    )  # since when only its numbers are kept, and what plans ask of it (store.retention)

    class Meta:
        constraints = [models.UniqueConstraint("tenant", "number", name="run_number")]
        # What waits for somebody is asked for at any time, and is one or two of thousands.
        indexes = [
            models.Index(fields=("tenant",), condition=models.Q(state="approval_due"), name="run_approval_due"),
        ]


class Approval(models.Model):
    """Somebody agreed to exactly this content, or to a part of it (apply.approval.Approval)."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="approvals")
    fingerprint = models.CharField(max_length=64)
    actor = models.CharField(max_length=255)
    at = models.DateTimeField()
    role = models.PositiveSmallIntegerField(default=3)  # apply.approval.Role
    waived = models.JSONField(default=list)  # codes of objections, and first-run
    kinds = models.JSONField(default=list)
    items = models.JSONField(default=list)  # seqs
    refused = models.JSONField(default=list)  # seqs


class Hold(models.Model):
    """A change that a guard holds until somebody agrees (plan.changes.HELD)."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, db_index=False, related_name="+")
    seq = models.PositiveIntegerField()
    code = models.CharField(max_length=24)

    class Meta:
        constraints = [models.UniqueConstraint("run", "seq", "code", name="hold_seq")]


class Refusal(models.Model):
    """A change somebody refused: not asked again while `ended_at` is null and its cause and values stay (plan.context.DECLINED).

    Erasable: the reason is somebody's own words.
    """

    tenant = models.ForeignKey("store.Tenant", on_delete=models.CASCADE, db_index=False, related_name="+")
    institute = models.ForeignKey("store.Institute", on_delete=models.CASCADE, db_index=False, related_name="+")
    kind = models.PositiveSmallIntegerField()
    subject = models.BigIntegerField()
    object = models.BigIntegerField(null=True)
    cause = models.PositiveSmallIntegerField()
    day = models.DateField(null=True)
    digest = models.CharField(max_length=16)
    actor = models.CharField(max_length=255)
    reason = models.CharField(max_length=255, blank=True, default="")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index("tenant", "institute", "ended_at", name="refusal_in_force")]


WAITS, NEVER = 3, 5


class Change(models.Model):
    """One change as integers (plan.changes.CHANGES). Subject and object are link ids."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, db_index=False, related_name="changes")
    seq = models.PositiveIntegerField()
    kind = models.PositiveSmallIntegerField()
    subject = models.BigIntegerField()
    object = models.BigIntegerField(null=True)
    cause = models.PositiveSmallIntegerField()
    day = models.DateField(null=True)
    needs_subject = models.PositiveIntegerField(null=True)
    needs_object = models.PositiveIntegerField(null=True)
    verdict = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("run", "seq", name="change_seq")]
        # What waits (plan.changes.ChangeVerdict.WAITS) is asked for by every look, and is little of a large run.
        # So is what was refused, which notices ask for at any time.
        indexes = [
            models.Index(fields=("run", "subject"), condition=models.Q(verdict=WAITS), name="change_waiting"),
            models.Index(fields=("run", "kind"), condition=models.Q(verdict=NEVER), name="change_refused"),
        ]


class ChangeDetail(models.Model):
    """The attribute values of a change. Erasable: they may hold names of people."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, db_index=False, related_name="+")
    seq = models.PositiveIntegerField()
    subject = models.BigIntegerField()
    before = models.TextField(null=True)
    after = models.TextField(null=True)
    found = models.TextField(
        null=True
    )  # what was there instead of `before` when it was to be carried out, where that differed

    class Meta:
        constraints = [models.UniqueConstraint("run", "seq", name="change_detail_seq")]


class Intent(models.Model):
    """A request that was about to be sent, and the changes it carries out (their seqs, by commas)."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, db_index=False, related_name="+")
    number = models.PositiveIntegerField()
    kind = models.PositiveSmallIntegerField()
    seqs = models.TextField()
    names = models.TextField(default="")  # links whose name is reserved with it, by commas
    sent_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("run", "number", name="intent_number")]


class Answer(models.Model):
    """What came back for an intent; the newest one of a number counts. An operation goes on at Microsoft while it is set."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, db_index=False, related_name="+")
    number = models.PositiveIntegerField()
    verdict = models.PositiveSmallIntegerField()
    status = models.PositiveSmallIntegerField(default=0)
    code = models.CharField(max_length=128, default="")
    message = models.TextField(default="")
    operation = models.TextField(default="")
    request_id = models.CharField(max_length=64, default="")  # what Microsoft's support asks for
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("run", "number", name="answer_number")]
