"""What teams and groups stand for: parts of the register under a key, so that their links can be found again."""

from __future__ import annotations

from django.db import models


class Grouping(models.Model):
    """A team, or a node of a hierarchy: people of the register who belong together, in one academic period (0: in any).

    `key` says which in the school's own ids (desired.teams, desired.hierarchies); `sourced_id`, `code` and `label` are what the
    school's records called it last. None of it is about a single person.

    A key of nine long ids is longer than a row of an index may be (PostgreSQL: 2,704 bytes), so its digest is what is unique.
    """

    class Kind(models.TextChoices):
        """What it becomes; the same words as Link.Kind."""

        TEAM = "team"
        NODE = "node"

    institute = models.ForeignKey("store.Institute", on_delete=models.CASCADE, db_index=False, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    key = models.TextField()
    digest = models.CharField(max_length=64)  # SHA-256 of the key, in hexadecimal digits
    period = models.BigIntegerField(default=0)
    sourced_id = models.TextField(null=True)
    code = models.TextField(null=True)
    label = models.TextField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint("institute", "kind", "digest", "period", name="grouping_key")]
