"""The desired state of a tenant: users, teams and memberships as the register and the profile ask for them.

Two steps, because subjects need link ids before they can be compared: `managed_people` and `managed_classes` say who and
what is managed at all; with links for those, `build_desired` says how they should look.
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from rollbook.desired import current
from rollbook.desired.licence_groups import OF_TYPE, groups_of_licences
from rollbook.desired.mapping import mapped, properties
from rollbook.desired.memberships import memberships
from rollbook.desired.names import candidates
from rollbook.desired.people import TenantFacts, licences_of, roles_of, users
from rollbook.desired.teams import nickname_bases, teams
from rollbook.directory.desired import PEOPLE, REASONS, Desired
from rollbook.directory.state import State
from rollbook.profiles import Profile
from rollbook.roster.tables import Roster


def build_desired(
    roster: Roster,
    profile: Profile,
    as_of: dt.date,
    facts: TenantFacts,
    people: pl.DataFrame,
    classes: pl.DataFrame,
    licence_groups: pl.DataFrame | None = None,
) -> Desired:
    """The desired state on `as_of`.

    `people` is what `managed_people` returned plus the columns link and mark; `classes` what `managed_classes` returned plus the
    same; `licence_groups` [user_type, link, mark] are given where licences go through groups. Raises InputRefused if the
    profile names a domain or licence the tenant does not have.
    """
    enrolments = current.current_enrolments(roster, profile, as_of)
    teachings = current.current_teachings(roster, profile, as_of)
    rows = properties(roster, people, as_of)
    values, problems = mapped(rows, profile.users.mappings)
    relations = memberships(profile, enrolments, teachings, people, classes)
    licences = licences_of(profile, facts)
    groups = licence_groups if licence_groups is not None else pl.DataFrame(schema=pl.Schema(OF_TYPE))
    used = groups.join(licences, on="user_type", how="semi")
    return Desired(
        state=State(
            users=users(roster, profile, facts, people, values),
            teams=teams(roster, profile, classes),
            groups=groups_of_licences(roster, used, licences),
            memberships=relations.select(
                "team",
                "user",
                "relation",
                pl.lit(None, dtype=pl.String).alias("user_object_id"),
            ),
        ),
        people=people.select(PEOPLE.keys()),
        user_names=candidates(rows, profile, people, roles_of(profile, facts)),
        nicknames=nickname_bases(roster, classes),
        reasons=relations.select(REASONS.keys()),
        usernames=people.select("person", "link")
        .join(rows.select("person", pl.col("username").str.split("@").list.first()), on="person")
        .select("link", "username"),
        licences=licences,
        licence_groups=used.select("user_type", group="link"),
        unmapped=people.join(problems.select("person").unique(), on="person", how="semi").select("link"),
    )
