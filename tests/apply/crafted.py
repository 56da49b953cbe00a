"""Plans made by hand, for kinds of change that no profile leads to yet, and a tenant in which each of the newer kinds has a place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import polars as pl
from tests.apply.wire import connected, opened, set_profile, synchronized
from tests.store.world import a_school
from tests.world import School

from rollbook.acts.runs import Session
from rollbook.clock import Clock
from rollbook.plan.changes import CHANGES, DETAILS, Cause, ChangeVerdict, Kind, Plan
from rollbook.store.models import Institute, Link, Run, Tenant

MATHS = "7A Maths"
LEVEL, EVERYBODY = "Έβδομη τάξη · 7th grade", "Λύκειο, all of it"


@dataclass(frozen=True, slots=True)
class Row:
    """One change: of which link, with which other, and the values it sets."""

    kind: Kind
    subject: int
    other: int | None = None
    after: dict[str, Any] | None = None
    before: dict[str, Any] | None = None


def plan_of(session: Session, rows: list[Row]) -> Plan:
    """A plan of exactly these changes, in their order."""
    changes = [
        {"seq": seq, "kind": int(row.kind), "subject": row.subject, "object": row.other, "cause": int(Cause.ASKED_FOR)}
        | {"verdict": int(ChangeVerdict.PLANNED)}
        for seq, row in enumerate(rows, start=1)
    ]
    details = [
        {"seq": seq, "subject": row.subject, "before": row.before and json.dumps(row.before)}
        | {"after": json.dumps(row.after)}
        for seq, row in enumerate(rows, start=1)
        if row.after is not None
    ]
    return Plan(
        tenant=session.scope.tenant,
        profile_version=session.scope.profile_version,
        as_of=session.scope.as_of,
        changes=pl.DataFrame(changes, schema=pl.Schema(CHANGES)),
        details=pl.DataFrame(details, schema=pl.Schema(DETAILS)),
        objections=(),
        fingerprint="crafted",
        first_run=False,
        counts={"changes": len(rows), "waiting": 0, "newly_waiting": 0},
    )


def saved(institute: Institute, rows: list[Row]) -> Run:
    """These changes as an approved run that nobody has begun."""
    with opened(institute) as session:
        plan = plan_of(session, rows)
        run = session.save(plan)
        session.approve(run, plan, None)
    return run


def applied(institute: Institute, run: Run, clock: Clock | None = None) -> Run:
    """The run after all that can be done of it was done."""
    with opened(institute, clock) as session:
        session.apply(run)
    return run


def crafted(institute: Institute, *rows: Row, clock: Clock | None = None) -> Run:
    """These changes, carried out."""
    return applied(institute, saved(institute, list(rows)), clock)


def verdicts(run: Run) -> dict[str, str]:
    """What became of the changes of a run: of each kind the verdicts there are."""
    rows = run.changes.order_by("seq").values_list("kind", "verdict")
    found: dict[str, set[str]] = {}
    for kind, verdict in rows:
        found.setdefault(Kind(kind).name, set()).add(ChangeVerdict(verdict).name)
    return {kind: " ".join(sorted(names)) for kind, names in found.items()}


def link_of(tenant: Any, name: str) -> int:
    """The link of the one user or group of this display name."""
    directory = tenant.directory
    every = [*directory.users.values(), *directory.groups.values()]
    (found,) = [record["id"] for record in every if record["displayName"] == name]
    return int(Link.objects.get(object_id=found).pk)


def node(subject: int) -> Link:
    """The link of a group of the structure that is still to be made."""
    institute = Institute.objects.get()
    marked = {"mark": f"{subject:032x}", "kind": Link.Kind.NODE, "subject": subject}
    return Link.objects.create(tenant=Tenant.objects.get(), institute=institute, **marked)


def group_called(tenant: Any, name: str) -> dict[str, Any]:
    """The one group of this display name, as the tenant keeps it."""
    (found,) = [group for group in tenant.directory.groups.values() if group["displayName"] == name]
    return dict(found)


def people_of(tenant: Any, name: str, relation: str = "members") -> list[str]:
    """Display names of the owners or members, people and groups, of the one group of this name."""
    directory = tenant.directory
    held = getattr(directory, relation).of(group_called(tenant, name)["id"])
    return sorted((directory.users.get(key) or directory.groups.get(key))["displayName"] for key in held)


def two_teachers(students: int = 3) -> School:
    """One class of a teacher, an assistant who owns it too, and some students."""
    school = a_school(students).klass(MATHS, teachers=["Eleni Assistant"])
    school.teachings[-1]["teacher_type"] = "assistant"
    return school


def a_standard_team(tenant: Any, students: int = 3) -> Institute:
    """A synchronized institute with one team that is no class team, and somebody in it who is in no register."""
    institute = connected(two_teachers(students), tenant)
    set_profile(institute, teams__create="group", teams__template="standard")
    synchronized(institute)
    admin = next(u["id"] for u in tenant.directory.users.values() if u["userPrincipalName"].startswith("admin@"))
    tenant.directory.members.tie(group_called(tenant, MATHS)["id"], admin)
    return institute


def every_kind(tenant: Any) -> list[Row]:
    """A change of every newer kind for the tenant of `a_standard_team`."""
    team, assistant = link_of(tenant, MATHS), link_of(tenant, "Eleni Assistant")
    teacher, pupils = link_of(tenant, "Nikos Vasilakis"), [link_of(tenant, f"Pupil No{n}") for n in range(3)]
    whole, level, flat = (node(subject).pk for subject in (901, 902, 903))
    admin = next(u["id"] for u in tenant.directory.users.values() if u["userPrincipalName"].startswith("admin@"))
    behaviours = ["HideGroupInOutlook", "WelcomeEmailDisabled"]
    return [
        Row(Kind.CREATE_GROUP, whole, after={"display_name": EVERYBODY, "description": "Everybody"}),
        Row(Kind.CREATE_GROUP, level, after={"display_name": LEVEL, "description": None}),
        Row(
            Kind.CREATE_UNIFIED,
            flat,
            after={"display_name": "Staff room", "description": "Flat", "mail_nickname": "staff.room"}
            | {"behaviours": behaviours},
        ),
        Row(Kind.UPDATE_GROUP, team, after={"description": "Numbers"}, before={"description": None}),
        Row(Kind.ADD_MEMBER, whole, level),
        *(Row(Kind.ADD_MEMBER, level, pupil) for pupil in pupils),
        Row(Kind.ADD_OWNER, flat, teacher),
        *(Row(Kind.ADD_MEMBER, flat, person) for person in (teacher, assistant)),
        Row(Kind.CREATE_TEAM, flat, after={"template": "standard"}),
        Row(Kind.REMOVE_STRANGER, team, after={"object_id": admin}),
        Row(Kind.DEMOTE_OWNER, team, assistant),
        Row(Kind.ARCHIVE_TEAM, team),
    ]


def as_planned(tenant: Any) -> bool:
    """Whether the tenant is as `every_kind` wants it, with nothing twice."""
    team, flat = group_called(tenant, MATHS), group_called(tenant, "Staff room")
    pupils = [f"Pupil No{n}" for n in range(3)]
    assert people_of(tenant, EVERYBODY) == [LEVEL]
    assert people_of(tenant, LEVEL) == pupils
    assert people_of(tenant, "Staff room") == ["Eleni Assistant", "Nikos Vasilakis"]
    assert people_of(tenant, "Staff room", "owners") == ["Nikos Vasilakis"]
    assert people_of(tenant, MATHS) == ["Eleni Assistant", "Nikos Vasilakis", *pupils]
    assert people_of(tenant, MATHS, "owners") == ["Nikos Vasilakis"]
    assert team["description"] == "Numbers"
    assert team["_team"]["archived"]
    assert (flat["visibility"], flat["securityEnabled"]) == ("Private", False)
    assert flat["resourceBehaviorOptions"] == ["HideGroupInOutlook", "WelcomeEmailDisabled"]
    assert flat["_team"]
    links = Link.objects.exclude(kind=Link.Kind.USER)
    assert [link.archived_at is not None for link in links.order_by("pk")] == [True, False, False, False]
    return True
