"""The stage of the scenarios: a school, a profile, a tenant, and days that go by, each said in a sentence.

    stage.tenant_holds(made_by_others("m.papadaki", "Maria", employee_id="S1"))
    stage.school.student("Maria Papadaki", "7A Maths")
    stage.profile(users=actions(student="Update"))
    stage.on("2026-10-01").synchronise()
    assert stage.tenant.account("Maria Papadaki").enabled

The school is delivered, the profile saved and the tenant connected by the product's own acts, the synchronization goes over
real HTTP, and what is asserted is what the emulated tenant holds afterwards. `proves` names the lines of page.py.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import polars as pl
from tests.apply.wire import carried_out, control, joined
from tests.scenarios.page import ENTRIES
from tests.scenarios.school import Register, day
from tests.scenarios.tenant import PRODUCTS, Tenant
from tests.store.world import ACTOR, Frozen, deliver

from rollbook.acts import desk, profiles
from rollbook.acts.grade_levels import set_level
from rollbook.acts.links import Subject, find_subject
from rollbook.acts.profiles import Author
from rollbook.acts.runs import Session, Synchronized, session
from rollbook.apply.whys import why_sentence
from rollbook.plan.changes import ChangeVerdict, Forecast, Plan
from rollbook.plan.sentences import sentence
from rollbook.profiles import Profile as Settings
from rollbook.profiles import parse, suggested
from rollbook.store.models import Institute, Profile
from rollbook.store.runs import labels, verdict_counts
from rollbook.sync import crowded, first_look

Scenario = TypeVar("Scenario", bound=Callable[..., None])
ADMINISTRATOR = "Emulated Administrator"
KNOWN = {entry.id for entry in ENTRIES}
FIRST_PROFILE = "Suggested"
"""The profile a school starts with, which `Stage.profile` changes."""


def proves(*ids: str) -> Callable[[Scenario], Scenario]:
    """Mark a scenario with the lines of page.py it proves; LookupError for a line there is not."""
    unknown = sorted(set(ids) - KNOWN)
    if unknown or not ids:
        raise LookupError(f"the page has no {', '.join(unknown) or 'line without a name'}")
    return lambda scenario: scenario


def actions(**of_type: str) -> dict[str, Any]:
    """The actions grid, for `Stage.profile(users=...)`: `actions(student="Create, Update", parent="")`."""
    every = ("create", "update", "deactivate", "sso")
    chosen = {kind: {word.strip().lower() for word in words.split(",")} - {""} for kind, words in of_type.items()}
    assert all(words <= set(every) for words in chosen.values()), f"the actions are {', '.join(every)}"
    return {"actions": {kind: {name: name in words for name in every} for kind, words in chosen.items()}}


def roles(**of_type: dict[str, Any]) -> dict[str, Any]:
    """The settings of users with these domains, licences and countries, for `Stage.profile(users=...)`."""
    return {"roles": of_type}


def licences(*products: str, plans_off: tuple[str, ...] | None = None) -> dict[str, Any]:
    """The licences of a role, for `roles(student=licences("student", "staff"))`; plans that are off are so in each."""
    return {"licences": [{"sku": PRODUCTS[product], "plans_off": plans_off} for product in products]}


class Calendar(Frozen):
    """A clock that shows eight in the morning of the stage's day."""

    def __init__(self, today: dt.date) -> None:
        super().__init__()
        self.today = today

    def now(self) -> dt.datetime:
        return dt.datetime.combine(self.today, dt.time(8), dt.UTC)


class Passing(Calendar):
    """A clock on which whatever is waited for goes by at Microsoft too, at once: nothing really sleeps."""

    def __init__(self, today: dt.date, tenant: Tenant) -> None:
        super().__init__(today)
        self._tenant = tenant

    def now(self) -> dt.datetime:
        return super().now() + dt.timedelta(seconds=self.monotonic())

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._tenant.control("advance", seconds=seconds)


