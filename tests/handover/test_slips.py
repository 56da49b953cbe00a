"""What stands on a slip: names in any alphabet, nothing invisible, nothing silently lost."""

from __future__ import annotations

import datetime as dt
import io
import re

import pytest
from pypdf import PdfReader

from rollbook.handover import slip as slips
from rollbook.handover.faces import FILES, face, faces_for, missing, scripts
from rollbook.handover.sheet import Paper, sheet
from rollbook.handover.slip import Section, Slip

DAY = dt.date(2026, 9, 1)
WORDING = slips.passwords("www.office.com", DAY)

ALPHABETS = {
    "Maria Núñez-Łukasz": "Noto Sans",
    "Μαρία Παπαδοπούλου": "Noto Sans",
    "Дмитрий Щукин": "Noto Sans",
    "Nguyễn Thị Ánh": "Noto Sans",
    "محمد عبد الله": "Noto Sans Arabic",
    "יעל כהן-לוי": "Noto Sans Hebrew",
    "नरेन्द्र सिंह": "Noto Sans Devanagari",
    "রবীন্দ্রনাথ": "Noto Sans Bengali",
    "சுப்பிரமணியன்": "Noto Sans Tamil",
    "สมชาย ใจดี": "Noto Sans Thai",
    "Անի Հակոբյան": "Noto Sans Armenian",
    "გიორგი ბერიძე": "Noto Sans Georgian",
    "አበበ በቀለ": "Noto Sans Ethiopic",
    "王小明": "Noto Sans CJK",
    "김철수": "Noto Sans CJK",
    "佐藤 はなこ": "Noto Sans CJK",
}
TIBETAN = "བསྟན་འཛིན"


def a_slip(name: str, number: int = 1, latin: str = "") -> Slip:
    return Slip(f"p{number}", name, latin, f"person{number}@school.example", f"Kabo-fobe-{number:04}")


def a_section(*names: str, title: str = "7A Maths") -> Section:
    return Section(title, "The School", tuple(a_slip(name, number) for number, name in enumerate(names, start=1)))


def pages(content: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


def fonts(content: bytes) -> set[str]:
    found = set()
    for page in PdfReader(io.BytesIO(content)).pages:
        for font in page["/Resources"]["/Font"].values():
            base = font.get_object()["/BaseFont"]
            embedded = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
            assert {"/FontFile2", "/FontFile3"} & set(embedded), f"{base} is not embedded"
            found.add(re.sub(r"^/[A-Z]+\+", "", base))
    return found


@pytest.mark.parametrize(("name", "expected"), ALPHABETS.items())
def test_a_name_is_drawn_in_the_one_typeface_that_has_all_of_it(name, expected):
    assert [each.name for each in faces_for(name)] == [expected]
    assert missing(name) == ""


def test_a_name_in_several_alphabets_takes_as_many_typefaces_as_it_needs():
    assert [each.name for each in faces_for("محمد Smith 王")] == ["Noto Sans", "Noto Sans Arabic", "Noto Sans CJK"]
    assert missing("محمد Smith 王") == ""


def test_every_typeface_is_installed_with_its_package():
    assert all(face(name).file.is_file() and face(name).letters for name in FILES)


def test_a_letter_no_typeface_has_is_told_with_its_script_and_never_becomes_a_box():
    section = Section("7A", "The School", (a_slip(TIBETAN, latin="Tenzin"), a_slip("Maria", 2)))

    (drawn,), told = slips.drawable([section])

    assert [slip.name for slip in drawn.slips] == ["Tenzin", "Maria"]
    assert [(each.what, each.scripts) for each in told] == [(f"{TIBETAN} (p1)", ("Tibetan",))]
    assert not any(missing(slip.name) for slip in drawn.slips)


def test_a_picture_in_a_name_or_a_title_is_told_and_left_out():
    (drawn,), told = slips.drawable([a_section("Anna 😀", title="7A 🎈")])

    assert (drawn.title, drawn.slips[0].name) == ("7A ", "Anna ")
    assert len(told) == 2
    assert scripts("😀") == ["Common"]


def test_what_is_written_holds_nothing_that_turns_or_breaks_a_line():
    assert slips.written("Ma\u202eria\n Pa\u0000pa\u200bdaki\t ") == "Maria Papadaki"
    assert slips.written("e\u0301") == "é"
    assert slips.written("علی\u200cرضا") == "علی\u200cرضا"


def test_latin_letters_are_added_only_where_the_name_is_in_others():
    assert slips.in_latin_letters("Zoë O’Brien-Łukasz 2")
    assert not slips.in_latin_letters("Μαρία")
    assert not slips.in_latin_letters("Anna 김")


def test_people_are_sorted_without_their_accents():
    names = ["Żak", "Łoś", "Lis", "Άννα", "Αγγελική", "Zając", "Ångström"]

    assert sorted(names, key=slips.sorting) == ["Ångström", "Lis", "Łoś", "Zając", "Żak", "Αγγελική", "Άννα"]


def test_a_slip_says_name_user_name_password_school_and_what_to_do():
    section = Section("7A Maths", "The School", (a_slip("Μαρία Παπαδάκη", 7, latin="Maria Papadaki"),))

    (text,) = pages(sheet([section], WORDING))

    for expected in (
        "7A Maths",
        "1 slip, printed 2026-09-01",
        "Μαρία Παπαδάκη",
        "Maria Papadaki",
        "person7@school.example",
        "Kabo-fobe-0007",
        "The School",
        "Sign in at www.office.com",
        "You will be asked to choose a password of your own.",
    ):
        assert expected in text


def test_each_class_begins_on_a_new_page_and_a_large_one_takes_several():
    texts = pages(sheet([a_section(*["Anna"] * 11), a_section("Jan", title="7B Art")], WORDING))

    assert len(texts) == 3
    assert ["page 1 of 2" in texts[0], "page 2 of 2" in texts[1], "7B Art" in texts[2]] == [True] * 3
    assert [text.count("First password") for text in texts] == [10, 1, 1]


def test_american_paper_holds_fewer_slips():
    content = sheet([a_section(*["Anna"] * 10)], WORDING, Paper.LETTER)

    assert [text.count("First password") for text in pages(content)] == [8, 2]


def test_every_password_is_on_paper_in_a_monospaced_face_whatever_the_names_are():
    content = sheet([a_section(*ALPHABETS, "Anna 김 محمد", TIBETAN, "x" * 300, "y " * 150)], WORDING)

    text = "".join(pages(content))
    assert all(f"Kabo-fobe-{number:04}" in text for number in range(1, len(ALPHABETS) + 5))
    assert "IBMPlexMonoSemiBold" in fonts(content)
    assert any(name.startswith("NotoSansCJK") for name in fonts(content))


def test_a_long_name_is_made_smaller_then_two_lines_and_says_where_it_was_cut():
    (text,) = pages(sheet([a_section("Maria-Magdalena Konstantina von Hohenzollern", "Anna " * 60)], WORDING))

    assert "Maria-Magdalena Konstantina von Hohenzollern" in text
    assert "Anna..." in text


def test_a_claim_code_has_its_own_words_and_where_it_is_exchanged_cannot_break_the_slip():
    wording = slips.claim_codes("at the\noffice", dt.date(2026, 10, 1), DAY)

    (text,) = pages(sheet([a_section("Anna")], wording))

    assert "Claim code" in text
    assert "Exchange this code for your first password at the office." in text
    assert "until 2026-10-01" in text
