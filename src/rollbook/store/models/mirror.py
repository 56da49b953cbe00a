"""The mirror: what was last known of linked accounts and groups. Erasable, because user names and mails are names of people."""

from __future__ import annotations

from django.db import models


class Account(models.Model):
    """One linked account as it was last seen, or as we left it. There is no row for an account that is not in the tenant.

    `seen_at` is when it became known as it is. `written_at` is when we last wrote to it ourselves: a reading soon after that
    may still show what was before, and is not believed.
    """

    link = models.OneToOneField("store.Link", on_delete=models.CASCADE, related_name="account")
    tenant = models.ForeignKey("store.Tenant", on_delete=models.CASCADE, related_name="+")
    object_id = models.CharField(max_length=64)
    user_principal_name = models.CharField(max_length=320)
    mail = models.CharField(max_length=320, null=True)
    account_enabled = models.BooleanField()
    seen_at = models.DateTimeField()
    written_at = models.DateTimeField(null=True)


class SeenGroup(models.Model):
    """How many owners and members a group of ours held when it was last seen by a reading nobody objected to."""

    link = models.OneToOneField("store.Link", on_delete=models.CASCADE, related_name="+")
    tenant = models.ForeignKey("store.Tenant", on_delete=models.CASCADE, related_name="+")
    relations = models.PositiveIntegerField()
