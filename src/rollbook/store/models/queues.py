"""What is due, who holds a tenant, what may still be written, what others want to be told."""

from __future__ import annotations

from django.db import models


class Due(models.Model):
    """On this day somebody or something has to be looked at again: a begin, an end, a grace, what Microsoft put off."""

    class Kind(models.TextChoices):
        """What `subject` is: a person of the register, a link, or nothing - then everything is looked at."""

        PERSON = "person"
        LINK = "link"
        PERIOD = "period"

    institute = models.ForeignKey("store.Institute", on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    kind = models.CharField(max_length=24, choices=Kind.choices)
    subject = models.BigIntegerField()

    class Meta:
        indexes = [
            models.Index("institute", "day", name="due_day"),
            models.Index("institute", "subject", name="due_subject"),
        ]


class ScopeMark(models.Model):
    """How far an institute's register and its tenant were last looked at, and under which settings; what is newer is still to be done.

    `deliveries` are the published numbers by source, `noticed` the newest Noticed, `structure` a hash of what stands in no delivery.
    """

    institute = models.ForeignKey("store.Institute", on_delete=models.CASCADE, related_name="+")
    tenant = models.ForeignKey("store.Tenant", on_delete=models.CASCADE, related_name="+")
    profile_version = models.ForeignKey("store.ProfileVersion", on_delete=models.CASCADE, related_name="+")
    deliveries = models.JSONField(default=dict)
    noticed = models.BigIntegerField(default=0)
    structure = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint("institute", "tenant", name="scope_mark")]


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
