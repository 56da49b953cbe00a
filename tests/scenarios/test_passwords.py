"""First passwords: handed over once, as slips, as a table or by a claim code; and new ones, for a person or a class."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from pypdf import PdfReader
from tests.scenarios.stage import Stage, proves

from rollbook.acts import claims, new_passwords, passwords
from rollbook.acts.claims import Terms
from rollbook.acts.passwords import Request
from rollbook.errors import InputRefused
from rollbook.roster.selection import Wanted

CLASS = Wanted(classes=("7A",))


def a_class(stage: Stage) -> None:
    """A class of two students and their teacher, all with new accounts."""
    stage.school.klass("7A", teachers=["Nikos Vasilakis"], students=["Maria Papadaki", "Jan Kowalski"])
    stage.synchronise()


def asked(stage: Stage, wanted: Wanted) -> Request:
    """Somebody of the school asks for the passwords of these people."""
    return Request(stage.institute(), wanted, stage.today, stage.author)


def waiting(stage: Stage) -> set[str]:
    """Who has a password that was not handed over yet."""
    return {each.name for each in passwords.waiting(asked(stage, Wanted()))}


def rows(path: Path) -> dict[str, dict[str, str]]:
    """A table that was handed over, by the names in it."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def works(stage: Stage, name: str, password: str) -> bool:
    """Whether this is the password of the account at Microsoft."""
    return stage.tenant.password(name) == password


@proves("P48c")
def test_a_class_is_handed_slips_once_and_the_passwords_on_them_work(stage: Stage, tmp_path: Path):
    a_class(stage)

    passwords.print_slips(asked(stage, CLASS), tmp_path / "7a.pdf")

    printed = "".join(page.extract_text() for page in PdfReader(tmp_path / "7a.pdf").pages)
    for name in ("Maria Papadaki", "Jan Kowalski"):
        assert stage.tenant.password(name) in printed
        assert stage.tenant.account(name).user_name in printed
    assert stage.tenant.password("Nikos Vasilakis") not in printed
    assert waiting(stage) == {"Nikos Vasilakis"}
    with pytest.raises(InputRefused, match="Nobody who is meant has a password waiting"):
        passwords.print_slips(asked(stage, CLASS), tmp_path / "again.pdf")


@proves("P48c")
def test_a_table_of_everybody_is_written_once_and_the_passwords_in_it_work(stage: Stage, tmp_path: Path):
    a_class(stage)

    passwords.write_table(asked(stage, Wanted()), tmp_path / "all.csv")

    table = rows(tmp_path / "all.csv")
    assert set(table) == {"Maria Papadaki", "Jan Kowalski", "Nikos Vasilakis"}
    assert all(works(stage, name, row["password"]) for name, row in table.items())
    assert waiting(stage) == set()
    with pytest.raises(InputRefused, match="Nobody"):
        passwords.write_table(asked(stage, Wanted()), tmp_path / "again.csv")


@proves("P48c")
def test_a_claim_code_is_exchanged_once_for_user_name_and_password(stage: Stage, tmp_path: Path):
    a_class(stage)
    claims.make_codes(asked(stage, CLASS), tmp_path / "codes.csv", Terms())
    code = rows(tmp_path / "codes.csv")["Maria Papadaki"]["code"]

    got = claims.redeem(code, stage.author.actor, stage.author.clock)

    assert got.user_name == stage.tenant.account("Maria Papadaki").user_name
    assert works(stage, "Maria Papadaki", got.password)
    assert waiting(stage) == {"Jan Kowalski", "Nikos Vasilakis"}
    with pytest.raises(InputRefused, match="not good, or not any more"):
        claims.redeem(code, stage.author.actor, stage.author.clock)


@proves("P48c")
def test_a_claim_code_ends_after_its_days_and_the_password_goes_on_waiting(stage: Stage, tmp_path: Path):
    a_class(stage)
    claims.make_codes(asked(stage, CLASS), tmp_path / "codes.csv", Terms(days=14))
    code = rows(tmp_path / "codes.csv")["Maria Papadaki"]["code"]
    stage.on("2026-10-16")

    with pytest.raises(InputRefused, match="not good, or not any more"):
        claims.redeem(code, stage.author.actor, stage.author.clock)

    assert "Maria Papadaki" in waiting(stage)


def given_new(stage: Stage, wanted: Wanted) -> None:
    """Somebody asks for new passwords, and agrees to the plan that is shown."""
    with stage.opened() as session:
        run = new_passwords.propose(session, wanted)
        new_passwords.carry_out(session, run, run.fingerprint)


@proves("P48d")
@pytest.mark.parametrize(
    ("wanted", "whose"),
    [(CLASS, {"Maria Papadaki", "Jan Kowalski"}), (Wanted(people=("p2",)), {"Maria Papadaki"})],
    ids=["a class", "one person"],
)
def test_a_class_or_a_person_gets_new_passwords_which_wait_to_be_handed_over(
    stage: Stage, tmp_path: Path, wanted: Wanted, whose: set[str]
):
    a_class(stage)
    passwords.write_table(asked(stage, Wanted()), tmp_path / "first.csv")
    first = rows(tmp_path / "first.csv")

    given_new(stage.on("2026-11-02"), wanted)

    assert waiting(stage) == whose
    passwords.write_table(asked(stage, wanted), tmp_path / "second.csv")
    second = rows(tmp_path / "second.csv")
    assert all(works(stage, name, second[name]["password"]) for name in whose)
    assert {name for name in first if works(stage, name, first[name]["password"])} == first.keys() - whose


@proves("P48d", "P49b")
def test_an_administrators_account_gets_no_new_password(stage: Stage):
    a_class(stage)
    before = stage.tenant.password("Nikos Vasilakis")
    stage.tenant.control("role", principal=stage.tenant.account("Nikos Vasilakis").object_id)

    given_new(stage, Wanted(people=("p1",)))

    assert works(stage, "Nikos Vasilakis", before)
