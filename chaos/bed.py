"""A school, its store and its emulated tenant, on which stories are played over real HTTP, and begun again where they were."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.apply.wire import carried_out, joined, set_profile
from tests.scenarios.school import Register
from tests.store.world import ACTOR, deliver

from chaos import installation, schools
from chaos.picture import Picture, marks, of_rivals, taken, untouched
from chaos.tap import Tap
from rollbook.acts.runs import session
from rollbook.emulator import Config, Emulator
from rollbook.emulator.server import Application
from rollbook.errors import RollbookError
from rollbook.store.models import Answer, Institute, Intent, Link, Run, Secret
from rollbook.store.runs import verdict_counts
from rollbook.store.setup import explained
from rollbook.store.vault import Vault

DAY = dt.date(2026, 10, 1)
HOURS = 2 * 3_600
"""Between two synchronizations, as the schedule has them."""

MOST = 8
"""Synchronizations after which a tenant has to be as it was to become."""

BYSTANDERS = {
    "users": [
        {"userPrincipalName": "vera@sample-school.example", "displayName": "Vera Lind", "employeeId": "X1"},
        {"userPrincipalName": "scan@sample-school.example", "displayName": "Scanner"},
    ],
    "groups": [
        {
            "displayName": "7A Maths",
            "mailNickname": "somebodys",
            "groupTypes": ["Unified"],
            "mailEnabled": True,
            "securityEnabled": False,
            "visibility": "Private",
            "owners": ["vera@sample-school.example"],
            "members": ["vera@sample-school.example", "scan@sample-school.example"],
        }
    ],
}
"""What others have in the tenant, one of it under a name of ours."""


def _cut_on_purpose(record: logging.LogRecord) -> bool:
    """Not what the server says of connections that were ended on purpose."""
    return "ASGI callable returned without" not in record.getMessage()


class Fast:
    """A clock on which whatever is waited for goes by at Microsoft too, at once."""

    def __init__(self, running: Emulator) -> None:
        self.running = running
        self.waited = 0.0

    def now(self) -> dt.datetime:
        """Eight in the morning of the day, and what was waited."""
        return dt.datetime.combine(DAY, dt.time(8), dt.UTC) + dt.timedelta(seconds=self.waited)

    def monotonic(self) -> float:
        """What was waited."""
        return self.waited

    def sleep(self, seconds: float) -> None:
        """Let the time go by."""
        self.waited += seconds
        self.running.application.cloud.clock.advance(seconds)


@dataclass
class Bed:
    """One emulated tenant that lives through many stories. `documented`: with Microsoft's quotas, delays and lags."""

    documented: bool = False
    state: Path | None = None
    running: Emulator = field(init=False)
    tap: Tap = field(default_factory=Tap)
    port: int = 0
    pages: int | None = None  # how many pages more the disk has for our database; None: enough

    def __post_init__(self) -> None:
        """The tenant answers from now on."""
        self.start()

    def start(self) -> None:
        """Start the tenant, as it was left if it has a state; under the address it had."""
        scale = 1.0 if self.documented else None
        self.running = Emulator(Config(port=self.port, state=self.state, quota_scale=scale, delays=scale))
        logging.getLogger("uvicorn.error").addFilter(_cut_on_purpose)
        self.tap.attach(self.running)
        self.running.__enter__()
        self.port = int(self.running.login.rpartition(":")[2])
        self.clock = Fast(self.running)

    def stop(self) -> None:
        """End the tenant; a state is kept."""
        self.running.__exit__()

    def reborn(self) -> None:
        """The tenant ended and began again with its state: everything it only held in memory is gone. For the tenant's own thread."""
        old = self.running.application
        snapshots = old.control._snapshots
        old.cloud.close()
        new = Application(self.running.config, self.running._shutdown)
        new.control._snapshots = snapshots
        old.__dict__.update(new.__dict__)
        self.tap.attach(self.running)

    @property
    def tenant(self) -> Any:
        """The tenant as it is."""
        return self.running.directory

    def control(self, call: str, body: Any = None) -> Any:
        """A control call, from whichever thread."""
        answer = self.running.application.control.answer("POST", f"/{call}", body or {})
        if answer.status != 200:
            raise RuntimeError(f"chaos: {call} answered {answer.body}")
        return answer.body

    def populate(self, school: Register, name: str) -> Institute:
        """The school delivered into an empty store, its tenant connected, with bystanders and a teacher who is an administrator."""
        installation.empty(name)
        institute, _, _ = deliver(school)
        set_profile(institute, **schools.settings(school))
        self.control("seed", BYSTANDERS)
        if schools.PROTECTED in school.people:
            self._seed_protected(school.people[schools.PROTECTED]["sis_number"])
        if self.documented:
            self.clock.sleep(60)  # everybody has seen by now what was there before
        joined(institute, self.running, quotas=self.documented)
        return institute

    def _seed_protected(self, number: str) -> None:
        upn = "nikos@sample-school.example"
        skus = {sku["skuPartNumber"]: sku["skuId"] for sku in self.tenant.skus.values()}
        staff = {"skuId": skus["STANDARDWOFFPACK_FACULTY"], "disabledPlans": []}
        given = {"userPrincipalName": upn, "displayName": "N. V.", "employeeId": number, "assignedLicenses": [staff]}
        self.control("seed", {"users": [given]})
        self.control("role", {"principal": self.tenant.users.one("userPrincipalName", upn)["id"]})

    def bystanders(self) -> list[str]:
        """Ids of what is not ours: accounts and groups of others, and the protected teacher."""
        tenant = self.tenant
        names = ("vera@", "scan@", "nikos@", "admin@")
        users = [u["id"] for u in tenant.users.values() if str(u["userPrincipalName"]).startswith(names)]
        return users + [g["id"] for g in tenant.groups.values() if g["mailNickname"] == "somebodys"]

    def attempt(self) -> tuple[bool, str]:
        """One synchronization, to which somebody agrees: whether nothing was left to do, and the sentence it ended with."""
        try:
            if self.pages is not None:
                installation.leave_room(self.pages)
            with explained(), session(Institute.objects.get(), DAY, ACTOR, self.clock) as opened:
                done = carried_out(opened)
        except RollbookError as error:
            return False, f"{type(error).__name__}: {error.message}"
        finally:
            installation.release()
        quiet = done.plan.counts["changes"] == 0 and done.proof.holds
        return quiet, f"{done.plan.counts['changes']} changes {dict(verdict_counts(done.run))} {done.proof.as_json()}"

    def settle(self, mend: Callable[[], None] | None = None, troubled: int = 1) -> list[str]:
        """Synchronizations until one finds nothing left to do; what each said. Raises Unsettled.

        `mend` ends all disturbances after the first `troubled` of them; what was quiet before that does not count.
        """
        said: list[str] = []
        for number in range(1, MOST + troubled + 1):
            quiet, sentence = self.attempt()
            said.append(sentence)
            if mend is not None and number <= troubled:
                if number == troubled:
                    mend()
            elif quiet:
                return said
            self.clock.sleep(HOURS)
        raise Unsettled("it never became quiet: " + "; ".join(said))


