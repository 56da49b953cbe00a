"""What became of a change in the words of a school: what happened, who acts, whether waiting helps. One table, pure.

Decided on the kind of change and on Microsoft's status and code; an unknown code falls back to its status, an unknown status to the
verdict. Microsoft's own words, and the id its support asks for, are shown beside it and never decided upon.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rollbook.plan.changes import ChangeVerdict, Kind


@dataclass(frozen=True, slots=True)
class Told:
    """What happened, to be read after the change's own sentence; who acts; whether waiting helps."""

    what: str
    acts: str
    waiting_helps: bool


NOBODY = "Nobody has to act"
OFFICE = "The office corrects it in the register or the profile"
ADMINISTRATOR = "An administrator of Microsoft 365"

ACCOUNT, GROUP, LICENCE, RELATION, TEAM = "account", "group", "licence", "relation", "team"

ABOUT: Mapping[str, tuple[Kind, ...]] = {
    LICENCE: (
        Kind.LICENSE_USER,
        Kind.UNLICENSE_USER,
        Kind.LICENSE_GROUP,
    ),
    RELATION: (
        Kind.ADD_OWNER,
        Kind.ADD_MEMBER,
        Kind.REMOVE_OWNER,
        Kind.REMOVE_MEMBER,
        Kind.DEMOTE_OWNER,
        Kind.REMOVE_STRANGER,
        Kind.RETURN_STRANGER,
        Kind.JOIN_LICENCE_GROUP,
        Kind.LEAVE_LICENCE_GROUP,
    ),
    GROUP: (Kind.CREATE_GROUP, Kind.CREATE_CLASS, Kind.CREATE_UNIFIED, Kind.UPDATE_CLASS, Kind.UPDATE_GROUP),
    TEAM: (Kind.CREATE_TEAM, Kind.ARCHIVE_TEAM, Kind.UNARCHIVE_TEAM),
}
"""What a change is about; what is not listed is about an account."""

NEVER: Mapping[tuple[str, int, str], Told] = {
    (ACCOUNT, 400, ""): Told("Microsoft does not accept a value of the account", OFFICE, waiting_helps=False),
    (ACCOUNT, 403, "Authorization_RequestDenied"): Told(
        "Microsoft refused it, although we may write to accounts; perhaps this one holds an administrator role, or is in a "
        "restricted unit, which nobody checked",
        f"{ADMINISTRATOR} changes it by hand; Rollbook leaves alone what it put on `rollbook protect list` because of that, "
        "until `rollbook protect remove` takes it off",
        waiting_helps=False,
    ),
    (ACCOUNT, 403, ""): Told(
        "Microsoft does not allow us to change the account", f"{ADMINISTRATOR} allows it", waiting_helps=False
    ),
    (ACCOUNT, 404, ""): Told(
        "somebody deleted the account at Microsoft while it was being changed",
        f"{NOBODY}: the next synchronization looks again",
        waiting_helps=True,
    ),
    (LICENCE, 400, ""): Told(
        "Microsoft did not give the licence: no seat is free, or it does not go with the others, or with the country",
        "Whoever buys the licences looks at them; the profile may name another",
        waiting_helps=False,
    ),
    (LICENCE, 403, ""): Told(
        "Microsoft does not allow us to give licences to this account", f"{ADMINISTRATOR} gives it", waiting_helps=False
    ),
    (LICENCE, 404, ""): Told(
        "somebody deleted the account at Microsoft before it got its licence",
        f"{NOBODY}: the next synchronization looks again",
        waiting_helps=True,
    ),
    (GROUP, 400, ""): Told("Microsoft does not accept a value of the group", OFFICE, waiting_helps=False),
    (GROUP, 403, ""): Told(
        "Microsoft does not allow us to change the group", f"{ADMINISTRATOR} allows it", waiting_helps=False
    ),
    (GROUP, 404, ""): Told(
        "somebody deleted the group at Microsoft while it was being changed",
        f"{ADMINISTRATOR} restores it, or it is unlinked; the next synchronization looks again",
        waiting_helps=False,
    ),
    (RELATION, 400, ""): Told(
        "Microsoft does not accept this person in the group", f"{ADMINISTRATOR} looks at both", waiting_helps=False
    ),
    (RELATION, 403, ""): Told(
        "Microsoft does not allow us to change who is in the group", f"{ADMINISTRATOR} allows it", waiting_helps=False
    ),
    (RELATION, 404, ""): Told(
        "the group, or the person's account, was deleted at Microsoft meanwhile",
        f"{NOBODY}: the next synchronization looks again",
        waiting_helps=True,
    ),
    (TEAM, 200, ""): Told(
        "Microsoft began with the team and gave up",
        f"{NOBODY}: the next synchronization asks again",
        waiting_helps=True,
    ),
    (TEAM, 403, ""): Told(
        "Microsoft makes no team while its owner has no licence that holds Teams, or may not sign in",
        "The office gives the teacher a licence with Teams",
        waiting_helps=False,
    ),
    (TEAM, 404, ""): Told("there is no team (any more)", f"{NOBODY}: there is nothing to archive", waiting_helps=False),
}
"""By what it is about, status and code; an empty code serves all others of that status."""

