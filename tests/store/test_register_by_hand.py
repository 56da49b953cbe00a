"""The register by hand: what is said counts more than deliveries, record by record, and can be taken back; on both databases."""

from __future__ import annotations

import datetime as dt
import json
import threading

import pytest
from django.db import connection
from tests.sources.folder import ROWS, write
from tests.store.world import ACTOR, Frozen

from rollbook.acts.deliveries import import_delivery
from rollbook.acts.profiles import Author
from rollbook.acts.register import (
    Typed,
    add_enrolment,
    add_person,
    deactivate_person,
    edit_person,
    end_enrolment,
    reset_person,
    shown,
)
from rollbook.errors import InputRefused
from rollbook.store import trail
from rollbook.store.edits import by_hand
from rollbook.store.models import Delivery, Person, Source, Trail
from rollbook.store.overview import institutes, people_by_type
from rollbook.store.register import TABLES
from rollbook.store.rosters import read_departed, read_roster

AUTHOR = Author(ACTOR, Frozen())
DAY = dt.date(2026, 10, 1)
ORGS = [
    *ROWS["orgs"],
    {"sourcedId": "north", "name": "North", "type": "school", "parentSourcedId": "school"},
    {"sourcedId": "arts", "name": "Arts", "type": "department", "parentSourcedId": "north"},
]
CLASSES = [*ROWS["classes"], {**ROWS["classes"][0], "sourcedId": "c2", "title": "7A Art", "classCode": "ART"}]
USERS = [
    *ROWS["users"],
    {"sourcedId": "g1", "role": "parent", "givenName": "Ada", "familyName": "Papadaki"},
    {"sourcedId": "s3", "role": "student", "givenName": "Eleni", "familyName": "Makri"},
]
USERS[1] = USERS[1] | {"grades": "07", "identifier": "4711", "agentSourcedIds": "g1"}


@pytest.fixture
def school(store, tmp_path):
    return Delivered(tmp_path / "r")


class Delivered:
    """A school whose delivery can be changed and delivered again."""

    def __init__(self, folder):
        self.folder = folder
        self.rows = {"orgs": ORGS, "users": USERS, "classes": CLASSES, "enrollments": ROWS["enrollments"]}
        self.institute = self.deliver()

    def deliver(self, **changes):
        self.rows |= changes
        write(self.folder, **self.rows)
        return import_delivery(self.folder, ACTOR, Frozen(), accepted=True).institute

    def without(self, *ids):
        self.deliver(
            users=[row for row in self.rows["users"] if row["sourcedId"] not in ids],
            enrollments=[row for row in self.rows["enrollments"] if row["userSourcedId"] not in ids],
        )

    def renamed(self, sourced_id, **columns):
        users = [row | columns if row["sourcedId"] == sourced_id else row for row in self.rows["users"]]
        self.deliver(users=users)

    def read(self):
        return read_roster(self.institute)

    def person(self, sourced_id):
        found = self.read().people.filter(sourced_id=sourced_id).to_dicts()
        return found[0] if found else None

    def places(self, sourced_id):
        """(type, grade, location, department) of somebody."""
        roster = self.read()
        names = dict(roster.locations.select("location", "name").iter_rows()) | {None: None}
        grades = dict(roster.grades.select("grade", "name").iter_rows()) | {None: None}
        mine = roster.affiliations.filter(person=self.person(sourced_id)["person"])
        return sorted(
            (row["user_type"], grades[row["grade"]], names[row["location"]], names[row["department"]])
            for row in mine.to_dicts()
        )

    def classes(self, sourced_id):
        """(class, role, begin, end) of somebody."""
        roster, key = self.read(), self.person(sourced_id)["person"]
        titles = dict(roster.classes.select("klass", "sourced_id").iter_rows())
        rows = [*roster.enrolments.filter(person=key).to_dicts(), *roster.teachings.filter(person=key).to_dicts()]
        return sorted(
            (titles[row["klass"]], row.get("teacher_type", "student"), str(row["begin"]), str(row["end"]))
            for row in rows
        )


def refused(act, *arguments, **options):
    """What a refused act says, having changed nothing."""
    before = counts()
    with pytest.raises(InputRefused) as refusal:
        act(*arguments, **options)
    assert counts() == before
    return refusal.value.message


