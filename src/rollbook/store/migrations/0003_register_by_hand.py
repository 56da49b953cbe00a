"""What a register knows of a person beyond the files' own columns, and the levels of an institute's grades."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds columns only; the next delivery writes every person and affiliation once more, because their digests are new."""

    dependencies = [("store", "0002_profile_ever_enabled")]

    operations = [
        migrations.AddField("personrecord", "external_id", models.CharField(max_length=255, null=True)),
        migrations.AddField("personrecord", "registration_end", models.DateField(null=True)),
        migrations.AddField("affiliation", "department", models.BigIntegerField(null=True)),
        migrations.AddField("affiliation", "grade_type", models.CharField(max_length=255, null=True)),
        migrations.AddField("affiliation", "stream", models.CharField(max_length=255, null=True)),
        migrations.AddField(
            "institute",
            "grade_levels",
            models.JSONField(default=dict, help_text="Grade -> level: the stage that groups grades."),
        ),
    ]
