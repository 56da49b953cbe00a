"""A school year played day by day: what the register says in the morning is what the tenant holds in the evening.

The tenant keeps every documented delay and quota. Each day that something happens is played, and some on which nothing does. What is
expected of the evening is read off the register's rows one by one, without the product. The log, which a person can read, is
written to year.txt in the test's own folder; `make year` prints it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.scenarios.school import FIRST_YEAR, day
from tests.scenarios.stage import FIRST_PROFILE, Done, Stage, actions, proves
from tests.scenarios.tenant import made_by_others
from tests.scenarios.turn_of_year import carried, goes_on

from rollbook.acts import profiles
from rollbook.acts.archiving import Chosen, propose_archiving

NEXT_YEAR = "2027-2028"
LEAD_DAYS = 14
LINES_SHOWN = 8
CALLED = {"mappings": {"display_name": {"type": "expression", "value": "{{ name }} {{ academic_period }}"}}}

GUESTS_IN = {("7A Maths", FIRST_YEAR), ("8A Maths", NEXT_YEAR)}

People = tuple[set[str], set[str]]


@dataclass
class Year:
    """The school, its tenant, what the profile that runs makes a team of, and the log."""

    stage: Stage
    mode: str = "group_subject"
    year: str = FIRST_YEAR
    log: list[str] = field(default_factory=list)

    def expected(self) -> dict[str, People]:
        """The teams there are to be with (people, owners), by name, as the register's rows say on this day."""
        school, teams = self.stage.school, dict[str, People]()
        for title, of in school.year_of_class.items():
            learn, teach = school.class_on(title, self.stage.today, LEAD_DAYS)
            if of == self.year and (learn or teach):
                people, owners = teams.setdefault(self._called(title), (set(), set()))
                people |= {self._named(name) for name in learn | teach} | set(self._by_hand(title))
                owners |= {self._named(name) for name in teach}
        return {name: found for name, found in teams.items() if found[1]}

    def _called(self, title: str) -> str:
        school = self.stage.school
        group, _ = school.taught.get(title, (title, title))
        kind, name = ("group", group) if self.mode == "group" else ("class", title)
        return f"{school.called.get((kind, name), name)} {self.year}"

    def _named(self, name: str) -> str:
        facts = self.stage.school.people[name]
        return f"{facts['given_name']} {facts['family_name']}"

    def _by_hand(self, title: str) -> list[str]:
        """Whom somebody added by hand, who is in nobody's register, and stays in the team when it goes on as 8A."""
        guests = {account.name for account in self.stage.tenant.accounts()} & {"Vera Lind"}
        return sorted(guests) if (title, self.year) in GUESTS_IN and self.mode == "group" else []

    def held(self) -> dict[str, People]:
        """The teams of the tenant with (people, owners), by name."""
        tenant = self.stage.tenant
        return {name: (tenant.members(name), tenant.owners(name)) for name in tenant.teams()}

    def accounts_in(self) -> dict[str, tuple[set[str], set[str]]]:
        """The same by object ids, which stay when somebody gets another name; by the group's own id."""
        tenant = self.stage.tenant
        return {
            tenant.group(name).object_id: (tenant.ids(name, "members"), tenant.ids(name, "owners"))
            for name in tenant.teams()
        }

    def play(self, date: str, title: str, happens: Callable[[Year], object]) -> None:
        """One day: what happens, the synchronizations of the day, and the evening."""
        self.stage.on(date)
        before = self.accounts_in()
        happens(self)
        rounds = self.stage.synchronise_until_done()
        self.stage.hours_go_by(1)
        self._write(title, rounds)
        assert all(done.refused == 0 for done in rounds)
        assert {status for *_, status, _ in rounds[-1].deviations} <= {"kept", "waiting"}
        held, expected = self.held(), self.expected()
        assert {name: held[name] for name in expected} == expected
        # Teams of a mode or a year that is over are left as they were.
        after, ours = self.accounts_in(), {self.stage.tenant.group(name).object_id for name in expected}
        assert {key: after[key] for key in before if key not in ours} == {
            key: before[key] for key in before if key not in ours
        }

    def _write(self, title: str, rounds: list[Done]) -> None:
        said = [line for done in rounds for line in done.told]
        waits = list(dict.fromkeys(line for line in rounds[-1].waits))
        accounts = self.stage.tenant.accounts()
        teams = self.expected()
        self.log += [f"{self.stage.today:%a %d %b %Y}  {title}", *(f"    {line}" for line in said[:LINES_SHOWN])]
        self.log += [f"    ... and {len(said) - LINES_SHOWN} more"] * (len(said) > LINES_SHOWN)
        self.log += [f"    {line}" for line in waits]
        places = sum(len(people) for people, _ in teams.values())
        may = sum(account.enabled for account in accounts)
        evening = f"evening: {len(teams)} teams with {places} places as in the register"
        self.log += [f"    {evening}, {may} of {len(accounts)} accounts may sign in", ""]


