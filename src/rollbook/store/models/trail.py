"""The trail: who did what, when, from where. Only ever added to; each entry carries a hash over the one before."""

from __future__ import annotations

from django.db import models


class Trail(models.Model):
    """One entry. `content` holds ids and numbers, never names of people."""

    institute = models.ForeignKey("store.Institute", on_delete=models.PROTECT, null=True, related_name="+")
    actor_kind = models.CharField(max_length=24)
    actor = models.CharField(max_length=255)
    place = models.CharField(max_length=255, blank=True)
    action = models.CharField(max_length=64)
    content = models.JSONField(default=dict)
    at = models.DateTimeField()
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)
