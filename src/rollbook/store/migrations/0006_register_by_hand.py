"""What a register knows of a person beyond the files' own columns, the levels of grades, and a register kept by hand."""

from typing import Any

from django.db import migrations, models


DELIVERED = 100


def make_room(apps: Any, _schema_editor: Any) -> None:
    """Every source there is was delivered; what is kept by hand is to count more."""
    apps.get_model("store", "Source").objects.filter(precedence=0).update(precedence=DELIVERED)


class Migration(migrations.Migration):
    """Adds columns; the next delivery writes every person and affiliation once more, because their digests are new."""

    dependencies = [("store", "0005_passwords")]

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
        *(
            migrations.AddField(model, "corrects", models.BooleanField(default=False, db_default=False))
            for model in ("personrecord", "enrolment", "teaching")
        ),
        migrations.AlterField("source", "precedence", models.PositiveSmallIntegerField(default=DELIVERED)),
        migrations.RunPython(make_room, migrations.RunPython.noop),
    ]
