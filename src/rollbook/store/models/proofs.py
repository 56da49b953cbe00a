"""Proofs: what a run left, group by group, and everybody who is not where the register says. Links, never names of people."""

from __future__ import annotations

from django.db import models

from rollbook.store.models.runs import Run


class ProofGroup(models.Model):
    """One team or group in numbers (apply.proof.PROVEN)."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, db_index=False, related_name="+")
    team = models.BigIntegerField()
    purpose = models.CharField(max_length=8)
    kind = models.CharField(max_length=8)
    name = models.TextField(null=True)
    there = models.BooleanField()
    has_team = models.BooleanField()
    cause = models.PositiveSmallIntegerField(null=True)
    seq = models.PositiveIntegerField(null=True)
    expected = models.PositiveIntegerField()
    actual = models.PositiveIntegerField()
    missing = models.PositiveIntegerField()
    extra = models.PositiveIntegerField()
    pending = models.PositiveIntegerField()
    waiting = models.PositiveIntegerField()
    leaving = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField()
    kept = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint("run", "team", name="proof_group")]


class Deviation(models.Model):
    """One membership that is not as the register says (apply.proof.DEVIATIONS), faults first in the order of the keys.

    `member` is the link of a person or of a nested group; it is null for somebody outside the register, whom `object_id` names.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, db_index=False, related_name="+")
    team = models.BigIntegerField()
    member = models.BigIntegerField(null=True)
    object_id = models.CharField(max_length=64, null=True)
    relation = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=8)
    why = models.CharField(max_length=24)
    cause = models.PositiveSmallIntegerField(null=True)
    seq = models.PositiveIntegerField(null=True)

    class Meta:
        indexes = [models.Index("run", "team", name="deviation_of_run")]
