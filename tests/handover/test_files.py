"""Tables, claim codes, and files that hold secrets."""

from __future__ import annotations

import csv
import io
import stat

import pytest

from rollbook.errors import InputRefused
from rollbook.handover.codes import LENGTH, LETTERS, beginning, canonical, claim_code
from rollbook.handover.file import draft
from rollbook.handover.table import defused, table


@pytest.mark.parametrize(
    "cell", ["=1+1", "+49", "-Anna", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "＋1", "－1", "＠x"]
)
def test_a_cell_that_a_spreadsheet_would_calculate_is_defused(cell):
    assert defused(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["Anna-Maria", "Kabo-fobe-9466", "o'brien@school.example", "", "Ω=1"])
def test_other_cells_are_as_they_are(cell):
    assert defused(cell) == cell


def test_a_table_is_read_back_as_it_was_in_any_alphabet():
    rows = [("p1", 'Μαρία "M", Παπαδάκη', "7A;B"), ("p2", "王小明", "line\nbreak")]

    content = table(("id", "name", "class"), rows)

    assert content.startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert read == [["id", "name", "class"], *map(list, rows)]


def test_codes_are_all_different_and_have_only_letters_that_are_not_mistaken():
    codes = {claim_code() for _ in range(1_000)}

    assert len(codes) == 1_000
    assert set("".join(codes)) == set(LETTERS) | {"-"}
    assert not set(LETTERS) & set("AEIOU01L")
    assert all(len(canonical(code) or "") == LENGTH for code in codes)


def test_a_code_is_known_however_it_is_typed():
    assert canonical(" kftm hrxq–pdbn ") == canonical("KFTM-HRXQ-PDBN") == "KFTMHRXQPDBN"
    assert beginning("KFTMHRXQPDBN") == "KFTM"


@pytest.mark.parametrize(
    "typed", ["", "KFTM-HRXQ-PDB", "KFTM-HRXQ-PDBNN", "KFTM-HRXQ-PDBA", "КFTM-HRXQ-PDBN", "ß" * 12]
)
def test_what_cannot_be_a_code_is_none(typed):
    assert canonical(typed) is None
    assert beginning(canonical(typed)) == ""


def test_a_file_is_there_whole_and_for_its_owner_only(tmp_path):
    path = tmp_path / "slips.pdf"

    written = draft(path, b"secret")
    assert not path.exists()
    written.publish()

    assert path.read_bytes() == b"secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_never_takes_the_place_of_another(tmp_path):
    path = tmp_path / "slips.pdf"
    late = draft(path, b"mine")
    path.write_bytes(b"theirs")

    with pytest.raises(InputRefused, match="already"):
        draft(path, b"mine")
    with pytest.raises(InputRefused, match="already"):
        late.publish()

    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_where_the_folder_has_no_hard_links_a_file_is_still_whole_and_takes_no_ones_place(tmp_path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    path = tmp_path / "slips.pdf"
    second = draft(path, b"second")

    draft(tmp_path / "other.pdf", b"other").publish()
    second.publish()
    assert path.read_bytes() == b"second"

    (tmp_path / "late.pdf").write_bytes(b"theirs")
    with pytest.raises(InputRefused, match="already"):
        draft(tmp_path / "late.pdf", b"mine")


def test_a_folder_that_is_not_there_is_said_as_such(tmp_path):
    (tmp_path / "file").write_bytes(b"")

    for folder in ("missing", "file"):
        with pytest.raises(InputRefused, match="cannot be written"):
            draft(tmp_path / folder / "slips.pdf", b"secret")
