"""Links changed by people, and marks that can be derived again, on both databases."""

from __future__ import annotations

import re

import polars as pl
import pytest
from tests.store.world import NOW, a_school, a_tenant, deliver

from rollbook.acts.groupings import note_teams
from rollbook.store import decisions, links, marks
from rollbook.store.identities import read_people, read_subjects
from rollbook.store.links import By
from rollbook.store.models import Decision, Institute, Link, LinkHistory, Secret, Tenant

BY = By("maria", NOW, "told by the office")
WANTED = {"link": pl.Int64, "object_id": pl.String, "object_mark": pl.String}


@pytest.fixture
def place(store) -> tuple[Institute, Tenant]:
    """A delivered school of four people and its tenant."""
    institute, _, _ = deliver(a_school())
    return institute, a_tenant(institute)


def reserved(place, *people: int) -> dict[int, Link]:
    """Links of these people, by person."""
    institute, tenant = place
    links.reserve(tenant, institute, "user", pl.DataFrame({"subject": people, "period": [0] * len(people)}))
    return {link.subject: link for link in Link.objects.filter(subject__in=people)}


def move(place, *wanted: tuple[Link, str | None, str | None]) -> int:
    """Links hold (object id, mark it carries) from now on."""
    rows = [(link.pk, object_id, mark) for link, object_id, mark in wanted]
    institute, tenant = place
    return links.change(tenant, institute, "user", pl.DataFrame(rows, schema=WANTED, orient="row"), BY)


def now(link: Link) -> Link:
    link.refresh_from_db()
    return link


def test_a_mark_is_the_same_again_for_the_same_person_and_says_nothing(place):
    institute, tenant = place
    first = reserved(place, 1, 2)
    kept = {person: link.mark for person, link in first.items()}
    Link.objects.all().delete()

    again = reserved(place, 1, 2)
    assert {person: link.mark for person, link in again.items()} == kept
    assert all(re.fullmatch("[0-9a-f]{32}", mark) for mark in kept.values())
    assert marks.recognised(tenant, institute, "user", [*kept.values(), "of somebody else"]).rows() == [
        (1, 0, kept[1]),
        (2, 0, kept[2]),
    ]


def test_marks_differ_by_tenant_kind_institute_and_key(place):
    institute, tenant = place
    ours = marks.Marking.of(tenant, institute, "user")
    others = [
        marks.Marking(ours.key, "another", ours.institute, ours.kind),
        marks.Marking(ours.key, ours.tenant, "another", ours.kind),
        marks.Marking(ours.key, ours.tenant, ours.institute, "team"),
        marks.Marking(b"another", ours.tenant, ours.institute, ours.kind),
    ]

    assert len({ours.mark("p1", 0), ours.mark("p1", 1), *(other.mark("p1", 0) for other in others)}) == 6


def test_whom_the_records_do_not_name_gets_a_random_mark(place):
    first = reserved(place, 77)[77].mark
    Link.objects.all().delete()

    assert reserved(place, 77)[77].mark != first


def test_marks_that_were_given_before_stay_valid(place):
    link = reserved(place, 1)[1]
    Link.objects.filter(pk=link.pk).update(mark="0" * 32)

    assert reserved(place, 1)[1].mark == "0" * 32


def test_an_adopted_account_is_linked_and_undone_with_both_in_the_history(place):
    _, tenant = place
    link = reserved(place, 1)[1]

    assert move(place, (link, "object-1", None)) == 1
    assert (now(link).object_id, link.origin, link.linked_at) == ("object-1", "adopted", NOW)
    assert move(place, (link, "object-1", None)) == 0

    mark = link.mark
    assert move(place, (link, None, None)) == 1
    assert (now(link).object_id, link.origin, link.mark) == (None, None, mark)
    told = [(h.before, h.object_id, h.origin, h.actor, h.reason, h.mark) for h in links.history(link.pk)]
    assert told == [
        (None, "object-1", "adopted", "maria", "told by the office", None),
        ("object-1", None, "", "maria", "told by the office", None),
    ]
    assert decisions.in_force(tenant).rows() == [(link.pk, "refused", "object-1")]


def test_a_link_that_leaves_what_it_made_gets_a_fresh_mark_and_takes_the_old_one_back_with_the_object(place):
    _, tenant = place
    link = reserved(place, 1)[1]
    mark = link.mark
    move(place, (link, "object-1", mark))
    assert (now(link).origin, link.mark) == ("made", mark)

    move(place, (link, None, None))
    assert now(link).mark != mark
    assert links.given_up(tenant)["mark"].to_list() == [mark]

    move(place, (link, "object-1", mark))
    assert (now(link).mark, link.origin) == (mark, "made")
    assert decisions.in_force(tenant).is_empty()
    assert Decision.objects.get().ended_at == NOW


def test_two_people_whose_accounts_were_mixed_up_exchange_them_with_their_marks(place):
    one, two = reserved(place, 1, 2).values()
    first, second = one.mark, two.mark
    move(place, (one, "object-1", first), (two, "object-2", second))

    assert move(place, (one, "object-2", second), (two, "object-1", first)) == 2
    assert (now(one).object_id, one.mark) == ("object-2", second)
    assert (now(two).object_id, two.mark) == ("object-1", first)
    assert LinkHistory.objects.count() == 4


def test_whose_mark_is_on_an_object_that_somebody_else_takes_gets_another(place):
    one, two = reserved(place, 1, 2).values()
    mark = one.mark

    move(place, (two, "object-1", mark))
    assert (now(two).mark, two.origin) == (mark, "made")
    assert now(one).mark != mark


def test_what_belonged_to_the_account_that_was_left_is_forgotten(place):
    _, tenant = place
    link = reserved(place, 1)[1]
    move(place, (link, "object-1", link.mark))
    Link.objects.filter(pk=link.pk).update(disabled_by_run=7, disabled_at=NOW)
    Secret.objects.create(
        tenant=tenant, purpose=Secret.Purpose.FIRST_PASSWORD, link=link, key_id="k", ciphertext=b"c", made_at=NOW
    )

    move(place, (link, "object-2", None))
    assert (now(link).disabled_by_run, link.disabled_at) == (None, None)
    assert not Secret.objects.exists()


def test_a_later_decision_replaces_an_earlier_one_and_refused_pairs_stay(place):
    _, tenant = place
    link = reserved(place, 1)[1]
    move(place, (link, "object-1", None))
    move(place, (link, None, None))

    decisions.decide(tenant, link.pk, "nobody", "maria", "", NOW)
    decisions.decide(tenant, link.pk, "new", "maria", "", NOW)
    assert decisions.in_force(tenant).select("decision", "object_id").rows() == [("refused", "object-1"), ("new", "")]
    assert Decision.objects.filter(ended_at__isnull=False).count() == 1


def test_people_are_known_by_their_newest_published_record_also_after_they_left(place):
    institute, _ = place
    school = a_school()
    school.people["Pupil No1"]["sis_number"] = "S99"
    gone = school.people.pop("Pupil No2")
    school.types = [row for row in school.types if row["person"] != gone["person"]]
    school.enrolments = [row for row in school.enrolments if row["person"] != gone["person"]]
    deliver(school, accepted=True)

    assert dict(read_people(institute).select("sourced_id", "sis_number").iter_rows()) == {
        "p1": "S1",
        "p2": "S2",
        "p3": "S99",
        "p4": "S4",
    }
    note_teams(institute)
    note_teams(institute)
    assert read_subjects(institute, "team").select("sourced_id", "number").rows() == [("c1", "C1")]
