"""States of earlier versions, brought to today's form: what is at Microsoft stays linked to what it was made for."""

from __future__ import annotations

import polars as pl
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from tests.store.world import a_school, a_tenant, deliver

from rollbook.acts.groupings import note_teams
from rollbook.store import groupings
from rollbook.store.models import Grouping, Klass, Link


def moved_to(name: str) -> None:
    """The store's tables as they were after this migration."""
    executor = MigrationExecutor(connection)
    executor.migrate([("store", name)])


def test_links_of_classes_become_links_of_what_they_hold_with_their_objects_and_marks(store):
    institute, _, _ = deliver(a_school(), accepted=True)
    tenant = a_tenant(institute)
    klass = Klass.objects.get()
    moved_to("0007_links")
    with connection.cursor() as cursor:
        for subject, mark, held in ((klass.entity, "our-mark", "object-1"), (987, "gone-mark", "object-2")):
            cursor.execute(
                "INSERT INTO store_link (tenant_id, institute_id, kind, subject, period, mark, object_id, origin) "
                "VALUES (%s, %s, 'team', %s, %s, %s, %s, 'made')",
                [tenant.pk, institute.pk, subject, klass.period, mark, held],
            )

    newest = sorted(name for app, name in MigrationExecutor(connection).loader.graph.leaf_nodes() if app == "store")
    moved_to(newest[-1])

    made = groupings.made(tenant, institute, Grouping.Kind.TEAM)
    group, subject = "group_subject/group:c1/subject:c1", "retired/class:987"
    assert sorted(made["key"]) == [group, subject]
    link = Link.objects.get(pk=made.filter(pl.col("key") == group)["link"][0])
    assert (link.mark, link.object_id, link.period) == ("our-mark", "object-1", klass.period)
    note_teams(institute)
    assert sorted(groupings.known(institute, Grouping.Kind.TEAM)["key"]) == [group, subject]
