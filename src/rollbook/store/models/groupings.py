"""What teams and groups stand for: parts of the register under a key, so that their links can be found again."""

from __future__ import annotations

from django.db import models


class Grouping(models.Model):
    """A team, or a node of a hierarchy: people of the register who belong together, in one academic period (0: in any).

    `key` says which in the school's own ids (desired.teams, desired.hierarchies); `sourced_id`, `code` and `label` are what the
    school's records called it last. None of it is about a single person.
    """

    class Kind(models.TextChoices):
        """What it becomes; the same words as Link.Kind."""

        TEAM = "team"
        NODE = "node"

    institute = models.ForeignKey("store.Institute", on_delete=models.CASCADE, db_index=False, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    key = models.CharField(max_length=2000)
    period = models.BigIntegerField(default=0)
    sourced_id = models.CharField(max_length=600, null=True)
    code = models.CharField(max_length=600, null=True)
    label = models.CharField(max_length=2000, null=True)

    class Meta:
        constraints = [models.UniqueConstraint("institute", "kind", "key", "period", name="grouping_key")]
