"""The schools chaos is played with, and what becomes of them in later deliveries. Everybody is invented; no two names are alike."""

from __future__ import annotations

from typing import Any

from tests.scenarios.school import Register

GIVEN = (
    "Maria Anna Lena Jan Luis Sofia Omar Ines Pavel Mira Tomas Elif Noah Zoe Ivan Clara Hugo Nadia Emil Aisha Felix Greta Yusuf "
    "Irena"
).split()
FAMILY = (
    "Papadaki Rossi Berg Kowalski Ortega Lindqvist Haddad Costa Novak Petrov Horak Yilmaz Martin Laurent Ivanov Weiss Moreau "
    "Rahman Nilsen Diallo Braun Holm Demir Babic"
).split()
PUPILS = [f"{given} {family}" for given, family in zip(GIVEN, FAMILY, strict=True)]
PROTECTED = "Nikos Vasilakis"
TEACHERS = [PROTECTED, "Eleni Demetriou", "Karl Schuster", "Paula Ferreira", "Stella Marinou"]


def thirty() -> Register:
    """24 students in three groups of two subjects each, five teachers, one employee."""
    school = Register().place("Lycee")
    for number, group in enumerate(("7A", "7B", "8A")):
        grade = f"{group[0]}th grade"
        mine = PUPILS[number * 8 : number * 8 + 8]
        for name in mine:
            school.student(name, grade=grade, location="Lycee")
        for part, subject in enumerate(("Maths", "Art")):
            title = f"{group} {subject}"
            school.is_taught(title, group=group, subject=subject).is_of(title, location="Lycee", grade=grade)
            school.klass(title, [], mine)
            school.teacher(TEACHERS[(number + 2 * part) % 4], title)
    school.teacher(TEACHERS[4], "8A Art").employee("Orla Byrne", location="Lycee")
    return school


def edits(school: Register, *, whole: bool = True) -> Register:
    """What the register says some weeks later; the first half of it, or the whole."""
    school.leaves(PUPILS[0])
    school.vanishes(PUPILS[9])
    school.moves(PUPILS[3], "7A Maths", "7B Maths", "2026-09-20")
    school.changes(PUPILS[4], family_name="Ortega-Vidal")
    school.student("Rosa Almeida", "7A Maths", grade="7th grade", location="Lycee").joins("Rosa Almeida", "7A Art")
    if whole:
        school.leaves(TEACHERS[1])
        school.teacher("Dimitra Kanelli", "7B Maths").teacher("Dimitra Kanelli", "8A Art")
        school.renames("class", "8A Maths", "8A Mathematics").drops(PUPILS[20], "8A Art")
        school.student("Bruno Keller", "8A Maths", grade="8th grade", location="Lycee")
        school.is_taught("8A Music", group="8A", subject="Music").is_of("8A Music", location="Lycee", grade="8th grade")
        school.klass("8A Music", [TEACHERS[2]], PUPILS[16:22])
    return school


def large(people: int = 500) -> Register:
    """A school of this many people: groups of 20 in three subjects, a teacher for every 12 students."""
    school = Register().place("Campus")
    teachers = [f"Teacher{n:03} Doe{n:03}" for n in range(people // 13)]
    pupils = [f"Pupil{n:04} Roe{n:04}" for n in range(people - len(teachers))]
    for start in range(0, len(pupils), 20):
        number = start // 20
        grade, group = f"grade {number // 4 + 1}", f"G{number:02}"
        for name in pupils[start : start + 20]:
            school.student(name, grade=grade, location="Campus")
        for part, subject in enumerate(("Maths", "Art", "Music")):
            title = f"{group} {subject}"
            school.is_taught(title, group=group, subject=subject).is_of(title, location="Campus", grade=grade)
            school.klass(title, [], pupils[start : start + 20])
            school.teacher(teachers[(3 * number + part) % len(teachers)], title)
    return school


def years_on(school: Register, step: int) -> Register:
    """Some days later, `step` after `step`: people leave, come, move and are called differently."""
    pupils = [name for name in school.people if name.startswith("Pupil")]
    groups = sorted({school.taught[title][0] for title in school.classes})
    for n in range(3):
        school.leaves(pupils[step * 20 + n])
    for n in range(3, 8):
        name, here, there = pupils[step * 20 + n], groups[step], groups[step + 1]
        school.moves(name, f"{here} Maths", f"{there} Maths", f"2026-09-{10 + step}")
    school.changes(pupils[step * 20 + 9], family_name=f"Roe-New{step}")
    for n in range(6):
        name = f"Late{step}{n} Comer{step}{n}"
        school.student(name, f"{groups[n % len(groups)]} Art", grade="grade 1", location="Campus")
    school.renames("class", f"{groups[step]} Music", f"{groups[step]} Music and more")
    return school


def settings(school: Register) -> dict[str, Any]:
    """What differs from the suggested profile: groups of the structure, nested ones for students, one for mail with everybody."""
    owner = next(name for name, row in school.people.items() if name in TEACHERS[4:] or name.startswith("Teacher"))
    everybody = {
        "levels": {"institute": {}},
        "group_type": "unified",
        "owners": [school.people[owner]["sourced_id"]],
    }
    return {"hierarchies": {"student": {"levels": {"location": {}, "grade": {}}}, "general": everybody}}
