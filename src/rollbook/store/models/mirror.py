"""The mirror: what was last known of linked accounts and groups, and what delta queries told of the directory. Erasable: it has names."""

from __future__ import annotations

from django.db import models


class Account(models.Model):
    """One linked account as it was last seen, or as we left it. There is no row for an account that is not in the tenant.

    `seen_at` is when it became known as it is. `written_at` is when we last wrote to it ourselves: a reading soon after that
    may still show what was before (`name_before`, `enabled_before`; null where we changed nothing), and is not believed of it.
    """

    link = models.OneToOneField("store.Link", on_delete=models.CASCADE, related_name="account")
    tenant = models.ForeignKey("store.Tenant", on_delete=models.CASCADE, related_name="+")
    object_id = models.CharField(max_length=64)
    user_principal_name = models.CharField(max_length=320)
    mail = models.CharField(max_length=320, null=True)
    account_enabled = models.BooleanField()
    seen_at = models.DateTimeField()
    written_at = models.DateTimeField(null=True)
    name_before = models.CharField(max_length=320, null=True)
    enabled_before = models.BooleanField(null=True)


class SeenGroup(models.Model):
    """How many owners and members a group of ours held when it was last seen by a reading nobody objected to."""

    link = models.OneToOneField("store.Link", on_delete=models.CASCADE, related_name="+")
    tenant = models.ForeignKey("store.Tenant", on_delete=models.CASCADE, related_name="+")
    relations = models.PositiveIntegerField()


class MirrorObject(models.Model):
    """A user, a group, or what is said of a group that is a class, as delta queries told it last: the properties we ask for, as JSON.

    `deleted` is softly: it can be restored, and is not there otherwise.
    """

    class Kind(models.TextChoices):
        """What is told; the names of the collections that are followed."""

        USER = "users"
        GROUP = "groups"
        CLASS = "classes"

    tenant = models.ForeignKey("store.Tenant", on_delete=models.CASCADE, db_index=False, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    object_id = models.CharField(max_length=64)
    body = models.TextField()
    deleted = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint("tenant", "kind", "object_id", name="mirror_object")]


class MirrorKey(models.Model):
    """What a mirrored user or group is found by, folded to lower case: its names, its number, its mark."""

    tenant = models.ForeignKey("store.Tenant", on_delete=models.CASCADE, db_index=False, related_name="+")
    object_id = models.CharField(max_length=64)
    by = models.CharField(max_length=10)
    key = models.TextField()

    class Meta:
        indexes = [
            models.Index("tenant", "by", "key", name="mirror_key"),
            models.Index("tenant", "object_id", name="mirror_key_of"),
        ]


class MirrorMember(models.Model):
    """One relation of a mirrored group, by Microsoft's ids; somebody who is owner and member has two rows."""

    tenant = models.ForeignKey("store.Tenant", on_delete=models.CASCADE, db_index=False, related_name="+")
    group_object_id = models.CharField(max_length=64)
    user_object_id = models.CharField(max_length=64)
    relation = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint("tenant", "group_object_id", "relation", "user_object_id", name="mirror_member")
        ]
        indexes = [models.Index("tenant", "user_object_id", name="mirror_member_of")]


class DeltaLink(models.Model):
    """Where the next delta round of a collection begins, and what was `asked`: another question begins anew.

    It is written together with what the round told, so that nothing is told twice or never.
    """

    tenant = models.ForeignKey("store.Tenant", on_delete=models.CASCADE, related_name="+")
    collection = models.CharField(max_length=8, choices=MirrorObject.Kind.choices)
    asked = models.TextField()
    link = models.TextField()
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("tenant", "collection", name="delta_link")]


class Noticed(models.Model):
    """Something that a delta round told to be different: an object, or who is in a group. Numbered, as each institute reads on."""

    tenant = models.ForeignKey("store.Tenant", on_delete=models.CASCADE, related_name="+")
    object_id = models.CharField(max_length=64)
