"""Who may use the portal. A model of our own from the first migration, because Django's cannot be exchanged later."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """Somebody who signs in: with a local password, or with Microsoft as (tenant id, object id), never by e-mail."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    microsoft_tenant = models.UUIDField(null=True, blank=True)
    microsoft_object = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("microsoft_tenant", "microsoft_object", name="user_microsoft_identity"),
        ]


class RoleGrant(models.Model):
    """A role somebody has in an organisation (institute null: in all of its institutes)."""

    class Role(models.TextChoices):
        """What a grant allows; product.md section 10."""

        ORGANISATION_ADMIN = "organisation_admin"
        INSTITUTE_ADMIN = "institute_admin"
        OPERATOR = "operator"
        VIEWER = "viewer"
        PERSON = "person"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants")
    organisation = models.ForeignKey("store.Organisation", on_delete=models.CASCADE)
    institute = models.ForeignKey("store.Institute", on_delete=models.CASCADE, null=True, blank=True)
    role = models.CharField(max_length=24, choices=Role.choices)
