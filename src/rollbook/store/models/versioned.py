"""Rows of the register are versioned by delivery, so that a delivery becomes visible by moving one pointer."""

from __future__ import annotations

from django.db import models

FOREVER = 2**31 - 1
"""The `until` of a row that no later delivery ended."""


class Versioned(models.Model):
    """Visible while since <= Source.published < until. `entity` stays the same over all versions of one record."""

    source = models.ForeignKey("store.Source", on_delete=models.CASCADE, db_index=False, related_name="+")
    entity = models.BigIntegerField()
    sourced_id = models.CharField(max_length=255)
    line = models.PositiveIntegerField(default=0)
    digest = models.BigIntegerField()
    since = models.PositiveIntegerField()
    until = models.PositiveIntegerField(default=FOREVER)

    class Meta:
        abstract = True
        indexes = [
            models.Index("source", "until", name="%(class)s_open"),
            models.Index("source", "since", name="%(class)s_since"),
        ]


class Correctable(Versioned):
    """A record one source may say better than another; a row that `corrects` counts only while another source has the record."""

    corrects = models.BooleanField(default=False, db_default=False)

    class Meta(Versioned.Meta):
        abstract = True
