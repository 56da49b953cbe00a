"""A profile remembers that it was enabled once, which tells a disabled one from a draft."""

from typing import Any

from django.db import migrations, models


def remember(apps: Any, _schema_editor: Any) -> None:
    """Whatever is enabled now was enabled once."""
    apps.get_model("store", "Profile").objects.filter(enabled_at__isnull=False).update(ever_enabled=True)


class Migration(migrations.Migration):
    """Adds Profile.ever_enabled."""

    dependencies = [("store", "0001_foundation")]

    operations = [
        migrations.AddField("profile", "ever_enabled", models.BooleanField(default=False)),
        migrations.RunPython(remember, migrations.RunPython.noop),
    ]