def counts():
    return [
        Trail.objects.count(),
        Delivery.objects.count(),
        Person.objects.count(),
        *(table.model._default_manager.count() for table in TABLES),
    ]


def test_somebody_is_added_with_all_that_a_register_knows(school):
    texts = {
        "given_name": " Zoë ",
        "family_name": "Laskari",
        "preferred_given_name": "Zo",
        "sis_number": "9001",
        "email": "zoe@home.example",
        "registration_end": "2027-01-31",
        "grade": "07",
        "location": "North",
        "department": "arts",
        "stream": "Music",
    }
    done = add_person(school.institute, Typed(texts, ["student"], ["c1", "ART"]), AUTHOR)
    zoe = school.person(done.person)

    assert done.person.startswith("hand-")
    assert (zoe["given_name"], zoe["preferred_given_name"], zoe["middle_name"]) == ("Zoë", "Zo", None)
    assert (zoe["active"], zoe["registration_end"]) == (True, dt.date(2027, 1, 31))
    assert school.places(done.person) == [("student", "07", "North", "Arts")]
    assert [row[:2] for row in school.classes(done.person)] == [("c1", "student"), ("c2", "student")]
    assert school.read().affiliations.filter(person=zoe["person"])["stream"].to_list() == ["Music"]


def test_the_trail_says_who_did_what_by_ids_and_never_by_names(school):
    done = add_person(school.institute, Typed({"family_name": "Laskari"}, ["employee"]), AUTHOR, "clerk")
    edit_person(school.institute, "clerk", Typed({"phone": "210"}), AUTHOR)
    entries = list(Trail.objects.order_by("-pk")[:2])

    assert [(e.action, e.actor) for e in entries] == [("person.edited", "tester"), ("person.added", "tester")]
    public_id = Person.objects.get(pk=school.person(done.person)["person"]).public_id
    assert entries[0].content == {
        "person": str(public_id),
        "edit": 2,
        "changed": {"people": 1},
        "columns": ["phone"],
    }
    assert "Laskari" not in json.dumps([e.content for e in Trail.objects.all()])
    assert trail.first_broken() is None


def test_all_mistakes_of_an_addition_are_told_together(school):
    typed = Typed(
        {"sis_number": "4711", "registration_end": "31/1/27", "grade": "99", "email": "x" * 256},
        ["wizard"],
        ["nowhere"],
        ["nobody"],
    )
    said = refused(add_person, school.institute, typed, AUTHOR, "s2")

    for part in (
        "a first or a last name",
        "End of registration 31/1/27 is not a date. Write dates as 2026-09-01.",
        "Email is longer than 255 characters.",
        "User type wizard is not a word",
        "teacher, employee, student, parent",
        "There is a person 's2' already",
        "The SIS number '4711' is that of s1 already.",
        "There is no grade '99'; there is, for example: 07.",
        "There is no class 'nowhere'; there is, for example: c1 (7A Maths), c2 (7A Art).",
        "There is no person 'nobody'",
        "Only parents have children",
    ):
        assert part in said
    assert "needs a user type: teacher, employee" in refused(
        add_person, school.institute, Typed({"given_name": "A"}), AUTHOR
    )
    assert not Source.objects.filter(kind="manual").exists()


def test_a_correction_counts_more_than_any_later_delivery_until_it_is_forgotten(school):
    key = school.person("s1")["person"]
    done = edit_person(school.institute, "s1", Typed({"preferred_given_name": "Mary", "phone": ""}), AUTHOR)
    school.renamed("s1", familyName="Dimou")

    assert done.changed == ("preferred_given_name",)
    assert (school.person("s1")["person"], school.person("s1")["preferred_given_name"]) == (key, "Mary")
    assert school.person("s1")["family_name"] == "Papadaki"
    assert school.person("s2")["family_name"] == "Kowalski"

    assert reset_person(school.institute, "s1", AUTHOR).changed == ("people",)
    assert school.person("s1")["family_name"] == "Dimou"
    assert (school.person("s1")["person"], school.person("s1")["preferred_given_name"]) == (key, None)


