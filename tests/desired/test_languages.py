"""Names in Latin letters as their language writes them."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.world import School, desire

from rollbook.desired.languages import LANGUAGES, latin
from rollbook.profiles import parse, suggested
from rollbook.profiles.users import UserNames


@pytest.mark.parametrize(
    ("language", "name", "said"),
    [
        ("german", "Jörg Müßig", "Joerg Muessig"),
        ("german", "Ärmel", "Aermel"),
        ("german", "ÖZDEMIR", "OeZDEMIR"),
        ("any", "Jörg Müßig", "Jorg Mussig"),
        ("nordic", "Åsa Sørensen", "Aasa Soerensen"),
        ("nordic", "Þórður", "Thordur"),
        ("greek", "Παπαδόπουλος", "Papadopoulos"),
        ("greek", "Ευαγγελία Μπαλτά", "Evangelia Balta"),
        ("greek", "Ελευθερία Καραϊσκάκη", "Eleftheria Karaiskaki"),
        ("greek", "Χρήστος Ψαράς", "Christos Psaras"),
        ("greek", "Λάμπρος", "Lampros"),
        ("greek", "Ταΰγετος", "Taygetos"),
        ("greek", "Anna-Μαρία", "Anna-Maria"),
        ("greek", "Иван", "Ivan"),
    ],
)
def test_names(language, name, said):
    assert latin(name, language) == said


@given(st.sampled_from(sorted(LANGUAGES)), st.text(max_size=40))
def test_whatever_comes_the_result_is_ascii_and_ascii_stays(language, name):
    assert latin(name, language).isascii()
    if name.isascii():
        assert latin(name, language) == name


def test_the_profile_offers_exactly_the_languages_there_are():
    assert set(get_args(UserNames.model_fields["language"].annotation)) == set(LANGUAGES)


def test_user_names_follow_the_profiles_language():
    school = School().klass("7A", teachers=["Αύγουστος Παπαδόπουλος"])
    document = suggested().model_dump(mode="json")
    document["users"]["names"]["language"] = "greek"

    assert desire(school, profile=parse(document)).user_names["base"].to_list() == ["avgoustos.papadopoulos"]