LATER: Mapping[int, Told] = {
    0: Told("Microsoft gave no answer, or is still at it", NOBODY, waiting_helps=True),
    400: Told("Microsoft does not see everything yet that was just made", NOBODY, waiting_helps=True),
    401: Told(
        "the synchronization stopped before it, because our sign-in is no longer accepted",
        f"{ADMINISTRATOR} renews the connection",
        waiting_helps=False,
    ),
    403: Told(
        "the synchronization stopped before it, because the consent does not cover it any more",
        f"{ADMINISTRATOR} gives consent again",
        waiting_helps=False,
    ),
    404: Told("Microsoft does not see it yet; what was just made takes minutes", NOBODY, waiting_helps=True),
    409: Told("somebody else was changing the same at the same moment", NOBODY, waiting_helps=True),
    423: Told("somebody else was changing the same at the same moment", NOBODY, waiting_helps=True),
    429: Told("Microsoft limits how fast we may go, for longer than we could wait", NOBODY, waiting_helps=True),
}
"""By status; every other one is a Microsoft that is busy, or out of order."""

TAKEN = Told("the name was taken meanwhile; the next plan picks another", NOBODY, waiting_helps=True)
BUSY = Told("Microsoft is busy, or out of order for the moment", NOBODY, waiting_helps=True)
REFUSED = Told("Microsoft refused it", f"{ADMINISTRATOR} looks at Microsoft's answer", waiting_helps=False)
BLOCKED = Told("something it needs could not be made", "See the changes above that were refused", waiting_helps=False)

NAMING = (Kind.CREATE_USER, Kind.CREATE_CLASS, Kind.CREATE_UNIFIED, Kind.RENAME_USER, Kind.RESTORE_USER)


def told(kind: int, verdict: int, status: int = 0, code: str = "") -> Told | None:
    """What is said of a change with this verdict and answer; None where there is nothing to say, because it went as planned."""
    if verdict == ChangeVerdict.BLOCKED:
        return BLOCKED
    if verdict == ChangeVerdict.LATER:
        if status == 400 and kind in NAMING:
            return TAKEN
        return LATER.get(status, BUSY)
    if verdict == ChangeVerdict.NEVER:
        about = next((name for name, kinds in ABOUT.items() if kind in kinds), ACCOUNT)
        return NEVER.get((about, status, code)) or NEVER.get((about, status, "")) or REFUSED
    return None


def said(what: Told) -> str:
    """The whole in one line."""
    return f"{what.what}. {what.acts}. Waiting {'helps' if what.waiting_helps else 'does not help'}."
