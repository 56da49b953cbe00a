"""Execution profiles and their immutable versions."""

from __future__ import annotations

from django.db import models

from rollbook.store.models.base import Exposed


class Profile(Exposed):
    """A named set of settings for a synchronization period; `current` is the version in force."""

    institute = models.ForeignKey("store.Institute", on_delete=models.CASCADE, related_name="profiles")
    name = models.CharField(max_length=255)
    begin = models.DateField(null=True)
    end = models.DateField(null=True)
    enabled_at = models.DateTimeField(null=True)
    ever_enabled = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint("institute", "name", name="profile_name")]


class ProfileVersion(models.Model):
    """One saved state of a profile: never changed, only followed by another."""

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    author = models.CharField(max_length=255)
    saved_at = models.DateTimeField()
    note = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint("profile", "number", name="profile_version_number")]