def nothing(_: Year) -> None:
    """A quiet day."""


def the_register_comes(year: Year) -> None:
    """Two groups, two subjects, an art class that still has no teacher, and an account that was there before."""
    school = year.stage.school
    school.klass("7A Maths", ["Nikos Vasilakis"], ["Maria Papadaki", "Jan Kowalski", "Anna Rossi"])
    school.klass("7B Maths", ["Nikos Vasilakis"], ["Lena Berg", "Luis Ortega"])
    school.klass("7A Art", [], ["Maria Papadaki", "Jan Kowalski"])
    for title in ("7A Maths", "7B Maths", "7A Art"):
        group, _, subject = title.partition(" ")
        school.is_taught(title, group=group, subject=subject).is_of(title, grade="7th grade")
    year.stage.tenant_holds(made_by_others("nikos", "N. Vasilakis", employee_id="S1"))
    year.stage.profile(teams=CALLED, academic_period=FIRST_YEAR, hierarchies={"student": {"levels": {"grade": {}}}})


def teachers_activate(year: Year) -> None:
    """Every class team that is there is opened by its teacher."""
    for name in year.stage.tenant.teams():
        year.stage.tenant.activates(name)


def the_mode_is_changed(year: Year) -> None:
    """From now on each group is a team."""
    year.mode = "group"
    year.stage.profile(teams={"create": "group"})


def somebody_is_added_by_hand(year: Year) -> None:
    """A teacher adds a guest lecturer, whom the register does not know."""
    year.stage.tenant_holds(made_by_others("vera", "Vera Lind"))
    year.stage.tenant.joins("vera", f"7A {FIRST_YEAR}")


def the_profile_is_copied(year: Year) -> None:
    """Next year's profile: a copy that runs from the middle of August on."""
    original = year.stage.profile_named(FIRST_PROFILE)
    year.stage.school.opens(NEXT_YEAR, "2027-09-01", "2028-07-01")
    copied = profiles.copy(original, "Next year", day("2027-08-18"), None, NEXT_YEAR, year.stage.author)
    profiles.enable(copied, year.stage.author)


def next_year_is_delivered(year: Year) -> None:
    """Who was in 7A goes on to 8A, 7A begins anew, and Luis leaves the school."""
    school = year.stage.school
    school.klass("8A Maths", ["Nikos Vasilakis"], ["Maria Papadaki", "Jan Kowalski", "Lena Berg"], year=NEXT_YEAR)
    school.is_taught("8A Maths", group="8A", subject="Maths").is_of("8A Maths", grade="8th grade")
    school.again("7A Maths", NEXT_YEAR, teachers=["Eleni Demetriou"], students=["Sofia Lind", "Ali Demir"])


def the_team_goes_on(year: Year) -> None:
    """The rollover plan: what was written in 7A's team is to be read by 8A."""
    goes_on(year.stage, "group 7A@2026-2027", "group 8A")


def what_ended_is_archived(year: Year) -> None:
    """Teams of the year that is over, and of the mode that is over, are archived."""
    carried(year.stage, lambda session: propose_archiving(session, Chosen(ended=True)))


def the_new_profile_runs(year: Year) -> None:
    """The copy's days begin: the teams are those of the new year."""
    year.year = NEXT_YEAR


