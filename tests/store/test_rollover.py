"""Naming teams over school years, and what is remembered of those that went on as others."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from tests.store.world import ACTOR, NOW, Frozen, a_tenant, deliver
from tests.years import two_years

from rollbook.acts.profiles import Author
from rollbook.acts.rollover import Request, look
from rollbook.acts.teams_known import find, find_all, known
from rollbook.errors import InputRefused
from rollbook.store import groupings, links
from rollbook.store.links import By
from rollbook.store.models import Connection, Grouping, Institute, Link, Secret

AUTHOR = Author(ACTOR, Frozen())
AUTUMN, NEXT = dt.date(2026, 10, 1), dt.date(2027, 9, 1)


@pytest.fixture
def institute(store) -> Institute:
    """A school of two years with a tenant nobody asks anything of."""
    found, _, _ = deliver(two_years().taught("7B", "Maths", "2027", "Anna Ioannou", ["Other Pupil"]))
    tenant = a_tenant(found)
    secret = Secret.objects.create(
        tenant=tenant, purpose=Secret.Purpose.CREDENTIAL, key_id="k", ciphertext=b"", made_at=NOW
    )
    Connection.objects.create(
        institute=found, tenant=tenant, purpose=Connection.Purpose.MAIN, state="connected", secret=secret
    )
    return found


def made(institute: Institute, text: str, object_id: str) -> int:
    """A team that somebody made: its link."""
    team = find(known(institute), text)
    subject = pl.DataFrame({"subject": [team.subject], "period": [team.period]})
    tenant = a_tenant_of(institute)
    link = int(links.reserve(tenant, institute, "team", subject)["link"][0])
    Link.objects.filter(pk=link).update(object_id=object_id, origin="made")
    return link


def a_tenant_of(institute: Institute):
    return Connection.objects.get(institute=institute).tenant


@pytest.mark.parametrize(
    "text", ["8A-Maths-2028", "8A-Maths-2028@2027-2028", "Maths 8A", "maths 8a@2027-2028", "Maths 8A (2027-2028)"]
)
def test_a_team_is_named_by_sourced_id_or_name_with_its_period_where_needed(institute, text):
    rows = known(institute)
    if text.endswith(")"):
        with pytest.raises(InputRefused, match="There is no class or team"):
            find(rows, text)
        return
    assert find(rows, text).handle == "8A-Maths-2028@2027-2028"


def test_a_name_that_several_have_lists_the_choices(institute):
    with pytest.raises(InputRefused, match="may be any of 2 teams") as refused:
        find(known(institute), "Maths 7A")

    assert "7A-Maths-2027@2026-2027 (Maths 7A (2026-2027), of group and subject)" in refused.value.remedy
    assert "7A-Maths-2028@2027-2028 (Maths 7A (2027-2028), of group and subject)" in refused.value.remedy
    assert find(known(institute), "Maths 7A@2026-2027").key == "group_subject/group:7A/subject:Maths"
    with pytest.raises(InputRefused, match="There is no class or team"):
        find(known(institute), "Maths 7A@1999")


def test_a_team_named_twice_is_meant_once(institute):
    assert len(find_all(known(institute), ["8A-Maths-2028", "Maths 8A", "7B-Maths-2027"])) == 2


def test_every_handle_names_exactly_its_team(institute):
    rows = known(institute)
    groupings.remembered(
        institute,
        Grouping.Kind.TEAM,
        pl.DataFrame(
            [("group/group:7A", rows["period"][0], "7A-Maths-2027", None, "7A")],
            schema={
                "key": pl.String,
                "period": pl.Int64,
                "sourced_id": pl.String,
                "code": pl.String,
                "label": pl.String,
            },
            orient="row",
        ),
    )

    doubled = known(institute)

    assert doubled.height == rows.height + 1
    for row in doubled.iter_rows(named=True):
        assert find(doubled, row["handle"]).subject == row["subject"]


def test_what_ends_and_begins_is_told_without_asking_the_tenant(institute):
    made(institute, "7A-Maths-2027", "o1")
    archived = made(institute, "7B-Maths-2027", "o2")
    Link.objects.filter(pk=archived).update(archived_at=NOW)

    now, then = (look(Request(institute, None, day, AUTHOR)) for day in (AUTUMN, NEXT))

    assert {(line.handle, line.state, line.archived) for line in then.teams} == {
        ("7A-Maths-2027@2026-2027", "ends", False),
        ("7B-Maths-2027@2026-2027", "ends", True),
        ("8A-Maths-2028@2027-2028", "begins", False),
        ("7A-Maths-2028@2027-2028", "begins", False),
    }
    assert {line.state for line in now.teams} == {"continues", "begins"}
    same_people = next(pair for pair in then.candidates if not pair.same_group)
    assert same_people.told == "3 of 3 students were in it"
    assert same_people.command == "rollbook rollover continue 7A-Maths-2027@2026-2027 8A-Maths-2028@2027-2028"


def test_a_team_that_took_over_is_remembered_until_it_holds_something_else(institute):
    tenant, old = a_tenant_of(institute), made(institute, "7A-Maths-2027", "o1")
    new = made(institute, "8A-Maths-2028", "o9")
    Link.objects.filter(pk=new).update(object_id=None, origin=None)
    Link.objects.filter(pk=old).update(archived_at=NOW)
    mark = Link.objects.get(pk=old).mark
    schema = {"link": pl.Int64, "object_id": pl.String, "object_mark": pl.String}
    assert links.taken_over(tenant, "team").is_empty()

    moved = pl.DataFrame([(old, None, None), (new, "o1", mark)], schema=schema, orient="row")
    links.change(tenant, institute, "team", moved, By("tester", NOW))

    assert links.taken_over(tenant, "team").rows() == [(new, old)]
    assert (Link.objects.get(pk=new).mark, Link.objects.get(pk=old).archived_at) == (mark, None)
    (line,) = [line for line in look(Request(institute, None, NEXT, AUTHOR)).teams if line.link == new]
    assert line.after == "Maths 7A (2026-2027)"
    undone = pl.DataFrame([(new, None, None)], schema=schema, orient="row")
    links.change(tenant, institute, "team", undone, By("tester", NOW + dt.timedelta(days=1)))
    assert links.taken_over(tenant, "team").is_empty()
