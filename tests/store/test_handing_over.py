"""First passwords while they wait, and handed over on slips or in a table; on both databases."""

from __future__ import annotations

import json

import pytest
from pypdf import PdfReader
from tests.store.waiting_world import first_passwords, last_note, request, rows, world
from tests.store.world import ACTOR, NOW, a_school, deliver

from rollbook.acts import passwords as acts
from rollbook.acts.passwords import print_slips, waiting, write_table
from rollbook.errors import InputRefused
from rollbook.store import passwords as stored
from rollbook.store.models import (
    Account,
    Institute,
    Link,
    PersonRecord,
    ProfileVersion,
    Secret,
    Tenant,
)


def test_who_waits_is_listed_by_class_and_name_and_nothing_of_it_is_secret(store):
    institute = world()

    listed = waiting(request(institute))

    assert [(each.section, each.name, each.person) for each in listed] == [
        ("7A Maths", "Pupil No0", "p2"),
        ("7A Maths", "Pupil No1", "p3"),
        ("7A Maths", "Pupil No2", "p4"),
        ("Teachers and staff", "Nikos Vasilakis", "p1"),
    ]
    assert {each.since for each in listed} == {NOW}
    assert "Secret-" not in repr(listed)
    assert [each.person for each in waiting(request(institute, classes=("7A Maths",)))] == ["p2", "p3", "p4"]


def test_a_password_whose_account_was_never_made_does_not_wait(store):
    institute = world()
    Link.objects.filter(mark__endswith=str(PersonRecord.objects.get(sourced_id="p2").entity)).update(object_id=None)

    assert "p2" not in [each.person for each in waiting(request(institute))]


def test_another_institutes_passwords_are_none_of_ours(store):
    institute = world()
    other = Institute.objects.create(organisation=institute.organisation, sourced_id="other", name="Other")
    Link.objects.filter(subject=PersonRecord.objects.get(sourced_id="p3").entity).update(institute=other)

    assert [each.person for each in waiting(request(institute))] == ["p2", "p4", "p1"]


def test_somebody_who_left_the_register_is_listed_as_such(store):
    school = a_school()
    institute = world(school)
    del school.people["Pupil No2"]
    school.types[:] = [row for row in school.types if row["person"] != 4]
    school.enrolments[:] = [row for row in school.enrolments if row["person"] != 4]
    deliver(school, accepted=True)

    assert {each.person: each.section for each in waiting(request(institute))}["p4"] == acts.DEPARTED


def test_slips_hold_the_passwords_of_those_who_were_named_and_of_nobody_else(store, tmp_path):
    institute = world()
    path = tmp_path / "slips.pdf"

    handed = print_slips(request(institute, classes=("7A Maths",)), path)

    text = "".join(page.extract_text() for page in PdfReader(path).pages)
    assert [f"Secret-p{n}" in text for n in (1, 2, 3, 4)] == [False, True, True, True]
    assert "p2@school.example" in text
    assert (handed.count, handed.sections) == (3, 1)
    assert [each.person for each in waiting(request(institute))] == ["p1"]
    assert first_passwords() == 1


def test_the_trail_says_which_links_were_handed_over_how_and_nothing_personal(store, tmp_path):
    institute = world()

    write_table(request(institute), tmp_path / "all.csv")

    entry = last_note()
    assert (entry.action, entry.actor) == ("passwords.handed_over", ACTOR.name)
    assert entry.content["way"] == "table"
    assert sorted(entry.content["links"]) == sorted(Link.objects.values_list("pk", flat=True))
    assert not any(word in json.dumps(entry.content) for word in ("Pupil", "p2", "Secret", "school.example"))


def test_a_table_says_who_where_and_what_and_is_made_once(store, tmp_path):
    institute = world(a_school(1))

    write_table(request(institute), tmp_path / "all.csv")

    assert rows(tmp_path / "all.csv") == [
        {
            "sourced_id": "p2",
            "name": "Pupil No0",
            "class": "7A Maths",
            "user_name": "p2@school.example",
            "password": "Secret-p2",
        },
        {
            "sourced_id": "p1",
            "name": "Nikos Vasilakis",
            "class": "Teachers and staff",
            "user_name": "p1@school.example",
            "password": "Secret-p1",
        },
    ]
    with pytest.raises(InputRefused, match="Nobody who is meant"):
        write_table(request(institute), tmp_path / "again.csv")
    assert not (tmp_path / "again.csv").exists()


