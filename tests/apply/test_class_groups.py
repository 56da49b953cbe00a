"""Teams of classes whose group is derived: a folder is imported, somebody joins, next year is delivered beside it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from tests.apply.wire import joined, members_of, opened, synchronized, synchronized_on
from tests.sources.homerooms import Homerooms, two_homerooms, with_next_year
from tests.store.world import ACTOR, Frozen

from rollbook.acts import rollover
from rollbook.acts.deliveries import import_delivery
from rollbook.acts.desk import held
from rollbook.acts.profiles import Author
from rollbook.plan.changes import Kind
from rollbook.store.models import Institute

NEXT = dt.date(2027, 9, 1)
AUTHOR = Author(ACTOR, Frozen())


def delivered(school: Homerooms, folder: Path) -> Institute:
    return import_delivery(school.folder(folder), ACTOR, Frozen()).institute


def planned(institute: Institute) -> list[Kind]:
    with opened(institute) as session:
        plan, _ = session.plan()
    return [Kind(kind) for kind in plan.changes.sort("seq")["kind"]]


def teams(tenant) -> dict[str, str]:
    """Name of every group by its id at Microsoft."""
    return {key: group["displayName"] for key, group in tenant.directory.groups.items()}


def test_a_guest_pupil_and_next_years_classes_move_no_team(sqlite_store, tenant, tmp_path):
    institute = joined(delivered(two_homerooms(), tmp_path / "1"), tenant)
    synchronized(institute)
    before = teams(tenant)

    delivered(two_homerooms().joins("s4", "m7a"), tmp_path / "2")
    assert planned(institute) == [Kind.ADD_MEMBER]
    synchronized(institute)
    assert members_of(tenant, "m7a") == ["Nikos Vasilakis", "Pupil No1", "Pupil No2", "Pupil No3", "Pupil No4"]

    delivered(with_next_year(two_homerooms().joins("s4", "m7a")), tmp_path / "3")
    assert planned(institute) == []
    synchronized_on(institute, NEXT)
    assert before.items() <= teams(tenant).items()
    assert sorted(set(teams(tenant).values()) - set(before.values())) == ["h8a", "h8b", "m8a", "m8b"]
    assert len(members_of(tenant, "m7a")) == 5


def test_a_team_whose_subject_was_corrected_goes_on_within_the_year_when_somebody_says_so(
    sqlite_store, tenant, tmp_path
):
    institute = joined(delivered(two_homerooms(), tmp_path / "1"), tenant)
    synchronized(institute)
    before = teams(tenant)
    corrected = two_homerooms().klass("m7a", "2026", course="physics")
    delivered(corrected, tmp_path / "2")

    request = rollover.Request(institute, None, dt.date(2026, 10, 1), AUTHOR)
    (pair,) = rollover.look(request).candidates
    going_on = rollover.going_on(request, pair.old_handle, pair.new_handle)
    assert (pair.shared, pair.students) == (3, 3)
    assert "3 of the 3 students" in going_on.told[0]
    with held(institute, AUTHOR) as desk:
        rollover.continue_team(desk, going_on)

    assert Kind.CREATE_CLASS not in planned(institute)
    synchronized(institute)
    assert teams(tenant) == before
    assert len(members_of(tenant, "m7a")) == 4
