"""The reasons of a proof as codes, and the sentences they are told in."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from rollbook.plan.changes import Cause
from rollbook.plan.sentences import REASONS, UNDATED
from rollbook.words import by_count, counted

MISSING, EXTRA, PENDING, WAITING, LEAVING, HELD, KEPT = STATUSES = (
    "missing",
    "extra",
    "pending",
    "waiting",
    "leaving",
    "held",
    "kept",
)
"""What a deviation is, faults first. Only what is missing or extra is one."""


class Why(StrEnum):
    """The one reason somebody is missing, extra, pending, kept, waiting or held; some are completed by the plan's own cause."""

    HELD = "held"
    ACCOUNT_WAITS = "account_waits"
    GROUP_WAITS = "group_waits"
    NESTED_WAITS = "nested_waits"
    WAITS = "waits"
    REFUSED = "refused"
    PUT_OFF = "put_off"
    BLOCKED = "blocked"
    NOT_APPLIED = "not_applied"
    UNAPPROVED = "unapproved"
    DECLINED = "declined"
    DRIFTED = "drifted"
    NOT_SEEN = "not_seen"
    NOT_GONE = "not_gone"
    NOT_PLANNED = "not_planned"
    NOT_IN_REGISTER = "not_in_register"
    LAST_OWNER = "last_owner"
    KEPT = "kept"
    OWNER_BY_HAND = "owner_by_hand"
    OUT_OF_SCOPE = "out_of_scope"
    LEVEL_OFF = "level_off"
    GROUP_LEFT_ALONE = "group_left_alone"
    ACCOUNT_LEFT_ALONE = "account_left_alone"
    TEAM_PENDING = "team_pending"
    ROSTER_PENDING = "roster_pending"
    NOT_ACTIVATED = "not_activated"


BY_A_PERSON = (Why.UNAPPROVED, Why.DECLINED)
"""Why somebody waits, or is still leaving, who would not if somebody had agreed."""

SENTENCES: dict[Why, str] = {
    Why.HELD: "{cause}",
    Why.ACCOUNT_WAITS: "the account waits: {cause}",
    Why.GROUP_WAITS: "the group waits: {cause}",
    Why.NESTED_WAITS: "the group that is nested in it waits: {cause}",
    Why.WAITS: "{cause}",
    Why.REFUSED: "Microsoft refused the change: {answer}",
    Why.PUT_OFF: "Microsoft put the change off, the next run tries again: {answer}",
    Why.BLOCKED: "what has to be there first could not be made: {answer}",
    Why.NOT_APPLIED: "the change is planned and was not carried out; see `rollbook show`",
    Why.UNAPPROVED: "the change waits for a person's approval; see `rollbook show`",
    Why.DECLINED: "somebody refused the change; `rollbook approve` takes that back",
    Why.DRIFTED: "somebody changed this in the tenant after the plan was made, and nothing was overwritten; the next run looks again",
    Why.NOT_SEEN: "added, and the group does not show it: Microsoft is slow, or somebody took it back; the next run looks again",
    Why.NOT_GONE: "removed, and the group still shows it: Microsoft is slow, or somebody put it back; the next run looks again",
    Why.NOT_PLANNED: "not in the plan of this run: the register or the tenant changed meanwhile; the next run mends it",
    Why.NOT_IN_REGISTER: "added by hand; people who are not in the register are left alone",
    Why.LAST_OWNER: "is the last owner, and stays until somebody else is",
    Why.KEPT: "kept by rule: previous enrolments are kept",
    Why.OWNER_BY_HAND: "made an owner by hand; owners of groups of hierarchies are left alone",
    Why.OUT_OF_SCOPE: "belongs there outside the profile's scope, where nothing is changed",
    Why.LEVEL_OFF: "the group of a level that is off or hidden now; it is still to be taken out, with whoever is in it",
    Why.GROUP_LEFT_ALONE: "nobody is removed from this group: {cause}",
    Why.ACCOUNT_LEFT_ALONE: "nothing is done for this person: {cause}",
    Why.TEAM_PENDING: "in the group; Microsoft is still making the team",
    Why.ROSTER_PENDING: "in the group; Microsoft puts everybody into the team within hours",
    Why.NOT_ACTIVATED: "in the group; waits until a teacher activates the class team",
}
"""`cause` is what the plan says, `answer` what Microsoft said."""

SILENT: dict[Why, str] = {
    Why.ACCOUNT_WAITS: "has no account, and none is planned",
    Why.GROUP_WAITS: "the group is not there, and none is planned",
    Why.NESTED_WAITS: "the group that would be nested in it is not there",
    Why.REFUSED: "Microsoft refused the change; see `rollbook show`",
    Why.PUT_OFF: "Microsoft put the change off; the next run tries again",
    Why.BLOCKED: "what has to be there first could not be made; see `rollbook show`",
}
"""The same where the plan, or Microsoft, says nothing more."""


def cause_sentence(cause: int) -> str:
    """What the plan says of a cause, without the word that it waits."""
    return UNDATED.get(Cause(cause), REASONS[Cause(cause)]).removeprefix("waits: ")


def why_sentence(why: str, cause: int | None = None, answer: str = "") -> str:
    """The reason as a sentence."""
    code = Why(why)
    said = cause_sentence(cause) if cause is not None else answer
    if not said and code in SILENT:
        return SILENT[code]
    return SENTENCES[code].format(cause=said, answer=said)


def but_for(numbers: Mapping[str, int], changes: int = 0) -> str:
    """What a tenant without a fault is not equal for, as words behind "equal but for"; empty where it is equal.

    `numbers` are those of a proof, `changes` how many of its run wait for approval, which may be of accounts alone.
    """
    unapproved, declined = (numbers.get(why.value, 0) for why in BY_A_PERSON)
    rest = numbers.get(WAITING, 0) + numbers.get(LEAVING, 0) - unapproved - declined
    told = (
        [f"{counted(unapproved, 'membership')} that {by_count(unapproved, 'waits', 'wait')} for approval"]
        if unapproved
        else []
    )
    if changes and not unapproved:
        told.append(f"{counted(changes, 'change')} that {by_count(changes, 'waits', 'wait')} for approval")
    if declined:
        told.append(f"{counted(declined, 'membership')} of which somebody refused the change")
    if rest:
        told.append(f"{counted(rest, 'membership')} that {by_count(rest, 'waits', 'wait')} for a stated reason")
    return ", ".join(told)


def verdict_sentence(numbers: Mapping[str, int], changes: int = 0) -> str:
    """The verdict of a proof in a few words; what is asked as in `but_for`."""
    if numbers[MISSING] or numbers[EXTRA]:
        return "NOT equal"
    excepted = but_for(numbers, changes)
    return f"proven equal but for {excepted}" if excepted else "proven equal"