def test_a_file_that_cannot_be_written_costs_no_password(store, tmp_path):
    institute = world()

    with pytest.raises(InputRefused, match="cannot be written"):
        write_table(request(institute), tmp_path / "missing" / "all.csv")

    assert first_passwords() == 4


def test_a_password_that_was_handed_over_meanwhile_stops_the_whole_file(store, tmp_path, monkeypatch):
    institute = world()
    forget = stored.forget

    def overtaken(secrets):
        forget(secrets[:1])
        return forget(secrets)

    monkeypatch.setattr(stored, "forget", overtaken)

    with pytest.raises(InputRefused, match="nothing was handed over here"):
        write_table(request(institute), tmp_path / "all.csv")

    assert list(tmp_path.glob("*.csv")) == []
    assert first_passwords() == 4


def test_a_person_in_several_classes_is_on_one_slip(store, tmp_path):
    school = a_school().klass("7B Art", students=["Pupil No0", "New Pupil"])
    institute = world(school)

    handed = print_slips(request(institute), tmp_path / "slips.pdf")

    text = "".join(page.extract_text() for page in PdfReader(tmp_path / "slips.pdf").pages)
    assert text.count("Secret-p2") == 1
    assert (handed.count, handed.sections) == (5, 3)


def test_names_stand_on_slips_as_they_are_written_and_in_latin_letters(store, tmp_path):
    school = a_school(1)
    school.people["Pupil No0"] |= {"given_name": "Μαρία", "family_name": "Παπαδάκη"}
    institute = world(school)
    version = ProfileVersion.objects.get()
    version.document["users"]["names"]["language"] = "greek"
    version.save()

    print_slips(request(institute), tmp_path / "slips.pdf")

    text = "".join(page.extract_text() for page in PdfReader(tmp_path / "slips.pdf").pages)
    assert "Μαρία Παπαδάκη" in text
    assert "Maria Papadaki" in text


def test_a_name_that_cannot_be_drawn_is_told_and_its_password_is_handed_over(store, tmp_path):
    school = a_school(1)
    school.people["Pupil No0"] |= {"given_name": "བསྟན་འཛིན", "family_name": None}
    institute = world(school)

    handed = print_slips(request(institute), tmp_path / "slips.pdf")

    assert [each.scripts for each in handed.undrawable] == [("Tibetan",)]
    assert first_passwords() == 0


def test_a_password_that_is_being_set_is_not_handed_over(store, tmp_path):
    institute = world(a_school(1))
    link = Link.objects.get(subject=PersonRecord.objects.get(sourced_id="p2").entity)
    Secret.objects.create(
        tenant=link.tenant, purpose="next_password", link=link, key_id="k", ciphertext=b"x", made_at=NOW
    )

    handed = write_table(request(institute), tmp_path / "all.csv")

    assert [row["sourced_id"] for row in rows(tmp_path / "all.csv")] == ["p1"]
    assert handed.left_out == (
        "Pupil No0 (p2) is left out: a new password is being set; `rollbook sync` finishes that.",
    )


def test_where_people_sign_in_follows_from_the_cloud_and_an_emulated_tenant_has_its_own(store):
    connection = world().connections.get()

    assert acts.sign_in(connection) == "http://login.example"
    connection.tenant.emulated = False
    assert acts.sign_in(connection) == "www.office.com"


def test_the_user_name_is_the_one_last_seen_else_the_one_that_was_promised(store):
    world(a_school(1))
    tenant, (link, other) = Tenant.objects.get(), Link.objects.order_by("pk")[:2]
    seen = {"user_principal_name": "Renamed@school.example", "account_enabled": True, "seen_at": NOW}
    Account.objects.create(tenant=tenant, link=link, object_id="o1", **seen)

    names = stored.user_names(tenant, [link.pk, other.pk, 999_999])

    assert names == {link.pk: "Renamed@school.example", other.pk: "p2@school.example"}


def test_many_people_are_handed_over_in_a_few_statements(store, tmp_path, django_queries):
    institute = world(a_school(30))

    with django_queries() as few:
        write_table(request(institute, "p2", "p3"), tmp_path / "few.csv")
    with django_queries() as many:
        write_table(request(institute), tmp_path / "many.csv")

    assert len(rows(tmp_path / "many.csv")) == 29
    assert len(many) == len(few)


@pytest.fixture
def django_queries():
    """Counts the statements that a block sends to the database."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    return lambda: CaptureQueriesContext(connection)
