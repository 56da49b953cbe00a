"""What an account was before we wrote to it: a reading soon afterwards may still show that, and only that is not believed.

And what was found in the tenant in the place of what a plan had seen, where somebody changed it before the plan was carried out.
"""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0020_notices")]

    operations = [
        migrations.AddField("Account", "name_before", models.CharField(max_length=320, null=True)),
        migrations.AddField("Account", "enabled_before", models.BooleanField(null=True)),
        migrations.AddField("ChangeDetail", "found", models.TextField(null=True)),
    ]