class Unsettled(Exception):
    """After many synchronizations there was still something to do."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a story has to end with."""

    picture: Picture
    apart: dict[str, Any]


def expected(bed: Bed) -> Expected:
    """The tenant as it is now, as what others have to come to."""
    return Expected(taken(bed.tenant), untouched(bed.tenant, bed.bystanders()))


def faults(bed: Bed, wanted: Expected) -> Iterator[str]:
    """Everything that is not as it has to be after a story, each as a sentence."""
    yield from wanted.picture.differences(taken(bed.tenant))
    now = untouched(bed.tenant, list(wanted.apart))
    yield from (
        f"touched, though not ours: {now[key]}, was {was}" for key, was in wanted.apart.items() if now[key] != was
    )
    for name, people in of_rivals(bed.tenant):
        if set(people) != {"scan@sample-school.example"} or name != "8A Music":
            yield f"touched, though not ours: a teacher's own team, now {name} with {people}"
    every = marks(bed.tenant)
    yield from (f"made twice: the mark {mark}" for mark in sorted({m for m in every if every.count(m) > 1}))
    yield from _remembered(bed)


def _remembered(bed: Bed) -> Iterator[str]:
    """What the store holds that it must not, or lacks."""
    open_runs = Run.objects.filter(state=Run.State.APPLYING).count()
    if open_runs:
        yield f"lost: {open_runs} runs are still open"
    for intent in Intent.objects.all():
        if not Answer.objects.filter(run=intent.run_id, number=intent.number).exists():
            yield f"lost: intent {intent.number} of run {intent.run_id} has no answer"
    vault = Vault()
    secrets = Secret.objects.filter(purpose=Secret.Purpose.FIRST_PASSWORD, link_id__isnull=False)
    stored = {link: vault.decrypt(text) for link, text in secrets.values_list("link_id", "ciphertext")}
    for link in Link.objects.filter(kind=Link.Kind.USER, origin=Link.Origin.MADE, object_id__isnull=False):
        user = bed.tenant.users.get(link.object_id)
        if user is not None and stored.get(link.pk) != user.get("_password"):
            yield f"lost: the first password of link {link.pk} is not the account's"
    installation.release()


@contextmanager
def beside() -> Iterator[None]:
    """What the block does with the store is done by another thread than the one that synchronizes, and let go afterwards."""
    try:
        yield
    finally:
        installation.release()


def meanwhile(act: Callable[[], None]) -> Callable[[], None]:
    """The act, done by a thread of its own and waited for: as another process would do it, between two requests."""

    def played() -> None:
        troubles: list[BaseException] = []

        def run() -> None:
            try:
                with beside():
                    act()
            except BaseException as error:
                troubles.append(error)

        thread = threading.Thread(target=run, name="meanwhile")
        thread.start()
        thread.join()
        if troubles:
            raise troubles[0]

    return played
