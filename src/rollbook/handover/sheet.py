"""Slips on paper: a PDF with a section for each class, to be cut along the dashed lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fpdf import FPDF
from fpdf.enums import Align, XPos, YPos

from rollbook.handover.faces import MONO, MONOSPACED, SANS, face, faces_for, path_of
from rollbook.handover.slip import Section, Slip, Wording

MARGIN, HEADING, COLUMNS, SLIP_HEIGHT, PADDING = 10.0, 13.5, 2, 52.5, 5.0
"""Millimetres (but for the columns): around the page, of the heading, of a slip, inside a slip."""

INK, SOFT, LINE = 20, 95, 150
"""Grey values of text, of what is beside it, of the lines to cut along."""

ELLIPSIS = "..."
TWO_LINES = 0.56
"""Of the height of one line, what each of two small ones takes."""


class Paper(StrEnum):
    """Sizes of paper."""

    A4 = "A4"
    LETTER = "letter"


@dataclass(frozen=True, slots=True)
class Style:
    """How one line of a slip is set: points at most and at least, the height of its line in millimetres, grey."""

    largest: float
    smallest: float
    height: float
    grey: int = INK
    mono: bool = False


TITLE = Style(16, 9, 7)
BESIDE = Style(9, 6, 4.5, SOFT)
"""The lines of a heading."""

NAME = Style(15, 8.5, 7)
LATIN = Style(10, 7, 4.6, SOFT)
LABEL = Style(6.5, 6.5, 3.2, SOFT)
USER_NAME = Style(11, 7, 5.2, mono=True)
SECRET = Style(17, 9, 7.6, mono=True)
NOTE = Style(7, 5.5, 3.4, SOFT)
"""The lines of a slip, from top to bottom."""


def sheet(sections: Iterable[Section], wording: Wording, paper: Paper = Paper.A4) -> bytes:
    """The PDF. Every section begins on a new page; every page says which class and which page of it this is."""
    pdf = _Sheet(wording, paper)
    for section in sections:
        pdf.section(section)
    return bytes(pdf.output())


class _Sheet(FPDF):
    """A document in the making; `section` adds the pages of one class."""

    def __init__(self, wording: Wording, paper: Paper) -> None:
        super().__init__(format=paper.value)
        self._wording = wording
        self._loaded: set[str] = set()
        self.set_auto_page_break(auto=False)
        self.set_margin(0)
        self.c_margin = 0
        self.alias_nb_pages("")
        self.set_creation_date(dt.datetime.combine(wording.made, dt.time(), dt.UTC))
        self.set_title(wording.secret + "s")
        self.add_font(MONO, fname=path_of(*MONOSPACED))
        self._load(SANS)
        self._rows = int((self.h - 2 * MARGIN - HEADING) // SLIP_HEIGHT)
        self._width = (self.w - 2 * MARGIN) / COLUMNS

    def section(self, section: Section) -> None:
        """All slips of one class, as many pages as it takes."""
        size = self._rows * COLUMNS
        pages = [section.slips[start : start + size] for start in range(0, len(section.slips), size)]
        for number, slips in enumerate(pages, start=1):
            self.add_page()
            self._heading(section, number, len(pages))
            self._cut_lines(len(slips))
            for place, slip in enumerate(slips):
                row, column = divmod(place, COLUMNS)
                self._slip(slip, section.school, MARGIN + column * self._width, MARGIN + HEADING + row * SLIP_HEIGHT)

    def _heading(self, section: Section, page: int, pages: int) -> None:
        width, half = self.w - 2 * MARGIN, self.w / 2 - MARGIN
        part = f", page {page} of {pages}" if pages > 1 else ""
        slips = "1 slip" if len(section.slips) == 1 else f"{len(section.slips)} slips"
        told = f"{slips}{part}, printed {self._wording.made.isoformat()}"
        self._line(section.title, TITLE, MARGIN, MARGIN - 1, width)
        # Apart from each other, because a school's name may be written from right to left.
        self._line(told, BESIDE, MARGIN, MARGIN + 6, half)
        self._line(section.school, BESIDE, MARGIN + half, MARGIN + 6, half, Align.R)

    def _cut_lines(self, count: int) -> None:
        """Dashed lines around the slips of a page; an unused row at its end has none."""
        rows = -(-count // COLUMNS)
        left, right, top = MARGIN, self.w - MARGIN, MARGIN + HEADING
        bottom = top + rows * SLIP_HEIGHT
        self.set_draw_color(LINE)
        self.set_line_width(0.15)
        self.set_dash_pattern(dash=1.6, gap=1.6)
        for row in range(rows + 1):
            self.line(left, top + row * SLIP_HEIGHT, right, top + row * SLIP_HEIGHT)
        for column in range(COLUMNS + 1):
            self.line(left + column * self._width, top, left + column * self._width, bottom)
        self.set_dash_pattern()

    def _slip(self, slip: Slip, school: str, left: float, top: float) -> None:
        x, y, width = left + PADDING, top + PADDING - 1.5, self._width - 2 * PADDING
        y = self._line(slip.name, NAME, x, y, width)
        if slip.latin:
            y = self._line(slip.latin, LATIN, x, y, width)
        y = self._line("User name", LABEL, x, y + 1, width)
        y = self._line(slip.user_name, USER_NAME, x, y, width)
        y = self._line(self._wording.secret, LABEL, x, y + 0.8, width)
        self._line(slip.secret, SECRET, x, y, width)
        notes = (school, *self._wording.notes)
        y = top + SLIP_HEIGHT - PADDING + 1.5 - len(notes) * NOTE.height
        for note in notes:
            y = self._line(note, NOTE, x, y, width)

    def _line(self, text: str, style: Style, x: float, y: float, width: float, align: Align = Align.L) -> float:
        """Draw a text in its style, smaller if it is too wide, on two lines if it still is; returns where the next line goes."""
        mono = style.mono and text.isascii()
        shaped = not mono and self._use(text)
        if mono:
            self.set_font(MONO)
        self.set_text_shaping(use_shaping_engine=shaped)
        size, lines = self._fitted(text, style, width)
        self.set_font_size(size)
        self.set_text_color(style.grey)
        height = style.height if len(lines) == 1 else style.height * TWO_LINES
        for line in lines:
            self.set_xy(x, y)
            self.cell(width, height, line, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
            y += height
        return y

    def _use(self, text: str) -> bool:
        """Choose the typeface that has the text, with others behind it where one is not enough; whether it must be shaped."""
        chosen = [each.name for each in faces_for(text)]
        for name in chosen:
            self._load(name)
        self.set_fallback_fonts(chosen[1:], exact_match=False)
        self.set_font(chosen[0])
        return not text.isascii()

    def _load(self, name: str) -> None:
        if name not in self._loaded:
            self.add_font(name, fname=face(name).file)
            self._loaded.add(name)

    def _fitted(self, text: str, style: Style, width: float) -> tuple[float, Sequence[str]]:
        """The largest size in which the text fits, and its lines: one, or two in the smallest size, the rest left out."""
        self.set_font_size(style.largest)
        size = style.largest * min(1.0, width / max(self.get_string_width(text), 0.1))
        if size >= style.smallest:
            return size, (text,)
        self.set_font_size(style.smallest)
        first = self._that_fits(text, width)
        rest = text[len(first) :].strip()
        if self.get_string_width(rest) <= width:
            return style.smallest, (first.strip(), rest)
        return style.smallest, (
            first.strip(),
            self._that_fits(rest, width - self.get_string_width(ELLIPSIS)) + ELLIPSIS,
        )

    def _that_fits(self, text: str, width: float) -> str:
        """The beginning of the text that is not wider: up to a blank, or the domain of a name, if one is in its second half."""
        low, high = 1, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.get_string_width(text[:middle]) <= width else (low, middle - 1)
        if low < len(text):
            places = [place for sign in " @" if (place := text.rfind(sign, max(low // 2, 1), low + 1)) > 0]
            low = max(places, default=low)
        return text[:low]
