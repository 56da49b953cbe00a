"""First passwords while they wait, and handed over once: on slips, in a table, for a claim code; on both databases."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.db import connections
from pypdf import PdfReader
from tests.store.world import ACTOR, NOW, Frozen, a_school, a_tenant, deliver
from tests.world import School

from rollbook.acts import claims
from rollbook.acts import passwords as acts
from rollbook.acts.claims import Terms, make_codes, redeem
from rollbook.acts.passwords import Request, print_slips, waiting, write_table
from rollbook.acts.profiles import Author
from rollbook.errors import InputRefused
from rollbook.handover.codes import canonical
from rollbook.roster.selection import Wanted
from rollbook.store import passwords as stored
from rollbook.store import trail
from rollbook.store.models import (
    Change,
    ChangeDetail,
    ClaimAttempt,
    ClaimCode,
    Connection,
    Institute,
    Link,
    NameReservation,
    PersonRecord,
    ProfileVersion,
    Run,
    Secret,
    Tenant,
    Trail,
)
from rollbook.store.vault import Vault

NOT_GOOD = "not good, or not any more"


class Later(Frozen):
    """A clock that stands still at another moment."""

    def __init__(self, moment: dt.datetime) -> None:
        super().__init__()
        self.moment = moment

    def now(self) -> dt.datetime:
        return self.moment


def connected(institute: Institute) -> Tenant:
    """The institute's tenant, with a connection that is never used."""
    tenant = a_tenant(institute)
    credential = Secret.objects.create(
        tenant=tenant, purpose=Secret.Purpose.CREDENTIAL, key_id="k", ciphertext=b"x", made_at=NOW
    )
    Connection.objects.create(
        institute=institute,
        tenant=tenant,
        client_id="c",
        secret=credential,
        graph_url="http://graph.example",
        login_url="http://login.example",
        mark_property="m",
    )
    return tenant


def with_password(institute: Institute, tenant: Tenant, record: PersonRecord, text: str, **link: object) -> Link:
    """A linked person whose first password waits, under the name the account was promised."""
    columns = {"object_id": f"object-{record.entity}", "origin": "made", "mark": f"mark-{record.entity}", **link}
    linked = Link.objects.create(tenant=tenant, institute=institute, kind="user", subject=record.entity, **columns)
    name = f"{record.sourced_id}@school.example"
    NameReservation.objects.create(tenant=tenant, namespace="user", folded=name, link=linked)
    vault = Vault()
    Secret.objects.create(
        tenant=tenant,
        purpose=Secret.Purpose.FIRST_PASSWORD,
        link=linked,
        key_id=vault.key_id,
        ciphertext=vault.encrypt(text),
        made_at=NOW,
    )
    return linked


def world(school: School | None = None) -> Institute:
    """A delivered school in which everybody's first password waits: Secret-p1 for p1, and so on."""
    institute, _, _ = deliver(school or a_school())
    tenant = connected(institute)
    for record in PersonRecord.objects.order_by("pk"):
        with_password(institute, tenant, record, f"Secret-{record.sourced_id}")
    return institute


def request(institute: Institute, *people: str, **named: tuple[str, ...]) -> Request:
    return Request(institute, Wanted(people=people, **named), NOW.date(), Author(ACTOR, Frozen()))


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def codes_of(path: Path) -> dict[str, str]:
    return {row["sourced_id"]: row["code"] for row in rows(path)}


def first_passwords() -> int:
    return Secret.objects.filter(purpose="first_password").count()


def last_note() -> Trail:
    entry = Trail.objects.order_by("-pk").first()
    assert entry is not None
    assert trail.first_broken() is None
    return entry


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