def test_what_was_not_corrected_goes_on_being_delivered(school):
    edit_person(school.institute, "s1", Typed({"phone": "210"}), AUTHOR)
    school.renamed("s1", grades="08")

    assert school.places("s1") == [("student", "08", None, None)]


def test_an_edit_that_changes_nothing_is_no_edit(school):
    before = counts()
    typed = Typed({"given_name": "Maria", "grade": "07"}, ["student"])

    assert edit_person(school.institute, "s1", typed, AUTHOR).changed == ()
    assert counts() == before


def test_correcting_somebody_does_not_keep_them_after_the_school_let_them_go(school):
    edit_person(school.institute, "s1", Typed({"phone": "210", "grade": "07", "stream": "Music"}), AUTHOR)
    key = school.person("s1")["person"]
    school.without("s1")

    assert school.person("s1") is None
    assert read_departed(school.institute).rows() == [(key, "student")]
    assert school.read().affiliations.filter(person=key).is_empty()

    school.deliver(users=USERS)
    assert (school.person("s1")["person"], school.person("s1")["phone"]) == (key, "210")


def test_somebody_who_was_added_stays_without_any_delivery_and_is_the_same_person_once_delivered(school):
    add_person(school.institute, Typed({"given_name": "Zoë"}, ["employee"]), AUTHOR, "z1")
    key = school.person("z1")["person"]
    school.deliver()
    assert school.person("z1")["person"] == key
    assert "No delivery has z1" in refused(reset_person, school.institute, "z1", AUTHOR)

    row = {"sourcedId": "z1", "role": "student", "givenName": "Zoi", "familyName": "Laskari"}
    school.deliver(users=[*USERS, row])
    assert (school.person("z1")["person"], school.person("z1")["given_name"]) == (key, "Zoë")
    assert school.places("z1") == [("employee", None, None, None)]
    reset_person(school.institute, "z1", AUTHOR)
    assert (school.person("z1")["person"], school.person("z1")["given_name"]) == (key, "Zoi")
    assert school.places("z1") == [("student", None, None, None)]


def test_somebody_who_left_and_is_added_again_is_the_same_person_for_life(school):
    key = school.person("s2")["person"]
    school.without("s2")
    done = add_person(school.institute, Typed({"given_name": "Jan"}, ["student"]), AUTHOR, "s2")

    assert done.known
    assert school.person("s2")["person"] == key
    assert read_departed(school.institute).is_empty()
    assert not add_person(school.institute, Typed({"given_name": "New"}, ["student"]), AUTHOR).known


def test_whoever_is_deactivated_stays_so_until_somebody_says_otherwise(school):
    deactivate_person(school.institute, "s1", AUTHOR)
    school.renamed("s1", familyName="Dimou")

    assert school.person("s1")["active"] is False
    assert "s1 is not active already" in refused(deactivate_person, school.institute, "s1", AUTHOR)
    assert edit_person(school.institute, "s1", Typed(), AUTHOR, active=True).changed == ("active",)
    assert school.person("s1")["active"] is True


def test_types_and_places_are_changed_and_emptied_for_all_somebody_is(school):
    edit_person(
        school.institute, "s1", Typed({"location": "north", "department": "Arts"}, ["student", "teacher"]), AUTHOR
    )
    assert school.places("s1") == [("student", "07", "North", "Arts"), ("teacher", None, "North", "Arts")]

    edit_person(school.institute, "s1", Typed({"department": "", "grade": ""}), AUTHOR)
    assert school.places("s1") == [("student", None, "North", None), ("teacher", None, "North", None)]
    assert edit_person(school.institute, "s1", Typed(types=["teacher"]), AUTHOR).changed == ("user_type",)
    assert school.places("s1") == [("teacher", None, "North", None)]

    said = refused(edit_person, school.institute, "s1", Typed({"given_name": "", "family_name": ""}), AUTHOR)
    assert "a first or a last name" in said
    assert "no department 'north'; there is, for example: arts (Arts)" in refused(
        edit_person, school.institute, "s1", Typed({"department": "north"}), AUTHOR
    )


