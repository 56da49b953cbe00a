"""What is left of Microsoft's quotas, in place of blocks that were lent and had to be counted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One level for each quota and holder."""

    dependencies = [("store", "0016_quarantine")]

    operations = [
        migrations.DeleteModel("WriteBudget"),
        migrations.CreateModel(
            name="QuotaLevel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("holder", models.CharField(max_length=255)),
                ("name", models.CharField(max_length=32)),
                ("level", models.FloatField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(models.F("holder"), models.F("name"), name="quota_level_holder")
                ],
            },
        ),
    ]
