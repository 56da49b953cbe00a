"""What may be sent when, as numbers: no write before what it needs, every write once, long chains first, as few as can be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rollbook.apply.executor import STAGES
from rollbook.apply.needs import Schedule, Unit, pack
from rollbook.apply.requests import Change
from rollbook.plan.changes import Kind
from rollbook.plan.make import WAVES

STAGE_OF = {kind: n for n, kinds in enumerate(STAGES.values()) for kind in kinds}
PEOPLE, GROUPS = range(1, 40), range(101, 108)


def changes_of(rows: list[tuple[Kind, int, int | None]]) -> list[Change]:
    """These changes in the order of a plan."""
    ordered = sorted(rows, key=lambda row: (WAVES[row[0]], row[1], row[0], row[2] or 0))
    return [Change(seq, kind, subject, other, {}, {}) for seq, (kind, subject, other) in enumerate(ordered, start=1)]


def run(units: list[Unit], at_once: int, order: list[int]) -> list[tuple[str, Unit]]:
    """Events: each unit taken, and done, with up to so many on their way that come back in this order."""
    schedule, flying, events = Schedule(units), [], []
    choices = iter(order)
    while True:
        unit = schedule.take() if len(flying) < at_once else None
        if unit is not None:
            flying.append(unit)
            events.append(("taken", unit))
            continue
        if not flying:
            return events
        back = flying.pop(next(choices, 0) % len(flying))
        schedule.done(back)
        events.append(("done", back))


@st.composite
def plans(draw):
    """A first synchronization with some groups of each kind."""
    rows: list[tuple[Kind, int, int | None]] = []
    made = draw(st.sets(st.sampled_from(PEOPLE)))
    rows += [(Kind.CREATE_USER, person, None) for person in made]
    rows += [(Kind.LICENSE_USER, person, None) for person in draw(st.sets(st.sampled_from(PEOPLE)))]
    for group in draw(st.sets(st.sampled_from(GROUPS))):
        maker = draw(st.sampled_from([None, Kind.CREATE_CLASS, Kind.CREATE_UNIFIED, Kind.CREATE_GROUP]))
        rows += [(maker, group, None)] if maker else []
        owners = draw(st.sets(st.sampled_from(PEOPLE), max_size=4))
        rows += [(Kind.ADD_OWNER, group, person) for person in owners]
        rows += [(Kind.ADD_MEMBER, group, person) for person in draw(st.sets(st.sampled_from(PEOPLE)))]
        if owners and draw(st.booleans()):
            rows.append((Kind.CREATE_TEAM, group, None))
    return changes_of(rows)


@given(plans(), st.integers(1, 30), st.lists(st.integers(0, 100)))
def test_everything_goes_once_and_never_before_what_it_needs(changes, at_once, order):
    events = run(pack(changes, STAGE_OF), at_once, order)

    taken = [unit for what, unit in events if what == "taken"]
    assert sorted(change.seq for unit in taken for change in unit.changes) == [change.seq for change in changes]
    made = {change.subject for change in changes if change.kind.name.startswith("CREATE_") and change.kind < 90}
    owners = {(c.subject, c.other) for c in changes if c.kind == Kind.ADD_OWNER}
    there, on_their_way = set(), set()
    accounts_open = {c.seq for c in changes if c.kind in (Kind.CREATE_USER, Kind.LICENSE_USER)}
    about = {c.seq: c.subject for c in changes}
    for what, unit in events:
        if what == "done":
            on_their_way.discard(unit.subject)
            accounts_open -= {change.seq for change in unit.changes}
            there |= {unit.subject}
            continue
        # Never two writes of one object at once, but the accounts', which the lanes keep apart.
        assert unit.subject not in on_their_way
        on_their_way.add(unit.subject)
        makes = unit.kind in (Kind.CREATE_USER, Kind.CREATE_CLASS, Kind.CREATE_UNIFIED, Kind.CREATE_GROUP)
        assert makes or unit.subject not in made or unit.subject in there
        for change in unit.changes:
            assert change.other is None or change.other not in made or change.other in there
        if unit.kind == Kind.CREATE_TEAM:
            waiting = {about[seq] for seq in accounts_open}
            assert not any((unit.subject, person) in owners for person in waiting)


def test_as_few_writes_as_can_be():
    rows = [(Kind.CREATE_UNIFIED, 101, None), (Kind.CREATE_CLASS, 102, None)]
    rows += [(Kind.ADD_MEMBER, group, person) for group in (101, 102) for person in range(1, 40)]
    rows += [(Kind.ADD_OWNER, group, person) for group in (101, 102) for person in (40, 41)]
    units = pack(changes_of(rows), STAGE_OF)

    sizes = [(unit.kind.name, unit.subject, len(unit.changes)) for unit in units]
    assert sizes == [
        ("CREATE_CLASS", 102, 1),
        ("CREATE_UNIFIED", 101, 21),
        ("ADD_MEMBER", 101, 20),
        ("ADD_MEMBER", 101, 1),
        ("ADD_OWNER", 102, 20),
        ("ADD_MEMBER", 102, 20),
        ("ADD_MEMBER", 102, 1),
    ]


def test_the_longest_chain_begins_and_people_come_before_classes():
    rows = [(Kind.CREATE_USER, person, None) for person in range(1, 70)]
    rows += [(Kind.LICENSE_USER, person, None) for person in range(1, 70)]
    rows += [(Kind.CREATE_CLASS, group, None) for group in (101, 102)]
    rows += [(Kind.ADD_OWNER, group, 1) for group in (101, 102)]
    rows += [(Kind.ADD_MEMBER, 101, person) for person in range(2, 60)]
    rows += [(Kind.ADD_MEMBER, 102, person) for person in range(2, 10)]
    rows += [(Kind.CREATE_TEAM, group, None) for group in (101, 102)]
    events = run(pack(changes_of(rows), STAGE_OF), 1, [])

    order = [(unit.kind, unit.subject) for what, unit in events if what == "taken"]
    # 101 has a class, three additions and a team before it: everybody it needs first, then itself.
    assert {kind for kind, _ in order[:59]} == {Kind.CREATE_USER}
    assert {person for _, person in order[:59]} == set(range(1, 60))
    assert order.index((Kind.CREATE_CLASS, 101)) < order.index((Kind.CREATE_CLASS, 102))
    assert order.index((Kind.CREATE_CLASS, 101)) < order.index((Kind.CREATE_USER, 69))
    # The teacher's licence lets teams begin, whose quota is another; the pupils' fill the directory's at the end.
    assert order.index((Kind.LICENSE_USER, 1)) < order.index((Kind.CREATE_TEAM, 102))
    assert order.index((Kind.ADD_OWNER, 102)) < order.index((Kind.LICENSE_USER, 2))


def test_a_group_that_was_begun_is_finished_before_the_next_so_that_teams_can_begin():
    rows = [(kind, group, None) for group in range(101, 151) for kind in (Kind.CREATE_CLASS, Kind.CREATE_TEAM)]
    rows += [(Kind.ADD_OWNER, group, 1) for group in range(101, 151)]
    rows += [(Kind.ADD_MEMBER, group, person) for group in range(101, 151) for person in range(2, 50)]
    rows += [(Kind.CREATE_USER, 1, None), (Kind.LICENSE_USER, 1, None)]
    rows += [(Kind.LICENSE_USER, person, None) for person in range(2, 50)]
    taken = [unit for what, unit in run(pack(changes_of(rows), STAGE_OF), 4, []) if what == "taken"]

    additions = [unit for unit in taken if unit.kind in (Kind.ADD_OWNER, Kind.ADD_MEMBER)]
    last_of_first = max(n for n, unit in enumerate(additions) if unit.subject == 101)
    assert len({unit.subject for unit in additions[:last_of_first]}) < 12
    # The teacher's licence goes with the additions, because the teams need it; the pupils' come last.
    assert taken.index(next(unit for unit in taken if unit.kind == Kind.LICENSE_USER)) < taken.index(additions[0])
