"""Organisations, their institutes, and the tenants these are connected to."""

from __future__ import annotations

from django.db import models

from rollbook.store.models.base import Exposed


class Organisation(Exposed):
    """Who runs one or more institutes: a district, a trust, one school."""

    name = models.CharField(max_length=255)


class Institute(Exposed):
    """The unit that is configured. Dates of its register are local to `time_zone`."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="institutes")
    sourced_id = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    time_zone = models.CharField(max_length=64, default="UTC")
    grade_levels = models.JSONField(default=dict, help_text="Grade -> level: the stage that groups grades.")

    class Meta:
        constraints = [models.UniqueConstraint("organisation", "sourced_id", name="institute_sourced_id")]


class Tenant(Exposed):
    """A Microsoft 365 tenant. Links, names, lock and quota belong to it; institutes of one organisation may share it."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="tenants")
    tid = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=255)
    cloud = models.CharField(max_length=16, default="global")
    emulated = models.BooleanField(default=False)
    default_domain = models.CharField(max_length=255, blank=True, default="")  # as read when it was connected


class Connection(Exposed):
    """How an institute reaches a tenant, for which purpose."""

    class Purpose(models.TextChoices):
        """The institute's own tenant, or the organisation's tenant of its employees."""

        MAIN = "main"
        CORPORATE = "corporate"

    class State(models.TextChoices):
        """Product.md section 2."""

        NOT_ACTIVATED = "not_activated"
        ACTIVATED = "activated"
        CONSENT_PENDING = "consent_pending"
        CONNECTED = "connected"
        NEEDS_ATTENTION = "needs_attention"
        DISCONNECTED = "disconnected"

    institute = models.ForeignKey(Institute, on_delete=models.CASCADE, related_name="connections")
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="connections")
    purpose = models.CharField(max_length=16, choices=Purpose.choices, default=Purpose.MAIN)
    state = models.CharField(max_length=16, choices=State.choices, default=State.CONNECTED)
    client_id = models.CharField(max_length=64)
    secret = models.ForeignKey("store.Secret", on_delete=models.PROTECT, related_name="+")
    expires_on = models.DateField(
        null=True, help_text="The first day on which the credential no longer holds, if known."
    )
    graph_url = models.URLField()
    login_url = models.URLField()
    mark_property = models.CharField(max_length=128)
    quotas = models.BooleanField(
        default=True, help_text="Keep Microsoft's documented quotas; off for an emulated tenant."
    )
    frozen_at = models.DateTimeField(null=True, help_text="Since when nothing is written; null: it is not frozen.")
    frozen_by = models.CharField(max_length=255, blank=True, default="")
    frozen_because = models.CharField(max_length=255, blank=True, default="")
    # A connection that fails is in quarantine (store/quarantine.py) until it works again.
    failing_since = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    notice = models.JSONField(null=True)  # message, remedy, code, request_id of the newest failure

    class Meta:
        constraints = [models.UniqueConstraint("institute", "purpose", name="connection_purpose")]