@dataclass(frozen=True, slots=True)
class Done:
    """What a synchronization did: changes made, writes sent, what waits for whom and why in sentences.

    `refused` are changes Microsoft refused, `later` those it put off; `forecast` says what was known of seats before anything was
    applied; `left_alone` are accounts that belong to nobody in the register, but the tenant's own administrator. `deviations` are
    what the proof says: (group, person, "missing" | "extra" | "pending" | "kept" ..., why).
    """

    changes: int
    writes: int
    waits: tuple[str, ...]
    told: tuple[str, ...]
    forecast: tuple[Forecast, ...] = ()
    refused: int = 0
    later: int = 0
    left_alone: tuple[str, ...] = ()
    deviations: tuple[tuple[str, str, str, str], ...] = ()
    crowded: tuple[tuple[str, int], ...] = ()

    def said(self, *words: str) -> bool:
        """Whether one of the sentences has all these words."""
        return any(all(word in line for word in words) for line in (*self.told, *self.waits))

    def proof_says(self, group: str, person: str) -> set[str]:
        """What the proof says of somebody in a group: missing, extra, pending, kept ...; empty where all is as it should be."""
        return {status for where, who, status, _ in self.deviations if (where, who) == (group, person)}

    def reason(self, name: str) -> str:
        """Why something waits for this person or class; "" where nothing does."""
        return "; ".join(line for line in self.waits if line.startswith(name))


