"""Sends writes: batches of twenty on a few lanes, within quotas, repeating what Microsoft put off. The caller's thread decides,
worker threads only carry."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from rollbook.clock import Clock
from rollbook.errors import Later, Never, Stop
from rollbook.graph import batch
from rollbook.graph.consent import roles_of, withdrawn
from rollbook.graph.lanes import Lanes, Trial
from rollbook.graph.protocol import (
    AMBIGUOUS,
    RESTING,
    Answer,
    Done,
    Item,
    Outcome,
    Postponed,
    Refused,
    Unknown,
    retry_after,
    unseen,
    verdict,
)
from rollbook.graph.throttle import Throttle
from rollbook.graph.transport import Lost, Transport

log = logging.getLogger(__name__)

LONGEST_WAIT = 1.0
"""Seconds after which a waiting writer looks up, so that Ctrl-C is heard."""


SHORTEST_WAIT = 0.005

LANES = 8
"""How many batches travel at once. Of twenty changes each, at a few seconds a round trip, they fill Microsoft's quota twice over."""

RESTS = Later(
    "Microsoft 365 does not see everywhere yet what this is about.",
    remedy="Nothing needs to be done; it is sent once that is seen.",
    code=RESTING,
)


class GraphWriter:
    """The only thing that changes a tenant."""

    def __init__(
        self, transport: Transport, throttle: Throttle, clock: Clock, lanes: int = LANES, max_attempts: int = 6
    ) -> None:
        self._transport = transport
        self._throttle = throttle
        self._clock = clock
        self._lanes = lanes
        self._max_attempts = max_attempts
        # What was learnt about delays stays known as long as the connection is open.
        self._trials: dict[str, Trial] = {}

    def write(
        self,
        items: Iterable[Item | None],
        on_send: Callable[[Sequence[int]], None],
        patience: float = math.inf,
    ) -> Iterator[list[tuple[int, Outcome]]]:
        """Final outcomes in groups, as they come.

        `items` yields None while it has nothing to hand out before something was settled. `on_send` is called in the caller's
        thread with the keys of a batch before it is sent. What would have to rest for longer than `patience` seconds while nothing else
        is to be done comes back unsent, as `Postponed` with the code RESTING. Raises `Stop` once no request can succeed any more,
        after what was on its way came back and was yielded.
        """
        lanes = Lanes(iter(items), self._throttle, self._max_attempts, self._trials)
        flights: dict[Future[Answer], list[Item]] = {}
        stop: Stop | None = None
        with ThreadPoolExecutor(self._lanes, thread_name_prefix="graph") as pool:
            while flights or (stop is None and not lanes.finished):
                while stop is None and len(flights) < self._lanes:
                    chosen = lanes.next_batch(self._clock.monotonic())
                    if not chosen:
                        break
                    on_send([item.key for item in chosen])
                    request = batch.pack([item.request for item in chosen])
                    flights[pool.submit(self._transport.send, request)] = chosen
                if not flights:
                    unsent = lanes.too_long(self._clock.monotonic(), patience)
                    if unsent:
                        yield [(item.key, Postponed(RESTS)) for item in unsent]
                    elif not lanes.finished:
                        self._pause(lanes)
                    continue
                longest = LONGEST_WAIT if len(flights) == self._lanes else self._until_next(lanes)
                landed, _ = wait(flights, timeout=longest, return_when=FIRST_COMPLETED)
                for flight in landed:
                    settled, stopped = self._land(lanes, flight, flights.pop(flight))
                    stop = stop or stopped
                    if settled:
                        yield settled
        if stop is not None:
            raise stop

    def _until_next(self, lanes: Lanes) -> float:
        """Seconds after which something else may be sent, though nothing landed."""
        now = self._clock.monotonic()
        due = lanes.wake_at(now)
        return LONGEST_WAIT if due is None else min(max(due - now, SHORTEST_WAIT), LONGEST_WAIT)

    def _pause(self, lanes: Lanes) -> None:
        """Wait until something may travel again."""
        now = self._clock.monotonic()
        due = lanes.wake_at(now)
        if due is None:
            raise RuntimeError("graph: items wait for nothing; this is a defect of the lanes")
        self._clock.sleep(min(max(due - now, SHORTEST_WAIT), LONGEST_WAIT))

    def _land(
        self, lanes: Lanes, flight: Future[Answer], items: list[Item]
    ) -> tuple[list[tuple[int, Outcome]], Stop | None]:
        try:
            outer = flight.result()
            answers = batch.unpack(outer, len(items)) if outer.status == 200 else [outer] * len(items)
        except Lost as lost:
            log.warning("graph: a batch of %d got no answer (%s)", len(items), lost.message)
            for item in items:
                lanes.settled(item, done=False)
            return [(item.key, Unknown(lost)) for item in items], None
        except Stop as stop:
            for item in items:
                lanes.settled(item, done=False)
            # Nothing was sent: the token could not be had, or nobody answers at the address.
            return [(item.key, Postponed(_later(stop))) for item in items], stop
        return self._settle(lanes, items, answers)

    def _settle(
        self, lanes: Lanes, items: Sequence[Item], answers: Sequence[Answer | None]
    ) -> tuple[list[tuple[int, Outcome]], Stop | None]:
        now = self._clock.monotonic()
        settled: list[tuple[int, Outcome]] = []
        stop: Stop | None = None
        for item, answer in zip(items, answers, strict=True):
            if answer is not None:
                self._throttle.told(item.request, answer, now)
            outcome, stopped = self._outcome(lanes, item, answer, now)
            stop = stop or stopped
            if outcome is not None:
                lanes.settled(item, done=isinstance(outcome, Done))
                settled.append((item.key, outcome))
        return settled, stop

    def _outcome(
        self, lanes: Lanes, item: Item, answer: Answer | None, now: float
    ) -> tuple[Outcome | None, Stop | None]:
        """The final outcome of one item; None if it travels again."""
        if answer is None:
            return Unknown(Later("The answer to this request was missing in the batch.")), None
        fault = verdict(item.request, answer, fresh=item.fresh)
        match fault:
            case None:
                return Done(answer), None
            case Later() if answer.status in AMBIGUOUS:
                return Unknown(fault), None
            case Later():
                delay = retry_after(answer)
                if answer.status == 429 and delay is not None:
                    self._throttle.pause(now + delay, item.request)
                put_off = lanes.again(item, now, delay, unseen=item.fresh and unseen(answer))
                return (None if put_off else Postponed(fault)), None
            case Stop():
                return Postponed(_later(fault)), fault
            case Never():
                stop = self._withdrawn(item, fault)
                if stop is not None:
                    return Postponed(_later(stop)), stop
                return Refused(answer, fault), None
            case _:
                raise fault

    def _withdrawn(self, item: Item, refused: Never) -> Stop | None:
        """The stop a refusal stands for where the consent does not cover the write (any more)."""
        if refused.status != 403:
            return None
        try:
            return withdrawn(item.request, refused, roles_of(self._transport.token()))
        except Stop as stop:
            return stop


def _later(stop: Stop) -> Later:
    """What a write that was not carried out because of a stop is told: the next run sends it."""
    return Later(stop.message, remedy=stop.remedy, code=stop.code, status=stop.status, request_id=stop.request_id)