def test_somebody_is_enrolled_and_teaches_by_hand_and_later_deliveries_leave_it(school):
    add_enrolment(school.institute, "s1", "7A Art", AUTHOR, DAY, begin="2026-10-05", end="2027-01-31")
    add_enrolment(school.institute, "t1", "ART", AUTHOR, DAY, role="Assistant")
    school.deliver()

    assert school.classes("s1") == [
        ("c1", "student", "2026-09-01", "2027-07-01"),
        ("c2", "student", "2026-10-05", "2027-01-31"),
    ]
    assert ("c2", "assistant", "None", "None") in school.classes("t1")


def test_what_was_delivered_is_ended_by_hand_and_later_deliveries_leave_it(school):
    end_enrolment(school.institute, "s1", "c1", AUTHOR, DAY, "2026-11-01")
    end_enrolment(school.institute, "t1", "c1", AUTHOR, DAY)
    school.deliver()

    assert school.classes("s1") == [("c1", "student", "2026-09-01", "2026-11-01")]
    assert school.classes("t1") == [("c1", "teacher", "2026-09-01", "2026-10-01")]
    assert "s1 left the class c1 on 2026-11-01 already" in refused(
        end_enrolment, school.institute, "s1", "c1", AUTHOR, DAY, "2026-12-01"
    )
    assert "s1 is not in the class c2; they are in: c1 (7A Maths)" in refused(
        end_enrolment, school.institute, "s1", "c2", AUTHOR, DAY
    )

    school.without("s1")
    assert school.person("s1") is None
    school.deliver(users=USERS, enrollments=[row for row in ROWS["enrollments"] if row["userSourcedId"] != "s1"])
    assert school.classes("s1") == []


def test_what_has_not_begun_when_it_ends_never_begins(school):
    add_enrolment(school.institute, "s1", "c2", AUTHOR, DAY, begin="2026-12-01")
    end_enrolment(school.institute, "s1", "c2", AUTHOR, DAY)

    assert ("c2", "student", "2026-12-01", "2026-12-01") in school.classes("s1")


def test_a_class_is_taken_once_at_a_time_by_whoever_is_of_that_type(school):
    said = refused(add_enrolment, school.institute, "s1", "c1", AUTHOR, DAY)
    assert said == "s1 is in the class c1 as student already, from 2026-09-01 to 2027-07-01."
    assert "not after its begin" in refused(
        add_enrolment, school.institute, "s1", "c2", AUTHOR, DAY, begin="2026-10-02", end="2026-10-02"
    )
    said = refused(add_enrolment, school.institute, "s1", "c2", AUTHOR, DAY, role="mentor", begin="soon")
    assert "rollbook person edit s1 --type student --type teacher" in said
    assert "soon is not a date" in said

    add_enrolment(school.institute, "s1", "c1", AUTHOR, DAY, begin="2027-07-01")
    end_enrolment(school.institute, "s2", "c1", AUTHOR, DAY)
    add_enrolment(school.institute, "s2", "c1", AUTHOR, DAY)
    assert len(school.classes("s1")) == len(school.classes("s2")) == 2


def test_an_enrolment_by_hand_in_a_class_that_is_gone_counts_no_more(school):
    add_enrolment(school.institute, "s1", "c2", AUTHOR, DAY)
    school.deliver(classes=ROWS["classes"])
    roster = school.read()

    assert roster.enrolments.join(roster.classes, on="klass", how="anti").is_empty()
    assert [row[0] for row in school.classes("s1")] == ["c1"]


def test_a_parent_by_hand_has_children_and_so_has_one_who_was_delivered(school):
    add_person(school.institute, Typed({"given_name": "Petros"}, ["parent"], children=["s2"]), AUTHOR, "g2")
    assert edit_person(school.institute, "g1", Typed(children=["s3"]), AUTHOR).changed == ("children",)

    keys = dict(school.read().people.select("person", "sourced_id").iter_rows())
    pairs = {(keys[parent], keys[child]) for child, parent in school.read().guardianships.iter_rows()}
    assert pairs == {("g1", "s1"), ("g1", "s3"), ("g2", "s2")}


