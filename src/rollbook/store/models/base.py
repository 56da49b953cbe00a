"""What exposed rows have in common: a public id that says nothing, and a row version that detects concurrent edits."""

from __future__ import annotations

import uuid

from django.db import models


class Exposed(models.Model):
    """A row that pages and the API name: `public_id` outside, `row_version` grows with each change."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    row_version = models.PositiveIntegerField(default=1)

    class Meta:
        abstract = True