@dataclass
class Stage:
    """One school with its profile and its tenant. A day is set by `on`; the first is 2026-10-01.

    `documented`: the tenant keeps the quotas and delays that Microsoft documents, and whatever is waited for goes by at once.
    """

    tenant: Tenant
    documented: bool = False
    school: Register = field(default_factory=Register)
    today: dt.date = dt.date(2026, 10, 1)
    _delivered: dict[str, pl.DataFrame] = field(default_factory=dict)
    _joined: bool = False
    _settings: Settings = field(default_factory=suggested)
    _levels: dict[str, list[str]] = field(default_factory=dict)

    def on(self, text: str) -> Stage:
        """From now on it is this day; days that went by did so at Microsoft too."""
        before, self.today = self.today, day(text)
        if self.today > before:
            self.tenant.wait((self.today - before).days)
        return self

    @property
    def author(self) -> Author:
        """Who saves and enables profiles here."""
        return Author(ACTOR, Calendar(self.today))

    def profile(self, **overrides: Any) -> Settings:
        """The first profile's settings from now on: the suggested ones, and what differs. ProfileInvalid where it makes no sense."""
        self._settings = parse(merged(self._settings.model_dump(mode="json"), overrides))
        return self._settings

    def hours_go_by(self, hours: float) -> Stage:
        """Some hours of the same day go by at Microsoft."""
        self.tenant.wait(hours / 24)
        return self

    def grade_levels(self, **levels: list[str]) -> Stage:
        """The school's own table of levels: `grade_levels(primary=["1st grade", "2nd grade"])`."""
        self._levels |= levels
        return self

    def tenant_holds(self, *made: Mapping[str, Any]) -> None:
        """Accounts and groups that are in the tenant already, made by somebody else; accounts first, for they are in groups."""
        kinds: dict[str, list[dict[str, Any]]] = {"users": [], "groups": [], "classes": []}
        for given in made:
            entry = dict(given)
            kind = entry.pop("_kind", None)
            kinds["users" if kind is None else "classes" if kind == "class" else "groups"].append(entry)
        self.tenant.control("seed", **kinds)
        if self.documented:
            # They were there long before: everybody has seen them by now.
            self.tenant.control("advance", seconds=60)

    def institute(self) -> Institute:
        """The school as the product knows it: delivered as it is now, its first profile saved as it was told."""
        roster = self.school.roster()
        now = {name: getattr(roster, name) for name in roster.__slots__}
        if not self._delivered or any(not frame.equals(self._delivered[name]) for name, frame in now.items()):
            deliver(self.school, accepted=True)
            self._delivered = now
        school = Institute.objects.get()
        for level, grades in self._levels.items():
            set_level(school, level, grades, self.author)
        self._levels = {}
        held = school.profiles.filter(name=FIRST_PROFILE).first()
        if held is not None and profiles.exported(held).profile != self._settings:
            profiles.save(held, replace(profiles.exported(held), profile=self._settings), self.author)
        return school

    def profile_named(self, name: str) -> Profile:
        """One of the school's profiles."""
        return profiles.find(self.institute(), name)

    def connected(self) -> Institute:
        """The school, with its tenant connected."""
        school = self.institute()
        if not self._joined:
            joined(school, self.tenant.running, quotas=self.documented)
            self._joined = True
        return school

    @property
    def clock(self) -> Calendar:
        """The clock of the stage's day, which moves where the tenant takes its time."""
        return Passing(self.today, self.tenant) if self.documented else Calendar(self.today)

    def opened(self) -> AbstractContextManager[Session]:
        """A session with the tenant on the stage's day."""
        return session(self.connected(), self.today, ACTOR, self.clock)

    def desk(self) -> AbstractContextManager[desk.Desk]:
        """Somebody decides about links and protected accounts by hand."""
        return desk.held(self.connected(), self.author)

    def person(self, name: str) -> Subject:
        """Somebody of the school, as decisions by hand name them."""
        return find_subject(self.institute(), self.school.people[name]["sourced_id"], "user")

    def synchronise(self) -> Done:
        """One synchronization, to which somebody agrees whatever it says; every change it plans succeeds, and it is proven."""
        done = self.attempt()
        assert (done.refused, done.later) == (0, 0), done
        assert not [each for each in done.deviations if each[2] in ("missing", "extra")], done.deviations
        return done

    def attempt(self) -> Done:
        """One synchronization of which Microsoft may refuse something, or put it off."""
        with self._carried_out() as (open_session, done):
            counted = verdict_counts(done.run)
            known = {ChangeVerdict.DONE, ChangeVerdict.WAITS, ChangeVerdict.NEVER, ChangeVerdict.LATER}
            assert set(counted) <= known | {ChangeVerdict.BLOCKED}, counted
            names = labels(open_session.connection.tenant)
            columns = ("team", "user", "status", "why", "cause")
            deviations = [
                (names.get(team, ""), names.get(user, ""), status, why_sentence(why, cause))
                for team, user, status, why, cause in done.proof.deviations.select(columns).iter_rows()
            ]
            return replace(
                told(done.plan, open_session, self._writes()),
                refused=counted.get(ChangeVerdict.NEVER, 0),
                later=counted.get(ChangeVerdict.LATER, 0) + counted.get(ChangeVerdict.BLOCKED, 0),
                deviations=tuple(deviations),
            )

    def synchronise_until_done(self, most: int = 6) -> list[Done]:
        """Synchronizations two hours apart, as the schedule has them, until one finds nothing left to do; each of them."""
        rounds: list[Done] = []
        while len(rounds) < most:
            rounds.append(self.attempt())
            if not rounds[-1].changes:
                return rounds
            self.hours_go_by(2)
        raise AssertionError(f"there was still something to do after {most} synchronizations: {rounds[-1]}")

    @contextmanager
    def _carried_out(self) -> Iterator[tuple[Session, Synchronized]]:
        with self.opened() as open_session:
            control(self.tenant.running, "/counters/reset", {})
            yield open_session, carried_out(open_session)

    def _writes(self) -> int:
        return int(control(self.tenant.running, "/counters")["writes"])

    def preview(self) -> Done:
        """What a synchronization would do, without doing it."""
        with self.opened() as open_session:
            plan, view = open_session.plan()
            alone = first_look(plan, view).left_alone["display_name"]
            names = labels(open_session.connection.tenant)
            return replace(
                told(plan, open_session, 0),
                left_alone=tuple(name for name in alone if name != ADMINISTRATOR),
                crowded=tuple((names[team], people) for team, people in crowded(plan, view).iter_rows()),
            )

    def leave_and_return(self, name: str) -> None:
        """Somebody leaves, and is back at the next look, with a synchronization after each."""
        self.school.leaves(name)
        self.synchronise()
        self.school.returns(name)
        self.synchronise()


def told(plan: Plan, open_session: Session, writes: int) -> Done:
    """A plan in sentences, with the names the school uses."""
    names = labels(open_session.connection.tenant)
    lines = [
        (verdict, str(sentence(kind, cause, names.get(subject, ""), names.get(other, ""), begun)))
        for verdict, kind, cause, subject, other, begun in plan.changes.select(
            "verdict", "kind", "cause", "subject", "object", "day"
        ).iter_rows()
    ]
    waiting = tuple(line for verdict, line in lines if verdict == ChangeVerdict.WAITS)
    planned = tuple(line for verdict, line in lines if verdict != ChangeVerdict.WAITS)
    return Done(changes=len(planned), writes=writes, waits=waiting, told=planned, forecast=plan.forecast)


def merged(document: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """A document with some of its settings replaced, however deep they stand; a mapping's row is replaced whole."""
    found = dict(document)
    for name, value in overrides.items():
        inner = isinstance(value, Mapping) and isinstance(found.get(name), Mapping) and "value" not in value
        found[name] = merged(found[name], value) if inner else value
    return found
