"""The scheduler: nothing lost, nothing twice, never two writes on one object, pauses kept. Time is a number here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.errors import Later, Never, Stop
from rollbook.graph import batch
from rollbook.graph.lanes import Lanes
from rollbook.graph.protocol import CERTAIN, Answer, Item, Request, Rest, decipher, object_conflict_target, verdict
from rollbook.graph.throttle import Throttle


def item(key: int, *objects: str) -> Item:
    return Item(key, Request("PATCH", f"/groups/{objects[0]}"), frozenset(objects))


@given(st.lists(st.sampled_from("abcdef"), max_size=120), st.lists(st.integers(0, 3), max_size=200))
def test_everything_travels_once_settled_and_never_two_of_one_object_at_once(objects, choices):
    lanes = Lanes(iter([item(n, name) for n, name in enumerate(objects)]), Throttle.unlimited(), max_attempts=4)
    flying: list[list[Item]] = []
    settled: list[int] = []
    now, choice = 0.0, iter(choices)
    while not lanes.finished:
        sent = lanes.next_batch(now) if len(flying) < 3 else []
        if sent:
            flying.append(sent)
            names = [name for each in flying for travelling in each for name in travelling.objects]
            assert len(names) == len(set(names))
        elif flying:
            for landed in flying.pop(0):
                if next(choice, 0) == 1 and lanes.again(landed, now, 2.0):
                    continue
                lanes.settled(landed)
                settled.append(landed.key)
        else:
            due = lanes.wake_at(now)
            assert due is not None
            now = due

    assert sorted(settled) == list(range(len(objects)))


def test_an_item_that_was_put_off_travels_again_after_the_pause_and_not_before():
    lanes = Lanes(iter([item(1, "a")]), Throttle.unlimited(), max_attempts=2)
    (first,) = lanes.next_batch(0.0)

    assert lanes.again(first, 0.0, 7.0)
    assert lanes.next_batch(6.9) == []
    assert lanes.wake_at(6.9) == 7.0
    (second,) = lanes.next_batch(7.0)
    assert not lanes.again(second, 7.0, 7.0)


def test_an_item_with_a_pause_rests_once_before_it_travels_and_holds_nobody_up():
    resting = Item(1, Request("PATCH", "/groups/a"), frozenset("a"), rest=Rest(CERTAIN, 3.0, 10.0))
    lanes = Lanes(iter([resting, item(2, "a")]), Throttle.unlimited(), max_attempts=2)

    (other,) = lanes.next_batch(3.0)
    lanes.settled(other)

    assert other.key == 2
    assert not lanes.finished
    assert lanes.wake_at(3.0) == 13.0
    assert lanes.next_batch(12.9) == []
    assert lanes.next_batch(13.0) == [resting]
    assert lanes.again(resting, 13.0, 1.0)
    assert lanes.next_batch(14.0) == [resting]


def test_a_batch_takes_twenty_items_of_different_objects():
    lanes = Lanes(
        iter([*(item(n, "same") for n in range(30)), *(item(99 + n, f"o{n}") for n in range(30))]),
        Throttle.unlimited(),
        2,
    )

    sent = lanes.next_batch(0.0)

    assert len(sent) == 20
    assert sum("same" in each.objects for each in sent) == 1


@pytest.mark.parametrize(
    ("method", "path", "rate"),
    [
        ("POST", "/groups", 20),
        ("PATCH", "/groups/g", 20),
        ("DELETE", "/groups/g/members/u/$ref", 20),
        ("POST", "/teams", 8.3),
        ("PATCH", "/teams/g/members/m", 24.9),
        ("POST", "/teams/g/archive", 24.9),
    ],
)
def test_every_write_is_paced_by_the_quota_it_draws_from(method, path, rate):
    throttle, request = Throttle.documented(), Request(method, path)
    now = 0.0
    for _ in range(3_200):
        now = throttle.ready_at(request, now)
        throttle.take(request, now)
    begun = now
    for _ in range(100):
        now = throttle.ready_at(request, now)
        throttle.take(request, now)

    assert 100 / (now - begun) == pytest.approx(rate)


def test_after_a_429_nothing_goes_before_the_pause_is_over():
    throttle = Throttle.unlimited()
    throttle.pause(10.0)

    assert throttle.ready_at(Request("POST", "/users"), 3.0) == 10.0


@given(st.permutations(range(7)))
def test_answers_of_a_batch_are_told_apart_in_any_order(order):
    responses = [{"id": str(n), "status": 200 + n, "headers": {"Retry-After": "3"}, "body": {"n": n}} for n in order]

    answers = batch.unpack(Answer(200, body={"responses": responses}), 8)

    assert [answer and answer.body["n"] for answer in answers] == [*range(7), None]
    assert answers[0].header("retry-after") == "3"


def test_a_batch_of_more_than_twenty_is_a_defect():
    with pytest.raises(ValueError, match="1 to 20"):
        batch.pack([Request("GET", "/users")] * 21)


def refused(status: int, code: str = "x", message: str = "", **headers: str) -> Answer:
    return Answer(status, headers, {"error": {"code": code, "message": message}})


FRESH_LINK = "The source resource object or one of the objects being referenced don't exist."


@pytest.mark.parametrize(
    ("answer", "fresh", "kind"),
    [
        (Answer(204), False, type(None)),
        (refused(429), False, Later),
        (refused(503), False, Later),
        (refused(500), False, Later),
        (refused(409, "Directory_ConcurrencyViolation"), False, Later),
        (refused(409, "Conflict", "The group is already provisioned"), False, Never),
        (refused(404), True, Later),
        (refused(404), False, Never),
        (refused(400, "Request_BadRequest", FRESH_LINK), True, Later),
        (refused(400, "Request_BadRequest", FRESH_LINK), False, Never),
        (refused(403, "Authorization_RequestDenied"), False, Never),
        (refused(401, "InvalidAuthenticationToken"), False, Stop),
        (Answer(418), False, Never),
    ],
)
def test_every_answer_has_one_verdict(answer, fresh, kind):
    fault = verdict(Request("POST", "/x"), answer, fresh=fresh)

    assert isinstance(fault, kind)
    if fault is not None:
        assert fault.remedy


def test_retry_after_is_taken_from_the_answer():
    assert verdict(Request("POST", "/x"), refused(429, **{"retry-after": "17"})).delay == 17.0


def test_the_property_in_conflict_is_read_from_the_details_not_the_text():
    details = [{"code": "ObjectConflict", "message": "whatever", "target": "userPrincipalName"}]
    answer = Answer(400, body={"error": {"code": "Request_BadRequest", "message": "x", "details": details}})

    assert object_conflict_target(answer) == "userPrincipalName"
    assert object_conflict_target(refused(400)) is None


def test_an_answer_that_broke_off_is_asked_again():
    with pytest.raises(Later, match="broke off"):
        decipher(200, {}, b'{"value": [')


def test_passwords_are_not_in_what_is_printed_of_a_request():
    from rollbook.graph import codec

    request = codec.create_user(
        password="hunter2-Geheim", mark_property="m", mark="x", display_name="Maria", account_enabled=True
    )

    assert "hunter2" not in repr(request)
    assert "hunter2" not in repr(Item(1, request, frozenset()))


def test_an_address_that_is_neither_encrypted_nor_on_this_machine_is_refused():
    from rollbook.errors import InputRefused
    from rollbook.graph.transport import require_safe

    for good in ("https://graph.microsoft.com/v1.0", "http://127.0.0.1:1/v1.0", "http://localhost/", "http://[::1]:5/"):
        require_safe(good)
    for bad in ("http://graph.microsoft.com/v1.0", "http://127.0.0.1.evil.example/", "ftp://127.0.0.1/"):
        with pytest.raises(InputRefused):
            require_safe(bad)
