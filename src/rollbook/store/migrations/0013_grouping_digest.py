"""Keys, labels and ids of groupings of any length: the digest of a key is unique in its place."""

import hashlib
from typing import Any

from django.db import migrations, models

CHUNK = 2_000


def digest_keys(apps: Any, schema_editor: Any) -> None:
    """Every grouping has the digest of its key, as store.groupings makes it."""
    grouping = apps.get_model("store", "Grouping")
    rows = []
    for row in grouping.objects.only("key").iterator(CHUNK):
        row.digest = hashlib.sha256(row.key.encode()).hexdigest()
        rows.append(row)
    grouping.objects.bulk_update(rows, ["digest"], batch_size=CHUNK)


class Migration(migrations.Migration):
    dependencies = [("store", "0012_proofs")]

    operations = [
        migrations.RemoveConstraint(model_name="grouping", name="grouping_key"),
        migrations.AlterField(model_name="grouping", name="key", field=models.TextField()),
        *(
            migrations.AlterField(model_name="grouping", name=name, field=models.TextField(null=True))
            for name in ("sourced_id", "code", "label")
        ),
        migrations.AddField(
            model_name="grouping",
            name="digest",
            field=models.CharField(default="", max_length=64),
            preserve_default=False,
        ),
        migrations.RunPython(digest_keys, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="grouping",
            constraint=models.UniqueConstraint("institute", "kind", "digest", "period", name="grouping_key"),
        ),
    ]