def test_people_are_named_by_sourced_id_or_sis_number_and_asked_which_where_that_is_not_enough(school):
    assert shown(school.institute, "4711").person == "s1"

    school.renamed("s3", identifier="s1")
    said = refused(deactivate_person, school.institute, "s1", AUTHOR)
    assert "may be more than one person: s1 (SIS number 4711), s3 (SIS number s1); write id: before" in said
    assert shown(school.institute, "id:s1").person == "s1"
    assert shown(school.institute, "sis:s1").person == "s3"
    assert "There is no person 'S2'; there is, for example: s2 (SIS number none)" in refused(
        deactivate_person, school.institute, "S2", AUTHOR
    )


def test_somebody_is_shown_as_they_count_and_what_the_delivery_says_instead(school):
    edit_person(school.institute, "s1", Typed({"preferred_given_name": "Mary"}), AUTHOR)
    add_enrolment(school.institute, "s1", "c2", AUTHOR, DAY)
    mary = shown(school.institute, "s1")

    assert (mary.person, mary.active, mary.by_hand) == ("s1", True, "corrected")
    assert (mary.fields["given_name"], mary.fields["preferred_given_name"]) == ("Maria", "Mary")
    assert mary.delivered == {"preferred_given_name": None}
    assert [(row["class"], row["by_hand"]) for row in mary.classes] == [("c1", False), ("c2", True)]
    assert (mary.types[0]["grade"], mary.types[0]["by_hand"], mary.parents) == ("07", False, ["g1"])
    assert shown(school.institute, "g1").children == ["s1"]


def test_an_edit_writes_its_own_rows_and_no_others(school):
    before = counts()
    edit_person(school.institute, "s2", Typed({"phone": "210"}), AUTHOR)
    written = [after - earlier for earlier, after in zip(before, counts(), strict=True)]

    assert dict(zip(("trail", "deliveries", "people", *(table.name for table in TABLES)), written, strict=True)) == {
        **dict.fromkeys((table.name for table in TABLES), 0),
        "trail": 1,
        "deliveries": 1,
        "people": 1,
    }


def test_pages_count_people_as_they_count_and_show_deliveries_of_whole_registers_only(school):
    add_person(school.institute, Typed({"given_name": "Zoë"}, ["employee"]), AUTHOR)
    edit_person(school.institute, "s1", Typed({"stream": "Music"}), AUTHOR)

    assert people_by_type(school.institute) == [("employee", 1), ("parent", 1), ("student", 3), ("teacher", 1)]
    assert institutes()[0]["rows"]["people"] == len(USERS)


def elsewhere(act):
    """What an act returns in another thread, so with a connection of its own."""
    found = []

    def run():
        try:
            found.append(act())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    return found[0]


def test_whoever_reads_meanwhile_sees_the_register_before_the_edit_or_after_it(school):
    def seen():
        roster = read_roster(school.institute)
        return roster.people.height, roster.affiliations.height

    before = elsewhere(seen)
    with by_hand(school.institute, Frozen().now()) as edit:
        (person,) = edit.say("people", [{"sourced_id": "z1", "active": True, "given_name": "Zoë"}])
        assert elsewhere(seen) == before
        edit.say("affiliations", [{"person": person, "user_type": "student"}])
        assert elsewhere(seen) == before
    assert elsewhere(seen) == (before[0] + 1, before[1] + 1)


def test_an_edit_that_fails_leaves_nothing(school):
    def cut_off():
        with by_hand(school.institute, Frozen().now()) as edit:
            edit.say("people", [{"sourced_id": "z1", "active": True, "given_name": "Zoë"}])
            raise RuntimeError

    before = counts()
    with pytest.raises(RuntimeError):
        cut_off()
    assert counts() == before
    assert school.person("z1") is None


def test_edits_at_the_same_time_follow_one_another_and_none_is_lost(school):
    columns = ("phone", "email", "username", "middle_name")
    threads = [
        threading.Thread(
            target=elsewhere,
            args=(lambda name=name: edit_person(school.institute, "s2", Typed({name: "x"}), AUTHOR),),
        )
        for name in columns
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert [school.person("s2")[name] for name in columns] == ["x"] * 4
    assert sorted(Delivery.objects.filter(format="manual").values_list("number", flat=True)) == [1, 2, 3, 4]
