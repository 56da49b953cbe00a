"""Random schedules of faults with edits in flight: each is drawn from its seed alone, and the seed plays it again."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from chaos import people
from chaos.bed import Bed, Unsettled, faults, meanwhile
from chaos.cases import Ended
from chaos.names import flavour
from chaos.scenes import EARLY, EDITED, FIRST, SECOND, Scene, scenes, the_rest_comes
from chaos.tap import AFTER, BEFORE, TWICE
from rollbook.emulator.faults import CloseConnection

TOKEN_LIFE = 3_700.0
"""After these seconds a token is over, and a new one has the roles of then."""


@dataclass
class Storm:
    """One schedule being drawn and played."""

    draw: random.Random
    scene: Scene
    bed: Bed
    told: list[str] = field(default_factory=list)
    rules: list[dict[str, object]] = field(default_factory=list)

    def some_request(self, least: int = 1) -> int:
        """A request of the disturbed synchronization, by its number."""
        return self.draw.randint(least, self.scene.requests + 4)

    def at(self, number: int, act: Callable[[], None], what: str) -> None:
        """Have it happen just before this request."""
        self.bed.tap.happens.setdefault(number, []).append(act)
        self.told.append(f"{what} at request {number}")


def _lost(storm: Storm) -> None:
    for _ in range(storm.draw.randint(1, 5)):
        number, side = storm.some_request(), storm.draw.choice((BEFORE, AFTER, AFTER))
        storm.bed.tap.cuts[number] = side
        storm.told.append(f"cut {side} request {number}")


def _twice(storm: Storm) -> None:
    for _ in range(storm.draw.randint(1, 5)):
        number = storm.some_request()
        storm.bed.tap.cuts[number] = TWICE
        storm.told.append(f"request {number} arrives twice")


def _refusals(storm: Storm) -> None:
    """A storm over writes, reads or both."""
    match = storm.draw.choice(("^(POST|PATCH|PUT|DELETE) ", "^GET ", "", "^PATCH /groups", "^POST /users", "/teams"))
    status = storm.draw.choice((429, 429, 503, 503, 500, 502, 504, 409, 423))
    rule: dict[str, object] = {"match": match, "status": status, "chance": round(storm.draw.uniform(0.05, 0.6), 2)}
    if status == 429 or (status == 503 and storm.draw.random() < 0.5):
        rule["retry_after"] = storm.draw.randint(1, 30)
    rule["times"] = storm.draw.randint(3, 80)
    storm.rules.append(rule)
    storm.told.append(f"storm {rule}")


def _broken(storm: Storm) -> None:
    """Answers lost or cut in the middle, by chance, after everything took effect."""
    kind = storm.draw.choice(("close-before", "close-after", "truncate"))
    match = storm.draw.choice(("^(POST|PATCH|PUT|DELETE) ", "", "^POST ", "/teams", "^PATCH "))
    chance, times = round(storm.draw.uniform(0.01, 0.1), 3), storm.draw.randint(1, 8)
    storm.rules.append({"match": match, "kind": kind, "chance": chance, "times": times})
    storm.told.append(f"{kind} for {match!r} {chance} x{times}")


def _withdrawn(storm: Storm) -> None:
    """Consent is taken back, and the token in use ends soon after."""
    bed = storm.bed

    def act() -> None:
        bed.control("withdraw", {"app": _app(bed)})
        if storm.draw.random() < 0.8:
            bed.clock.sleep(TOKEN_LIFE)

    storm.at(storm.some_request(), act, "consent withdrawn")


def _narrowed(storm: Storm) -> None:
    """Consent is given anew without one of the permissions, and the token in use ends."""
    bed = storm.bed
    given = sorted((bed.running.application.cloud.apps.get(_app(bed)) or {})["required"])
    missing = storm.draw.choice(given)

    def act() -> None:
        bed.control("consent", {"app": _app(bed), "at_once": True, "roles": [r for r in given if r != missing]})
        bed.clock.sleep(TOKEN_LIFE)

    storm.at(storm.some_request(), act, f"the permission {missing} is taken away")


def _closed(storm: Storm) -> None:
    """Conditional access refuses our sign-in, or challenges the token in use."""
    bed, mode = storm.bed, storm.draw.choice(("block", "claims"))

    def act() -> None:
        bed.control("conditional-access", {"mode": mode})
        bed.clock.sleep(TOKEN_LIFE if mode == "block" else 0.0)

    storm.at(storm.some_request(), act, f"conditional access: {mode}")


def _dead(storm: Storm) -> None:
    number = storm.some_request()
    storm.bed.tap.dead_from = number
    storm.told.append(f"the network is dead from request {number} on")


def _restarted(storm: Storm) -> None:
    for _ in range(storm.draw.randint(1, 3)):
        storm.at(storm.some_request(), lambda: _started_anew(storm.bed), "the tenant is started anew")


def _started_anew(bed: Bed) -> None:
    bed.reborn()
    raise CloseConnection


def _full(storm: Storm) -> None:
    storm.bed.pages = storm.draw.randint(0, 60)
    storm.told.append(f"the disk is full after {storm.bed.pages} pages")


def _rival(storm: Storm) -> None:
    """A teacher makes a team of their own under a name of ours, and somebody else writes to our objects at the same moment."""
    bed = storm.bed

    def act() -> None:
        bed.control("rival", {"play": "own-team", "teacher": "scan@sample-school.example", "name": "8A Music"})

    storm.at(storm.some_request(), act, "a rival makes a team")
    storm.rules.append({"match": "^(PATCH|POST|DELETE) /groups", "status": 409, "chance": 0.2, "times": 20})


def _time(storm: Storm) -> None:
    storm.at(storm.some_request(), lambda: storm.bed.clock.sleep(TOKEN_LIFE), "an hour goes by")


PLAYS: Mapping[str, Callable[[Storm], None]] = {
    "lost": _lost,
    "twice": _twice,
    "refusals": _refusals,
    "broken": _broken,
    "withdrawn": _withdrawn,
    "narrowed": _narrowed,
    "closed": _closed,
    "dead": _dead,
    "full": _full,
    "rival": _rival,
    "time": _time,
}
"""What a schedule is drawn from; it has one to four of them."""


def play(name: str) -> Ended:
    """The schedule of this seed, played to its end."""
    draw = random.Random(name)
    documented, kept = flavour(draw)
    phase = draw.choice((FIRST, SECOND, SECOND, EARLY, EARLY, EDITED, EDITED))
    scene = scenes(documented=documented, kept=kept)[phase]
    storm = Storm(draw, scene, scene.begin(), [f"{phase}{', documented' * documented}{', kept in a file' * kept}"])
    for chosen in draw.sample(sorted(PLAYS), draw.randint(1, 4)):
        PLAYS[chosen](storm)
    if kept:
        _restarted(storm)
    if phase == EARLY:
        storm.at(storm.some_request(), meanwhile(the_rest_comes), "the rest of the delivery comes")
    if phase == EDITED:
        storm.at(storm.some_request(), lambda: people.edit_by_hand(scene.bed), "people edit by hand")
    if storm.rules:
        scene.bed.control("faults", storm.rules)
    said: list[str] = []
    wrong: tuple[str, ...] = ()
    try:
        said = scene.bed.settle(lambda: _mended(storm), draw.randint(1, 3))
    except Unsettled as unsettled:
        wrong = (str(unsettled),)
    found = (*wrong, *faults(scene.bed, scene.wanted))
    return Ended(name, found, len(said), tuple(storm.told), tuple(said))


def _app(bed: Bed) -> str:
    return str(bed.running.apps[0]["client_id"])


def _mended(storm: Storm) -> None:
    """Everything is as it should be again; what was still to happen happens now."""
    bed = storm.bed
    left = sorted(bed.tap.happens.items())
    bed.tap.clear()
    for _, acts in left:
        for act in acts:
            with suppress(CloseConnection):
                act()
    bed.pages = None
    bed.control("faults", [])
    bed.control("consent", {"app": _app(bed), "at_once": storm.draw.random() < 0.5})
    bed.control("conditional-access", {"mode": "off"})
    bed.clock.sleep(60)