DAYS: tuple[tuple[str, str, Callable[[Year], object]], ...] = (
    (
        "2026-08-10",
        "The register of the new year comes; accounts are made, and nobody has lessons yet.",
        the_register_comes,
    ),
    ("2026-08-20", "Less than two weeks to go: teams are made, one class still has no teacher.", nothing),
    ("2026-09-01", "The school year opens; the teachers activate their teams.", teachers_activate),
    ("2026-09-02", "A quiet day.", nothing),
    ("2026-09-04", "The art teacher comes.", lambda y: y.stage.school.teacher("Eleni Demetriou", "7A Art")),
    (
        "2026-09-07",
        "A late enrolment.",
        lambda y: y.stage.school.student("Omar Haddad").joins("Omar Haddad", "7B Maths", "2026-09-07"),
    ),
    (
        "2026-09-14",
        "It is said that Anna will change to 7B on the 21st.",
        lambda y: y.stage.school.moves("Anna Rossi", "7A Maths", "7B Maths", "2026-09-21"),
    ),
    ("2026-09-20", "Her last day in 7A.", nothing),
    ("2026-09-21", "Anna is in 7B.", nothing),
    ("2026-10-05", "Luis leaves the school.", lambda y: y.stage.school.leaves("Luis Ortega")),
    ("2026-10-12", "Omar is missing from the delivery.", lambda y: y.stage.school.vanishes("Omar Haddad")),
    ("2026-10-13", "He is back: it was a mistake.", lambda y: y.stage.school.returns("Omar Haddad")),
    (
        "2026-11-02",
        "Nikos goes on leave for 7B; Eleni stands in until the middle of January.",
        lambda y: y.stage.school.is_away(
            "Nikos Vasilakis", "7B Maths", "2026-11-02", "2027-01-11", instead="Eleni Demetriou"
        ),
    ),
    (
        "2026-11-16",
        "Group 7B and its class are called 7 Blue from now on.",
        lambda y: y.stage.school.renames("group", "7B", "7 Blue").renames("class", "7B Maths", "7 Blue Maths"),
    ),
    ("2026-12-24", "Holidays.", nothing),
    ("2027-01-11", "Nikos is back in 7 Blue.", nothing),
    (
        "2027-02-01",
        "The mode is changed: a team for each group; those of the classes stay as they are.",
        the_mode_is_changed,
    ),
    ("2027-03-01", "Luis comes back.", lambda y: y.stage.school.returns("Luis Ortega")),
    ("2027-04-05", "A guest lecturer is added to a team by hand.", somebody_is_added_by_hand),
    (
        "2027-05-03",
        "Maria has another family name.",
        lambda y: y.stage.school.changes("Maria Papadaki", family_name="Rossi"),
    ),
    ("2027-06-21", "Next year's profile is copied and enabled.", the_profile_is_copied),
    ("2027-07-01", "The year is over: nobody loses anything over the summer.", nothing),
    ("2027-08-02", "Summer; next year's register is delivered.", next_year_is_delivered),
    ("2027-08-16", "It is decided that the team of 7A goes on as 8A, with what was written there.", the_team_goes_on),
    ("2027-08-18", "The new profile runs: the new year's teams begin, Luis has left.", the_new_profile_runs),
    ("2027-09-01", "The new school year opens.", teachers_activate),
    ("2027-09-06", "What ended is archived.", what_ended_is_archived),
    ("2027-09-07", "A quiet day.", nothing),
)


@proves("P82e")
def test_a_school_year_day_by_day_is_in_the_evening_what_the_register_said_in_the_morning(
    slow_stage: Stage, tmp_path: Path
):
    slow_stage.profile(users=actions(student="Create, Update, Deactivate", teacher="Create, Update, Deactivate"))
    year = Year(slow_stage)
    try:
        for date, title, happens in DAYS:
            year.play(date, title, happens)
    finally:
        (tmp_path / "year.txt").write_text("\n".join(year.log), encoding="utf-8")
        print("\n".join(year.log))

    accounts = {account.name: account.enabled for account in slow_stage.tenant.accounts()}
    assert not accounts["Luis Ortega"]
    assert accounts["Maria Rossi"]
    archived = {group.name for group in slow_stage.tenant.every_group() if group.archived}
    assert archived == slow_stage.tenant.teams() - {f"8A {NEXT_YEAR}", f"7A {NEXT_YEAR}"}
    assert slow_stage.tenant.people("8th grade (students)") == {"Maria Rossi", "Jan Kowalski", "Lena Berg"}
