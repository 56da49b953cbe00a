"""Grade levels: the institute's own table that says to which stage each grade belongs ("primary")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from rollbook.acts.profiles import Author
from rollbook.errors import InputRefused
from rollbook.roster.levels import folded
from rollbook.store.models import Grade, Institute

LONGEST = 255


@dataclass(frozen=True, slots=True)
class Levels:
    """Each level with its grades, and the grades of the register that have none."""

    levels: dict[str, list[str]]
    without: list[str]


def levels_of(institute: Institute) -> Levels:
    """The institute's levels, the one of its first grade first."""
    table = _table(institute)
    levels: dict[str, list[str]] = {}
    for grade in sorted(table):
        levels.setdefault(table[grade], []).append(grade)
    known = {folded(grade) for grade in table}
    return Levels(levels, [grade for grade in _grades(institute) if folded(grade) not in known])


def set_level(institute: Institute, level: str, grades: Sequence[str], author: Author) -> list[str]:
    """Let a level hold exactly these grades, whichever level had them; returns those the register does not have."""
    level = level.strip()
    wanted = {folded(grade): grade.strip() for grade in grades}
    _check(level, wanted)
    spelt = {folded(grade): grade for grade in _grades(institute)}
    with transaction.atomic():
        held = Institute.objects.select_for_update().get(pk=institute.pk)
        table = {
            grade: other
            for grade, other in held.grade_levels.items()
            if folded(other) != folded(level) and folded(grade) not in wanted
        }
        held.grade_levels = table | {spelt.get(fold, grade): level for fold, grade in wanted.items()}
        held.save(update_fields=["grade_levels"])
        author.note(held, "grade-level.set", {"level": level, "grades": sorted(wanted.values())})
    return [grade for fold, grade in wanted.items() if fold not in spelt]


def remove_level(institute: Institute, level: str, author: Author) -> list[str]:
    """Forget a level; returns its grades, which have none afterwards. InputRefused, with those there are, if there is none."""
    with transaction.atomic():
        held = Institute.objects.select_for_update().get(pk=institute.pk)
        gone = sorted(grade for grade, held_by in held.grade_levels.items() if folded(held_by) == folded(level))
        if not gone:
            named = ", ".join(levels_of(held).levels) or "none yet"
            raise InputRefused(f"{held.name} has no grade level {level!r}.", remedy=f"There are: {named}.")
        for grade in gone:
            del held.grade_levels[grade]
        held.save(update_fields=["grade_levels"])
        author.note(held, "grade-level.removed", {"level": level.strip(), "grades": gone})
    return gone


def _check(level: str, wanted: dict[str, str]) -> None:
    mistakes = []
    if not level:
        mistakes.append("The level has no name.")
    if not wanted or "" in wanted:
        mistakes.append("A level needs grades, each with a name.")
    if any(len(name) > LONGEST for name in (level, *wanted.values())):
        mistakes.append(f"Names of levels and grades have {LONGEST} characters at most.")
    if mistakes:
        raise InputRefused(" ".join(mistakes), remedy="Name a level and its grades, as in: primary 01 02 03.")


def _table(institute: Institute) -> dict[str, str]:
    return dict(Institute.objects.values_list("grade_levels", flat=True).get(pk=institute.pk))


def _grades(institute: Institute) -> list[str]:
    """Names of the grades in the register, in order."""
    published = F("source__published")
    visible = Grade.objects.filter(source__institute=institute, since__lte=published, until__gt=published)
    return sorted(set(visible.values_list("name", flat=True)))
