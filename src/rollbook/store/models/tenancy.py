"""What belongs to a tenant: links between our subjects and Microsoft's objects, reserved names, secrets, claim codes."""

from __future__ import annotations

from django.db import models

TYPES_PER_INSTITUTE = 8
"""A licence group's subject is its user type's number among the eight of its institute."""


class Link(models.Model):
    """A person, team or node, and the object at Microsoft it stands for. Unique both ways; `mark` is what the object carries.

    `object_id` is null until the object was made or matched. `subject` is a person of the register, or a Grouping. `period` is 0
    for people and nodes: a team's identity is what it holds and its academic period, a person has one account for life.
    """

    class Kind(models.TextChoices):
        """What is linked."""

        USER = "user"
        TEAM = "team"
        NODE = "node"  # a group of the school's structure
        LICENCE = "licence"  # the group that carries the licences of a user type

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
    left_on = models.DateField(null=True)  # the first day the person was seen to have left; graces count from it
    disabled_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(
        null=True
    )  # of a team: since when it is archived, by a run of ours or as Microsoft said when asked

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
    namespace = models.CharField(max_length=8)  # "user", or "team" for the nicknames of teams and groups
    folded = models.CharField(max_length=128)
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="+")
    until = models.DateField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint("tenant", "namespace", "folded", name="name_reservation")]


class LicenceGrant(models.Model):
    """A licence we gave to an account: only what we gave is ever taken back."""

    link = models.ForeignKey(Link, on_delete=models.CASCADE, db_index=False, related_name="licences")
    sku = models.CharField(max_length=64)
    run = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint("link", "sku", name="licence_grant")]


class Secret(models.Model):
    """Something encrypted at rest and never shown again: a credential, a first password until it is handed over."""

    class Purpose(models.TextChoices):
        """What the secret is for."""

        CREDENTIAL = "credential"
        FIRST_PASSWORD = "first_password"  # noqa: S105 - the name of a purpose
        NEXT_PASSWORD = "next_password"  # noqa: S105 - being set; the first password once Microsoft took it

    tenant = models.ForeignKey("store.Tenant", on_delete=models.CASCADE, related_name="+")
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    link = models.ForeignKey(Link, on_delete=models.CASCADE, null=True, related_name="+")
    key_id = models.CharField(max_length=16)
    ciphertext = models.BinaryField()
    made_at = models.DateTimeField()


class ClaimCode(models.Model):
    """A code its owner exchanges once for a first password: a keyed hash of it, gone together with the password."""

    secret = models.OneToOneField(Secret, on_delete=models.CASCADE, related_name="claim")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()


class ClaimAttempt(models.Model):
    """A claim code that was typed and was not right, by a keyed hash of its beginning; counted against guessing."""

    beginning = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index("at", name="claim_attempt_at"),
            models.Index("beginning", "at", name="claim_attempt_beginning"),
        ]
