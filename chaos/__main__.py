"""`python -m chaos`: Rollbook under every fault the emulated tenant can play; exit status 1 if anything was lost, twice or touched.

Three parts: the transport cut at every request boundary of a school of thirty; real kills of a school of five hundred; random
schedules of faults with edits in flight. A case that fails prints its name, and `--seed NAME` plays that one again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import count, islice

from chaos.cases import Ended
from chaos.names import is_quick
from chaos.playing import begin, cut_names, play

STORMS, SHORT_STORMS, SHORT_CUTS, WORKERS = 200, 6, 8, 2
PARTS = ("cut", "kill", "storm")


def names(asked: argparse.Namespace, pool: ProcessPoolExecutor) -> Iterator[str]:
    """What is played, in order. With `--hours`, schedules without end."""
    seeds = (f"storm-{asked.first + n}" for n in count())
    if asked.short:
        seeds = (name for name in seeds if is_quick(name))
    if "kill" in asked.parts:
        yield f"kill-{asked.first}{'-short' if asked.short else ''}"
    if "cut" in asked.parts:
        every = pool.submit(cut_names).result()
        yield from every[asked.first % len(every) :: max(1, len(every) // SHORT_CUTS)] if asked.short else every
    if "storm" in asked.parts:
        yield from seeds if asked.hours else islice(seeds, SHORT_STORMS if asked.short else STORMS)


def main() -> int:
    """Play what was asked for and print what came of it; 0 if all is well."""
    asked = _asked()
    if asked.seed:
        begin()
        return _conclude([_shown(play(asked.seed))], time.monotonic())
    began, ended = time.monotonic(), list[Ended]()
    context = multiprocessing.get_context("spawn")
    workers = 1 if asked.short else WORKERS
    with ProcessPoolExecutor(workers, mp_context=context, initializer=begin) as pool:
        waiting = names(asked, pool)
        flights: set[Future[Ended]] = {pool.submit(play, name) for name in islice(waiting, workers)}
        while flights:
            landed, flights = wait(flights, return_when=FIRST_COMPLETED)
            for flight in landed:
                ended.append(flight.result())
                if ended[-1].faults:
                    _shown(ended[-1])
                over = asked.hours and time.monotonic() - began > asked.hours * 3_600
                following = None if over else next(waiting, None)
                if following is not None:
                    flights.add(pool.submit(play, following))
            if len(ended) % 50 == 0:
                print(f"chaos: {len(ended)} cases, {sum(bool(e.faults) for e in ended)} failed", file=sys.stderr)
    return _conclude(ended, began)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}; default: all")
    parser.add_argument("--seed", help="play one case again, as storm-17, cut-second-9-after-dead or kill-1")
    parser.add_argument("--first", type=int, default=1, help="the number of the first random schedule")
    parser.add_argument("--hours", type=float, help="go on with random schedules for so long")
    parser.add_argument("--short", action="store_true", help="a selection that takes half a minute")
    asked = parser.parse_args()
    unknown = [part for part in asked.parts if part not in PARTS]
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    asked.parts = asked.parts or list(PARTS)
    return asked


def _shown(ended: Ended) -> Ended:
    """The case, told to whoever has to mend it."""
    for line in (
        f'{ended.case}: {"FAILED" if ended.faults else "held"}   (again: make chaos ARGS="--seed {ended.case}")',
        *(f"    happened: {what}" for what in ended.happened),
        *(f"    said: {what}" for what in ended.said),
        *(f"    FAULT: {fault}" for fault in ended.faults),
    ):
        print(line, flush=True)
    return ended


def _conclude(ended: list[Ended], began: float) -> int:
    """The counts, and the exit status."""
    played = Counter(each.case.split("-")[0] for each in ended)
    failed = [each.case for each in ended if each.faults]
    for part, what in zip(PARTS, ("request boundaries cut", "stories of kills", "random schedules"), strict=True):
        if played[part]:
            bad = sum(name.startswith(part) for name in failed)
            print(f"{played[part]:>6} {what}, {bad} failed")
    kills = sum(len(each.happened) for each in ended if each.case.startswith("kill"))
    if kills:
        print(f"{kills:>6} real kill -9")
    print(f"{sum(each.synchronizations for each in ended):>6} synchronizations, {time.monotonic() - began:.0f} seconds")
    print("chaos: " + (f"{len(failed)} FAILED: {' '.join(failed)}" if failed else "all held"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