def test_the_user_name_is_the_newest_one_known(store):
    institute = world(a_school(1))
    tenant, link = Tenant.objects.get(), Link.objects.order_by("pk")[0]
    run = Run.objects.create(
        tenant=tenant,
        institute=institute,
        profile_version=ProfileVersion.objects.get(),
        number=1,
        purpose=Run.Purpose.PASSWORDS,
        as_of=NOW.date(),
        fingerprint="f",
        actor="t",
        made_at=NOW,
    )
    Change.objects.create(run=run, seq=1, kind=36, subject=link.pk, cause=30)
    after = json.dumps({"user_principal_name": "Renamed@school.example"})
    ChangeDetail.objects.create(run=run, seq=1, subject=link.pk, after=after)
    other = Link.objects.order_by("pk")[1]

    names = stored.user_names(tenant, [link.pk, other.pk, 999_999])

    assert names == {link.pk: "Renamed@school.example", other.pk: "p2@school.example"}


def test_a_code_is_exchanged_once_for_user_name_and_password(store, tmp_path):
    institute = world()
    make_codes(request(institute), tmp_path / "codes.csv", Terms())
    codes = codes_of(tmp_path / "codes.csv")

    redeemed = redeem(codes["p3"].lower().replace("-", " "), ACTOR, Frozen())

    assert (redeemed.user_name, redeemed.password) == ("p3@school.example", "Secret-p3")
    assert "Secret" not in repr(redeemed)
    assert last_note().action == "passwords.claimed"
    assert last_note().content == {"links": [Link.objects.get(mark__endswith=_entity("p3")).pk]}
    assert first_passwords() == 3
    assert ClaimAttempt.objects.count() == 0
    with pytest.raises(InputRefused, match=NOT_GOOD):
        redeem(codes["p3"], ACTOR, Frozen())


def _entity(sourced_id: str) -> str:
    return str(PersonRecord.objects.get(sourced_id=sourced_id).entity)


def test_unknown_expired_used_and_impossible_codes_are_answered_alike(store, tmp_path):
    institute = world()
    make_codes(request(institute), tmp_path / "codes.csv", Terms(days=2))
    codes = codes_of(tmp_path / "codes.csv")
    redeem(codes["p1"], ACTOR, Frozen())

    said = set()
    after = Later(NOW + dt.timedelta(days=2))
    for code, clock in ((codes["p1"], Frozen()), (codes["p2"], after), ("BBBB-CCCC-DDDD", Frozen()), ("?", Frozen())):
        with pytest.raises(InputRefused) as refused:
            redeem(code, ACTOR, clock)
        said.add((refused.value.message, refused.value.remedy))

    assert len(said) == 1
    assert first_passwords() == 3


def test_nothing_that_is_stored_tells_a_code(store, tmp_path):
    institute = world()
    make_codes(request(institute), tmp_path / "codes.csv", Terms())

    kept = {claim.digest for claim in ClaimCode.objects.all()}

    for code in codes_of(tmp_path / "codes.csv").values():
        assert canonical(code) not in kept
        assert Vault().digests(canonical(code) or "")[0] in kept
        assert not set(Vault([Fernet.generate_key().decode()]).digests(canonical(code) or "")) & kept


def test_codes_outlive_a_rotation_of_keys(store, tmp_path, monkeypatch):
    institute = world()
    make_codes(request(institute), tmp_path / "codes.csv", Terms())
    kept, new = Vault()._keys, Fernet.generate_key().decode()
    monkeypatch.setenv("ROLLBOOK_ENCRYPTION_KEYS", ",".join([new, *kept]))

    assert redeem(codes_of(tmp_path / "codes.csv")["p2"], ACTOR, Frozen()).password == "Secret-p2"


