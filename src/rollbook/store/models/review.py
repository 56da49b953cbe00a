"""What people decided about matches, and which accounts are never touched."""

from __future__ import annotations

from django.db import models


class Decision(models.Model):
    """What somebody decided about a person's or class's match. It counts while `ended_at` is null, and is history afterwards."""

    class Kind(models.TextChoices):
        """`object_id` is not the one; none is, so one is made; there is to be none."""

        REFUSED = "refused"
        NEW = "new"
        NOBODY = "nobody"

    tenant = models.ForeignKey("store.Tenant", on_delete=models.CASCADE, db_index=False, related_name="+")
    link = models.ForeignKey("store.Link", on_delete=models.CASCADE, related_name="decisions")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    object_id = models.CharField(max_length=64, blank=True, default="")
    actor = models.CharField(max_length=255)
    reason = models.CharField(max_length=255, blank=True, default="")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index("tenant", "ended_at", name="decision_in_force")]


class ProtectedAccount(models.Model):
    """An account that is never changed in any way, whoever it belongs to. Erasable: the reason is somebody's own words."""

    class Kind(models.TextChoices):
        """Kept by an administrator, or remembered because Microsoft refused us although we have the permission."""

        KEPT = "kept"
        REFUSED = "refused"

    tenant = models.ForeignKey("store.Tenant", on_delete=models.CASCADE, db_index=False, related_name="+")
    object_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    reason = models.CharField(max_length=255)
    actor = models.CharField(max_length=255)
    run = models.BigIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("tenant", "object_id", name="protected_account")]
