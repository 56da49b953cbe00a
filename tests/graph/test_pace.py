"""Quotas: never above one in any window, no quota waits for another, Microsoft's own count wins, and what is too young rests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.graph.lanes import Lanes
from rollbook.graph.protocol import CERTAIN, Answer, Item, Request, Rest
from rollbook.graph.quotas import APP_WRITES, SHARED, WRITES, Quota, draws
from rollbook.graph.throttle import Throttle

CALLS = [
    ("POST", "/users"),
    ("PATCH", "/groups/g"),
    ("POST", "/education/classes"),
    ("POST", "/teams"),
    ("PATCH", "/teams/t/members/m"),
    ("DELETE", "/groups/g/members/u/$ref"),
]


def items_of(calls: list[tuple[str, str]]) -> Iterator[Item]:
    return (Item(n, Request(*call), frozenset({str(n)})) for n, call in enumerate(calls))


def played(lanes: Lanes, latency: float, lanes_at_once: int = 4) -> list[tuple[float, Item]]:
    """Everything sent, with its time, as a writer would that never is in the way."""
    now, sent = 0.0, []
    flying: list[tuple[float, list[Item]]] = []
    while not lanes.finished:
        while flying and flying[0][0] <= now:
            for item in flying.pop(0)[1]:
                lanes.settled(item)
        batch = lanes.next_batch(now) if len(flying) < lanes_at_once else []
        if batch:
            sent += [(now, item) for item in batch]
            flying.append((now + latency, batch))
            continue
        moments = [flying[0][0]] if flying else []
        due = lanes.wake_at(now)
        if due is not None and len(flying) < lanes_at_once:
            moments.append(due)
        if not moments and not lanes.finished:
            raise AssertionError("items wait for nothing")
        now = max(now, min(moments, default=now))
    return sent


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(CALLS), st.integers(1, 900)), min_size=1, max_size=8),
    st.floats(0.05, 3.0),
    st.integers(0, 10),
)
def test_no_quota_is_exceeded_in_any_window(calls, latency, users):
    throttle = Throttle.documented()
    throttle.tenant_has(users * 100)
    sent = played(Lanes(items_of([call for call, count in calls for _ in range(count)]), throttle, 2), latency)

    assert len(sent) == sum(count for _, count in calls)
    uses: dict[tuple[str, str], tuple[Quota, list[tuple[float, float]]]] = {}
    for at, item in sent:
        for draw in draws(item.request):
            uses.setdefault((draw.quota.name, draw.each), (draw.quota, []))[1].append((at, draw.cost))
    for quota, taken in uses.values():
        # A bucket of its size, refilled at its rate, is never empty: the largest sum over any window minus what came back in it.
        level = lowest = quota.size
        before = 0.0
        for at, cost in taken:
            level = min(quota.size, level + (at - before) * quota.rate) - cost
            lowest, before = min(lowest, level), at
        assert lowest >= 0, quota.name


def test_nothing_waits_while_the_quota_is_there():
    throttle = Throttle.documented()
    sent = played(Lanes(items_of([("POST", "/users")] * 4_000), throttle, 2), latency=0.2)

    assert sent[-1][0] == pytest.approx((4_000 - WRITES.burst) / WRITES.rate, abs=1.5)


def test_the_directory_is_written_to_while_new_teams_have_no_tokens():
    calls = [("POST", "/teams")] * 300 + [("POST", "/users")] * 300
    sent = played(Lanes(items_of(calls), Throttle.documented(), 2), latency=0.2)

    last_user = max(at for at, item in sent if item.request.path == "/users")
    assert last_user < 10
    assert sent[-1][0] == pytest.approx(300 / 8.3, abs=2)


def test_batches_are_full_where_waiting_a_moment_fills_them():
    throttle = Throttle.documented()
    lanes = Lanes(items_of([("POST", "/users")] * 3_200), throttle, 2)
    late = [at for at, _ in played(lanes, latency=0.1) if at > 1]

    assert all(late.count(at) % 20 == 0 for at in set(late))


def test_lower_ranks_go_first_and_each_object_keeps_its_order():
    def item(key: int, name: str, rank: int) -> Item:
        return Item(key, Request("PATCH", f"/groups/{name}"), frozenset({name}), rank=(rank,))

    supply = [item(0, "a", -1), item(1, "b", -1), item(2, "long", -3), item(3, "long", -2), item(4, "long", -1)]
    lanes = Lanes(iter(supply), Throttle.unlimited(), 2)

    assert [each.key for each in lanes.next_batch(0.0)] == [2, 0, 1]
    lanes.settled(supply[2])
    assert [each.key for each in lanes.next_batch(0.1)] == [3]


def test_microsofts_own_count_slows_down_before_a_429():
    throttle, request = Throttle.documented(), Request("PATCH", "/groups/g")
    assert throttle.ready_at(request, 0.0, 20) == 0.0

    throttle.told(request, Answer(204, {"x-ms-throttle-limit-percentage": "0.85"}), 0.0)
    left = 0
    while throttle.ready_at(request, 0.0) <= 0:
        throttle.take(request, 0.0)
        left += 1
    throttle.told(request, Answer(204, {"x-ms-throttle-limit-percentage": "1.20"}), 0.0)

    assert left == 450  # 15 % of 3,000, although we ourselves had used nothing
    assert throttle.ready_at(request, 0.0) == pytest.approx(601 / 20)
    assert throttle.ready_at(Request("POST", "/teams"), 0.0) == 0.0


def test_a_pause_holds_what_draws_on_the_same_quota_only():
    throttle = Throttle.documented()
    throttle.pause(30.0, Request("POST", "/teams"))

    assert throttle.ready_at(Request("POST", "/teams"), 0.0) == 30.0
    assert throttle.ready_at(Request("POST", "/users"), 0.0) == 0.0


class Pot:
    """A budget of a fixed size."""

    def __init__(self, left: dict[Quota, float]) -> None:
        self.left = left

    def lease(self, quota: Quota, wanted: float) -> float:
        given = min(wanted, self.left[quota])
        self.left[quota] -= given
        return given

    def give_back(self, quota: Quota, left: float) -> None:
        self.left[quota] += left


def test_what_is_shared_is_lent_in_blocks_asked_for_again_and_given_back():
    pot = Pot(dict.fromkeys(SHARED, 1e9) | {APP_WRITES: 25.0})
    throttle, request = Throttle.documented(pot), Request("POST", "/users")
    sent = 0
    while throttle.ready_at(request, 0.0) <= 0:
        throttle.take(request, 0.0)
        sent += 1

    assert sent == 25
    assert throttle.ready_at(request, 0.5) == 1.0
    pot.left[APP_WRITES] = 100.0
    assert throttle.ready_at(request, 1.0) == 1.0
    throttle.take(request, 1.0)
    throttle.give_back()
    assert pot.left[APP_WRITES] == 99.0
    assert 1e9 - pot.left[WRITES] == 26


def resting(key: int, since: float, kind: str = "links", seconds: float = 8.0) -> Item:
    return Item(key, Request("PATCH", f"/groups/{key}"), frozenset({str(key)}), True, Rest(kind, since, seconds))


def test_one_tries_early_and_where_it_succeeds_the_others_follow():
    lanes = Lanes(iter([resting(n, since=0.0) for n in range(5)]), Throttle.unlimited(), 6)

    (first,) = lanes.next_batch(0.5)
    assert lanes.next_batch(0.6) == []
    lanes.settled(first)
    assert len(lanes.next_batch(0.7)) == 4


def test_where_it_is_too_early_all_rest_and_few_try_again():
    lanes = Lanes(iter([resting(n, since=0.0) for n in range(50)]), Throttle.unlimited(), 6)
    now, refused, done = 0.5, 0, 0
    while not lanes.finished:
        for item in lanes.next_batch(now):
            if now < 7.0:
                refused += 1
                assert lanes.again(item, now, None, unseen=True)
            else:
                lanes.settled(item)
                done += 1
        now = lanes.wake_at(now) or now

    assert (refused, done) == (3, 50)
    assert now <= 8.0


def test_nobody_tries_early_while_there_is_other_work_or_where_the_rest_is_certain():
    other = Item(9, Request("POST", "/users"), frozenset({"u"}))
    lanes = Lanes(iter([resting(1, 0.0), other, resting(2, 0.0, CERTAIN, 10.0)]), Throttle.documented(), 6)

    assert [item.key for item in lanes.next_batch(0.1)] == [9]
    assert [item.key for item in lanes.next_batch(0.2)] == [1]
    assert lanes.next_batch(9.9) == []
    assert [item.key for item in lanes.next_batch(10.0)] == [2]


def test_what_would_rest_for_too_long_comes_back_unsent():
    lanes = Lanes(iter([resting(1, 0.0, "team", 900.0)]), Throttle.unlimited(), 6)
    (first,) = lanes.next_batch(1.0)
    assert lanes.too_long(1.0, 60.0) == []
    lanes.again(first, 1.0, None, unseen=True)

    assert lanes.too_long(200.0, 60.0) == []
    assert [item.key for item in lanes.too_long(1.0, 60.0)] == [1]
    assert lanes.finished
