"""What is due, who holds a tenant, what may still be written, what others want to be told."""

from __future__ import annotations

from django.db import models


class Due(models.Model):
    """On this day somebody or something has to be looked at again: a begin, an end, a grace."""

    institute = models.ForeignKey("store.Institute", on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    kind = models.CharField(max_length=24)
    subject = models.BigIntegerField()

    class Meta:
        indexes = [models.Index("institute", "day", name="due_day")]


class TenantLease(models.Model):
    """Who may write to a tenant: one holder at a time; `epoch` grows with each, so that a stale holder notices."""

    tenant = models.OneToOneField("store.Tenant", on_delete=models.CASCADE, related_name="lease")
    holder = models.CharField(max_length=255, blank=True)
    epoch = models.PositiveBigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True)


class QuotaLevel(models.Model):
    """What is left of a quota of Microsoft's at a moment, for an application or for it in one tenant; workers are lent blocks of it."""

    holder = models.CharField(max_length=255)
    name = models.CharField(max_length=32)
    level = models.FloatField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("holder", "name", name="quota_level_holder")]


class Outbox(models.Model):
    """What happened, in order, for webhooks and as seeds of scoped synchronizations."""

    institute = models.ForeignKey("store.Institute", on_delete=models.CASCADE, related_name="+")
    sequence = models.PositiveBigIntegerField()
    topic = models.CharField(max_length=64)
    payload = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("institute", "sequence", name="outbox_sequence")]
