"""What belongs to a tenant: links between our subjects and Microsoft's objects, reserved names, secrets."""

from __future__ import annotations

from django.db import models


class Link(models.Model):
    """A person or class, and the object at Microsoft it stands for. Unique both ways; `mark` is what the object carries.

    `object_id` is null until the object was made or matched. `period` is 0 for people: a team's identity is its class and
    academic period, a person has one account for life.
    """

    class Kind(models.TextChoices):
        """What is linked."""

        USER = "user"
        TEAM = "team"

    class Origin(models.TextChoices):
        """Made by us (it carries our mark) or adopted (it was there and was matched)."""

        MADE = "made"
        ADOPTED = "adopted"

    tenant = models.ForeignKey("store.Tenant", on_delete=models.CASCADE, db_index=False, related_name="links")
    institute = models.ForeignKey("store.Institute", on_delete=models.CASCADE, db_index=False, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    subject = models.BigIntegerField()
    period = models.BigIntegerField(default=0)
    mark = models.CharField(max_length=32, unique=True)
    object_id = models.CharField(max_length=64, null=True)
    origin = models.CharField(max_length=8, choices=Origin.choices, null=True)
    linked_at = models.DateTimeField(null=True)
    disabled_by_run = models.BigIntegerField(null=True)
    disabled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("tenant", "kind", "subject", "period", name="link_subject"),
            models.UniqueConstraint("tenant", "object_id", name="link_object"),
        ]


class LinkHistory(models.Model):
    """What a link pointed to from `at` on (nothing: it was undone), what before, and who or which run said so, and why.

    `mark` is what the link called its object before, if that object still carries it: the link has another one since.
    """

    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="history")
    before = models.CharField(max_length=64, null=True)
    object_id = models.CharField(max_length=64, null=True)
    origin = models.CharField(max_length=8, blank=True)
    mark = models.CharField(max_length=32, null=True)
    run = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=255, blank=True, default="")
    reason = models.CharField(max_length=255, blank=True, default="")
    at = models.DateTimeField()


class NameReservation(models.Model):
    """A name that is given or promised, folded to lower case; `until` null: for good. Erasable: it may hold a person's name."""

    tenant = models.ForeignKey("store.Tenant", on_delete=models.CASCADE, db_index=False, related_name="+")
    namespace = models.CharField(max_length=8)  # a Link.Kind: user names and nicknames of teams are apart
    folded = models.CharField(max_length=128)
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="+")
    until = models.DateField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint("tenant", "namespace", "folded", name="name_reservation")]


class Secret(models.Model):
    """Something encrypted at rest and never shown again: a credential, a first password until it is handed over."""

    class Purpose(models.TextChoices):
        """What the secret is for."""

        CREDENTIAL = "credential"
        FIRST_PASSWORD = "first_password"  # noqa: S105 - the name of a purpose

    tenant = models.ForeignKey("store.Tenant", on_delete=models.CASCADE, related_name="+")
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    link = models.ForeignKey(Link, on_delete=models.CASCADE, null=True, related_name="+")
    key_id = models.CharField(max_length=16)
    ciphertext = models.BinaryField()
    made_at = models.DateTimeField()