def test_new_codes_void_the_earlier_ones_and_slips_void_both(store, tmp_path):
    institute = world()
    make_codes(request(institute), tmp_path / "first.csv", Terms())
    make_codes(request(institute, "p2"), tmp_path / "second.csv", Terms())
    first, second = codes_of(tmp_path / "first.csv"), codes_of(tmp_path / "second.csv")

    with pytest.raises(InputRefused, match=NOT_GOOD):
        redeem(first["p2"], ACTOR, Frozen())
    print_slips(request(institute, "p3"), tmp_path / "slips.pdf")
    with pytest.raises(InputRefused, match=NOT_GOOD):
        redeem(first["p3"], ACTOR, Frozen())
    assert redeem(second["p2"], ACTOR, Frozen()).password == "Secret-p2"
    assert redeem(first["p4"], ACTOR, Frozen()).password == "Secret-p4"


def test_codes_on_paper_say_until_when_and_the_list_does_too(store, tmp_path):
    institute = world()

    make_codes(request(institute), tmp_path / "codes.PDF", Terms(days=10, where="at the library"))

    text = "".join(page.extract_text() for page in PdfReader(tmp_path / "codes.PDF").pages)
    assert "at the library" in text
    assert "until 2026-10-11" in text
    assert "Secret-" not in text
    assert {each.claimable_until for each in waiting(request(institute))} == {NOW + dt.timedelta(days=10)}
    assert last_note().action == "passwords.codes_made"


@pytest.mark.parametrize("days", [0, -1, 366])
def test_a_validity_that_makes_no_sense_is_refused(days):
    with pytest.raises(InputRefused, match="1 to 365"):
        Terms(days=days)


def test_codes_are_for_a_pdf_or_a_csv_file(store, tmp_path):
    with pytest.raises(InputRefused, match="neither"):
        make_codes(request(world()), tmp_path / "codes.txt", Terms())


def test_guessing_one_beginning_ends_after_a_few_and_goes_on_after_an_hour(store, tmp_path):
    institute = world()
    make_codes(request(institute), tmp_path / "codes.csv", Terms())
    good = codes_of(tmp_path / "codes.csv")["p2"]
    wrong = f"{good[:5]}BBBB-BBBB"
    for _ in range(claims.PER_BEGINNING):
        with pytest.raises(InputRefused, match=NOT_GOOD):
            redeem(wrong, ACTOR, Frozen())

    for _ in range(3):
        with pytest.raises(InputRefused, match="too many"):
            redeem(good, ACTOR, Frozen())

    assert ClaimAttempt.objects.count() == claims.PER_BEGINNING
    assert redeem(good, ACTOR, Later(NOW + dt.timedelta(hours=1, seconds=1))).password == "Secret-p2"
    assert ClaimAttempt.objects.count() == 0


def test_guessing_at_random_ends_for_everybody_until_the_minute_is_over(store, tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "PER_MINUTE", 4)
    institute = world()
    make_codes(request(institute), tmp_path / "codes.csv", Terms())
    good = codes_of(tmp_path / "codes.csv")["p2"]
    for letters in ("BBBB", "CCCC", "DDDD", "FFFF"):
        with pytest.raises(InputRefused, match=NOT_GOOD):
            redeem(f"{letters}-GGGG-HHHH", ACTOR, Frozen())

    with pytest.raises(InputRefused, match="too many"):
        redeem(good, ACTOR, Frozen())

    assert redeem(good, ACTOR, Later(NOW + dt.timedelta(seconds=61))).password == "Secret-p2"


def test_a_wrong_beginning_is_not_stored_as_it_was_typed(store):
    with pytest.raises(InputRefused):
        redeem("KFTM-HRXQ-PDBN", ACTOR, Frozen())

    assert "KFTM" not in ClaimAttempt.objects.get().beginning


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


def test_of_many_who_type_one_code_at_once_one_gets_the_password(store, tmp_path):
    institute = world()
    make_codes(request(institute), tmp_path / "codes.csv", Terms())
    code = codes_of(tmp_path / "codes.csv")["p2"]

    def attempt(_: int) -> str:
        try:
            return redeem(code, ACTOR, Frozen()).password
        except InputRefused:
            return ""
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(attempt, range(4)))

    assert sorted(got) == ["", "", "", "Secret-p2"]
    assert first_passwords() == 3
