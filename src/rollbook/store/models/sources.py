"""Where a register comes from, and what was delivered."""

from __future__ import annotations

from django.db import models

from rollbook.store.models.base import Exposed

MANUAL = "manual"
"""The kind of the source into which a register is kept by hand; every institute has at most one."""

BY_HAND, DELIVERED = 0, 100
"""Precedence of what is kept by hand, and of what is delivered: the lowest number counts most."""


class Source(models.Model):
    """One feed of an institute. `published` is the one pointer that makes a delivery visible, all at once.

    Of several sources that say something of one record, the one of the lowest `precedence` counts, then the oldest.
    """

    institute = models.ForeignKey("store.Institute", on_delete=models.CASCADE, related_name="sources")
    kind = models.CharField(max_length=32)
    precedence = models.PositiveSmallIntegerField(default=DELIVERED)
    published = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("institute", "kind", name="source_kind")]


class Delivery(Exposed):
    """One reading of a source. `number` counts the deliveries of the source from 1; register rows refer to it."""

    class State(models.TextChoices):
        """STAGED deliveries shrank too much and wait for somebody to accept them."""

        WRITING = "writing"
        STAGED = "staged"
        PUBLISHED = "published"
        ABANDONED = "abandoned"

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="deliveries")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.WRITING)
    received_at = models.DateTimeField()
    format = models.CharField(max_length=32)
    verdict = models.CharField(max_length=32)
    files = models.JSONField(default=dict)
    findings = models.JSONField(default=list)
    finding_count = models.PositiveIntegerField(default=0)
    rows = models.JSONField(default=dict)  # rows by table, as delivered
    changed = models.JSONField(default=dict)  # rows by table that were new, different or gone

    class Meta:
        constraints = [models.UniqueConstraint("source", "number", name="delivery_number")]


class EntityCounter(models.Model):
    """The next free entity of a table of the register; entities are unique over all sources, because links name them."""

    table = models.CharField(max_length=32, primary_key=True)
    following = models.BigIntegerField(default=1)
