"""Several sources of one institute: the one of highest precedence counts, record by record; on both databases."""

from __future__ import annotations

import datetime as dt

from tests.store.world import a_school, deliver
from tests.world import BEGIN, END, School

from rollbook.store.models import Person, Source
from rollbook.store.overview import people_by_type
from rollbook.store.rosters import read_departed, read_roster

EARLY = dt.date(2027, 1, 31)


def another_view() -> School:
    """What a second system says: somebody by another name and type, an enrolment that ends sooner, a class of its own."""
    school = School().klass("7A Maths", students=["Pupil No0"])
    school.people["Pupil No0"] |= {"person": 1, "sourced_id": "p2", "preferred_given_name": "Polly"}
    school.types[:] = [{"person": 1, "user_type": "employee"}]
    school.enrolments[0] |= {"person": 1, "sourced_id": "e1", "end": EARLY}
    school.klass("Choir", students=["Pupil No0"])
    school.enrolments[1]["sourced_id"] = "choir"
    return school


def both(precedence: int):
    """The school as two systems say it, the second of this precedence."""
    institute, _, _ = deliver(a_school())
    deliver(another_view(), kind="second", precedence=precedence)
    return institute


def polly(roster):
    row = roster.people.filter(sourced_id="p2")
    types = roster.affiliations.join(row, on="person", how="semi")["user_type"].to_list()
    return row["preferred_given_name"].to_list(), types


def test_one_sourced_id_is_one_record_and_the_source_of_the_lowest_number_says_what_it_is(store):
    institute = both(precedence=1)
    roster = read_roster(institute)

    assert Person.objects.count() == roster.people.height == 4
    assert polly(roster) == (["Polly"], ["employee"])
    assert people_by_type(institute) == [("employee", 1), ("student", 2), ("teacher", 1)]

    Source.objects.filter(kind="second").update(precedence=101)
    assert polly(read_roster(institute)) == ([None], ["student"])
    assert people_by_type(institute) == [("student", 3), ("teacher", 1)]


def test_enrolments_are_those_of_all_sources_once_each(store):
    roster = read_roster(both(precedence=1))
    found = roster.enrolments.join(roster.classes.select("klass", "title"), on="klass")

    assert sorted(found.select("sourced_id", "title", "end").iter_rows()) == [
        ("choir", "Choir", END),
        ("e1", "7A Maths", EARLY),
        ("e2", "7A Maths", END),
        ("e3", "7A Maths", END),
    ]
    assert roster.classes.height == 2
    assert roster.teachings["begin"].to_list() == [BEGIN]


def test_of_equal_precedence_the_older_source_counts(store):
    assert polly(read_roster(both(precedence=100))) == ([None], ["student"])


def test_somebody_whom_another_source_still_has_did_not_leave(store):
    institute = both(precedence=1)
    fewer = a_school()
    del fewer.people["Pupil No0"], fewer.people["Pupil No1"]
    fewer.types = [row for row in fewer.types if row["person"] not in (2, 3)]
    fewer.enrolments = [row for row in fewer.enrolments if row["person"] not in (2, 3)]
    deliver(fewer, accepted=True)
    roster = read_roster(institute)

    assert sorted(roster.people["sourced_id"]) == ["p1", "p2", "p4"]
    assert read_departed(institute).rows() == [(3, "student")]


def test_one_source_reads_the_same_whatever_its_precedence(store):
    institute, source, _ = deliver(a_school())
    before = read_roster(institute)
    Source.objects.filter(pk=source.pk).update(precedence=7)

    after = read_roster(institute)
    assert all(getattr(after, name).equals(getattr(before, name)) for name in ("people", "affiliations", "enrolments"))
