"""Claim codes: exchanged once, told apart by nobody, guessed by nobody; on both databases."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.fernet import Fernet
from django.db import connections
from pypdf import PdfReader
from tests.store.waiting_world import Later, codes_of, first_passwords, last_note, request, world
from tests.store.world import ACTOR, NOW, Frozen

from rollbook.acts import claims
from rollbook.acts.claims import Terms, make_codes, redeem
from rollbook.acts.passwords import print_slips, waiting
from rollbook.errors import InputRefused
from rollbook.handover.codes import canonical
from rollbook.store.models import (
    ClaimAttempt,
    ClaimCode,
    Link,
    PersonRecord,
)
from rollbook.store.vault import Vault

NOT_GOOD = "not good, or not any more"


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
