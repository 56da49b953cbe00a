"""Teams are known by what they hold rather than by a class: links of classes become links of groupings, objects and marks untouched."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def newest(model: Any, entities: set[int]) -> dict[int, Any]:
    """The newest record of each entity."""
    found: dict[int, Any] = {}
    for record in model.objects.filter(entity__in=entities).order_by("since").iterator():
        found[record.entity] = record
    return found


def escaped(text: str) -> str:
    """An id as a part of a key, as desired.keys has it."""
    return text.replace("%", "%25").replace("/", "%2F")


def regroup(apps: Any, schema_editor: Any) -> None:
    """Each class that has a link becomes the grouping of its group and subject, as desired.teams calls it."""
    link, grouping = apps.get_model("store", "Link"), apps.get_model("store", "Grouping")
    links = list(link.objects.filter(kind="team").order_by("pk"))
    classes = newest(apps.get_model("store", "Klass"), {entry.subject for entry in links})
    groups = newest(apps.get_model("store", "Group"), {c.group for c in classes.values() if c.group})
    subjects = newest(apps.get_model("store", "Subject"), {c.subject for c in classes.values() if c.subject})
    made: dict[tuple[int, str, int], tuple[int, int]] = {}
    for entry in links:
        klass = classes.get(entry.subject)
        key, named = f"retired/class:{entry.subject}", {}
        if klass is not None:
            key = f"group_subject/class:{escaped(klass.sourced_id)}"
            group, subject = groups.get(klass.group), subjects.get(klass.subject)
            if group is not None and subject is not None:
                key = f"group_subject/group:{escaped(group.sourced_id)}/subject:{escaped(subject.sourced_id)}"
            named = {"sourced_id": klass.sourced_id, "code": klass.code, "label": klass.title}
        # Two classes of one group and subject are one team from now on; the later one is no longer managed.
        known = made.get((entry.institute_id, key, entry.period))
        if known is not None and known[1] != entry.subject:
            key = f"retired/class:{entry.subject}"
            known = made.get((entry.institute_id, key, entry.period))
        if known is None:
            row = grouping.objects.create(
                institute_id=entry.institute_id, kind="team", key=key, period=entry.period, **named
            )
            known = made[entry.institute_id, key, entry.period] = (row.pk, entry.subject)
        entry.subject = -known[0]
    link.objects.bulk_update(links, ["subject"], batch_size=500)
    # The other sign in between, so that no new number meets an old one.
    link.objects.filter(kind="team").update(subject=-models.F("subject"))


class Migration(migrations.Migration):

    dependencies = [("store", "0007_links")]

    operations = [
        migrations.AlterField(
            model_name="link",
            name="kind",
            field=models.CharField(
                choices=[("user", "User"), ("team", "Team"), ("node", "Node"), ("licence", "Licence")], max_length=8
            ),
        ),
        migrations.CreateModel(
            name="Grouping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("team", "Team"), ("node", "Node")], max_length=8)),
                ("key", models.CharField(max_length=2000)),
                ("period", models.BigIntegerField(default=0)),
                ("sourced_id", models.CharField(max_length=600, null=True)),
                ("code", models.CharField(max_length=600, null=True)),
                ("label", models.CharField(max_length=2000, null=True)),
                (
                    "institute",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="store.institute"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="grouping",
            constraint=models.UniqueConstraint(
                models.F("institute"), models.F("kind"), models.F("key"), models.F("period"), name="grouping_key"
            ),
        ),
        migrations.RunPython(regroup, migrations.RunPython.noop),
    ]
