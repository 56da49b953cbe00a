"""Changes as sentences for people: what happens and why. One table per kind and cause; names are given by the caller."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rollbook.plan.changes import Cause, ChangeVerdict, Kind, Objection
from rollbook.words import counted

Say = Callable[[str, str], str]

ACTS: dict[Kind, Say] = {
    Kind.LINK_USER: lambda who, _: f"{who} is linked to the account that is already there",
    Kind.RESTORE_USER: lambda who, _: f"{who}'s deleted account is restored",
    Kind.CREATE_USER: lambda who, _: f"{who} gets an account",
    Kind.UPDATE_USER: lambda who, _: f"{who}'s account is updated",
    Kind.ENABLE_USER: lambda who, _: f"{who} may sign in again",
    Kind.DISABLE_USER: lambda who, _: f"{who} may no longer sign in",
    Kind.RENAME_USER: lambda who, _: f"{who} gets another user name",
    Kind.SET_PASSWORD: lambda who, _: f"{who} gets a new password",
    Kind.LICENSE_USER: lambda who, _: f"{who} gets a licence",
    Kind.UNLICENSE_USER: lambda who, _: f"{who} loses the licence",
    Kind.CREATE_GROUP: lambda what, _: f"{what}: the group is made",
    Kind.LICENSE_GROUP: lambda what, _: f"{what}: the group carries the profile's licences",
    Kind.JOIN_LICENCE_GROUP: lambda what, who: f"{who} gets a licence through the group {what}",
    Kind.LEAVE_LICENCE_GROUP: lambda what, who: f"{who} loses the licence of the group {what}",
    Kind.LINK_GROUP: lambda what, _: f"{what} is linked to the group that is already there",
    Kind.CREATE_CLASS: lambda what, _: f"{what} gets a class group",
    Kind.CREATE_UNIFIED: lambda what, _: f"{what} gets a Microsoft 365 group",
    Kind.UPDATE_CLASS: lambda what, _: f"{what}'s class group is updated",
    Kind.UPDATE_GROUP: lambda what, _: f"{what}'s group is updated",
    Kind.UNARCHIVE_TEAM: lambda what, _: f"{what}'s team is no longer archived",
    Kind.ADD_OWNER: lambda what, who: f"{what} gets the owner {who}",
    Kind.ADD_MEMBER: lambda what, who: f"{what} gains {who}",
    Kind.CREATE_TEAM: lambda what, _: f"{what} becomes a team",
    Kind.REMOVE_MEMBER: lambda what, who: f"{what} loses {who}",
    Kind.REMOVE_OWNER: lambda what, who: f"{what} no longer has the owner {who}",
    Kind.DEMOTE_OWNER: lambda what, who: f"{what} has {who} as a member, no longer as owner",
    Kind.REMOVE_STRANGER: lambda what, _: f"{what} loses somebody who is not in the register",
    Kind.ARCHIVE_TEAM: lambda what, _: f"{what}'s team is archived",
    Kind.RETURN_STRANGER: lambda what, _: f"{what} gets somebody back who is not in the register",
}

PUT_BACK: dict[Kind, Say] = {
    Kind.LICENSE_USER: lambda who, _: f"{who} gets back the licences there were before",
    Kind.LICENSE_GROUP: lambda what, _: f"{what}: the group carries the licences it had before",
}
"""What happens where a run is undone, and the kind alone would say what that run did."""

REASONS: dict[Cause, str] = {
    Cause.NO_ACCOUNT: "in the register, without an account",
    Cause.MATCHED: "the match property names exactly this one",
    Cause.VALUES_DIFFER: "the register, or the profile, says otherwise now",
    Cause.RETURNED: "is current again",
    Cause.LEFT: "is no longer current in the register, since {day}",
    Cause.NO_LICENCE: "the profile gives this user type a licence",
    Cause.NO_CLASS: "the class has no group at Microsoft yet",
    Cause.ENROLMENT_CURRENT: "enrolment began {day}",
    Cause.TEACHING_CURRENT: "teaching began {day}",
    Cause.ENROLMENT_ENDED: "no current enrolment any more",
    Cause.TEACHING_ENDED: "does not teach the class any more",
    Cause.NO_TEAM: "the class group is not a team yet",
    Cause.DELETED: "was deleted at Microsoft, but is current in the register",
    Cause.NAME_CHANGED: "the name in the register changed, and the profile renames then",
    Cause.GRACE_OVER: "left on {day}, and the grace is over",
    Cause.LICENCE_CHANGED: "the profile gives this user type other products or plans",
    Cause.NO_GROUP: "the group is not there yet",
    Cause.IN_STRUCTURE: "belongs there by the school's structure",
    Cause.NOT_IN_STRUCTURE: "belongs there no longer by the school's structure",
    Cause.NESTED: "stands inside it in the school's structure",
    Cause.NOT_NESTED: "stands inside it no longer in the school's structure",
    Cause.EXTRA_OWNER: "the profile names a standing owner",
    Cause.STILL_MEMBER: "the register says member now",
    Cause.UNKNOWN_PERSON: "not in the register, and the profile removes whoever is not",
    Cause.GROUP_LICENCES: "the profile gives this user type other products or plans",
    Cause.ASKED_FOR: "an administrator asked for it",
    Cause.TAKEN_OUT_BY_HAND: "somebody took them out at Microsoft by hand, and they belong there by the register",
    Cause.PUT_IN_BY_HAND: "somebody put them in at Microsoft by hand, and the register says otherwise",
    Cause.CHANGED_BY_HAND: "somebody changed it at Microsoft by hand, and the register still says what we had set",
    Cause.ENABLED_BY_HAND: "somebody enabled the account at Microsoft by hand, and the person is no longer current",
    Cause.UNLICENSED_BY_HAND: "somebody took the licence away at Microsoft by hand, and the profile gives it",
    Cause.UNDONE: "the run that did the opposite is undone",
    Cause.CHANGED_SINCE: "waits: somebody changed it after the run; look at it at Microsoft",
    Cause.STAYS: "waits: this is not put back",
    Cause.NOT_REPLACED: "waits: people in it still belong there, and the groups they are to be in instead wait themselves",
    Cause.NO_TEACHER: "waits: no teacher yet",
    Cause.LAST_OWNER: (
        "waits: is the last owner, or the last one with an enabled account and a licence; "
        "somebody else has to be that first"
    ),
    Cause.AMBIGUOUS_MATCH: "waits: several match; choose one",
    Cause.MATCH_TAKEN: "waits: what matches belongs to somebody else already",
    Cause.NO_NAME: "waits: no user name can be made from what the register says",
    Cause.NO_SEATS: "waits: no free licence; buy seats or free some",
    Cause.OWNERS_WAIT: "waits: no teacher of the class has an enabled account with a licence yet",
    Cause.ACCOUNT_GONE: "waits: the linked account is no longer in the tenant; restore it at Microsoft, or `rollbook link unlink`",
    Cause.TEAM_GONE: "waits: the linked group is no longer in the tenant; restore it at Microsoft, or `rollbook link unlink --class`",
    Cause.HELD: "waits: held, the enrolment began on {day}, before the sync start date; see `rollbook release`",
    Cause.GROUP_MAPPING_FAILED: "waits: a mapping gives no usable value; see `rollbook teams` and `rollbook tree`",
    Cause.TOO_MANY_GROUPS: "waits: Microsoft lets nobody be in more groups than this person would be",
    Cause.TOO_MANY_OWNERS: "waits: Microsoft lets no group have more than 100 owners",
    Cause.TOO_MANY_MEMBERS: "waits: Microsoft lets no team have more members",
    Cause.KEPT_ON_PREMISES: "waits: the group is kept by your Active Directory; change it there",
    Cause.GROUP_OWNER_WAITS: "waits: no owner the profile names for these groups has an account that may be used",
    Cause.STAFF_BY_EMAIL: "waits: found by an e-mail address, which its owner can change; link staff by hand",
    Cause.PROTECTED: (
        "waits: the account holds an administrator role (or we may not read roles), is in a restricted administrative "
        "unit, or is on the list of accounts that are never touched, so only an administrator changes it; see "
        "`rollbook protect list`, and `rollbook protect remove` for what is on it"
    ),
    Cause.MAPPING_FAILED: "waits: a mapping gives no usable value; see `rollbook mapping try`",
    Cause.GROUP_GONE: "waits: the linked group is no longer in the tenant; restore it at Microsoft",
    Cause.DISABLED_ELSEWHERE: "waits: somebody else disabled the account; only they enable it again",
    Cause.ON_PREMISES: "waits: kept by your Active Directory; change it there",
    Cause.CREATION_OFF: "waits: no account, creating is off",
    Cause.LINK_UNDONE: "waits: its link was undone; decide which one is meant, or that a new one is made",
    Cause.WENT_ON: "waits: its team goes on as another one, as somebody decided; `rollbook rollover part` gives it back",
    Cause.SHARED_MAILBOX: "waits: what matches looks like a shared mailbox (disabled, no licence, with mail); link it by hand",
    Cause.RESTRICTED_UNIT: (
        "waits: what matches is in an administrative unit with restricted management; link it by hand, or move it out of there"
    ),
    Cause.PROTECTED_MATCH: (
        "waits: found by an e-mail address, which its owner can change, and the account is protected; link it by hand"
    ),
    Cause.NOBODY: "waits: somebody decided that there is to be no account",
    Cause.DYNAMIC_GROUP: "waits: Microsoft finds the members of the group by a rule, so nobody is added or removed here",
    Cause.NO_TEAM_TO_ARCHIVE: "waits: the group is no team, and only teams can be archived",
    Cause.ARCHIVED_ALREADY: "waits: is archived already",
    Cause.NOT_ARCHIVED: "waits: is not archived",
    Cause.FOREIGN_MARK: "waits: what it is linked to does not carry our mark; look who else manages it, or unlink",
    Cause.NOT_LINKED: "waits: has no linked account",
    Cause.SIGNS_IN_ELSEWHERE: "waits: signs in at another provider, which keeps the password; set it there",
}

WHY: dict[str, str] = {
    "sis_number": "its employee id is the SIS number",
    "username": "its name before the @ is the user name",
    "email": "its user name is the e-mail address in the register",
    "address": "its e-mail address is the one this would get",
    "external_id": "its external id is the one in the register",
    "name": "it is called so",
    "undone": "was linked, and the link was undone",
    "taken": "is linked to somebody else",
    "marked": "carries a mark, so it was made for somebody else",
    "several": "is found for several people",
    "restricted": "is in an administrative unit with restricted management",
    "shared": "looks like a shared mailbox",
    "protected": "is protected",
}
"""What speaks for and against a candidate, by the words plan.match uses."""

UNDATED: dict[Cause, str] = {
    Cause.LEFT: "is no longer current in the register",
    Cause.ENROLMENT_CURRENT: "enrolment is current",
    Cause.TEACHING_CURRENT: "teaching is current",
    Cause.HELD: "waits: held by the sync start date; see `rollbook release`",
}

OBJECTIONS: dict[str, tuple[str, str]] = {
    "accounts-created": ("account", "would be created"),
    "accounts-disabled": ("account", "would be disabled"),
    "accounts-unlicensed": ("account", "would lose the licence"),
    "accounts-renamed": ("account", "would get another user name"),
    "members-removed": ("membership", "would be removed"),
    "passwords-set": ("new password", "would be set"),
    "teams-archived": ("team", "would be archived"),
    "teams-unarchived": ("team", "would be taken back from the archive"),
    "run-undone": ("change", "would be put back"),
    "teams-emptied": ("team", "would lose over half of the members"),
    "teams-moved": ("team", "would begin while as many are left by everybody, as if classes had got other ids"),
}

READ: dict[str, str] = {
    "register-shrank": (
        "{count:,} of {managed:,} {what} are in the register no more; nobody loses anything because of it until {who} agrees."
    ),
    "tenant-shrank": (
        "{count:,} of {managed:,} {what} we knew were not found in the tenant; nothing is made, disabled or removed until {who} says "
        "that it really is so."
    ),
    "group-shrank": (
        "{count:,} of {managed:,} groups were read with far fewer people than they held; nobody is added or removed there until {who} "
        "says that it really is so."
    ),
}
"""What is said of a reading that shrank."""

VERDICTS: dict[ChangeVerdict, str] = {
    ChangeVerdict.UNAPPROVED: "waits for approval",
    ChangeVerdict.DECLINED: "refused by a person; asked again when its cause changes",
    ChangeVerdict.DRIFTED: (
        "left as it is: somebody changed it in the tenant after the plan was made, and nothing was overwritten; the next run looks again"
    ),
}
"""What is said of a change that was not applied although Microsoft did not refuse it."""

HOLDS: dict[str, str] = {
    "first-run": "the first run of a profile",
    "needed": "needs a change that is not approved",
    "accounts-created": "many accounts would be created",
    "accounts-disabled": "many accounts would be disabled",
    "accounts-unlicensed": "many accounts would lose their licence",
    "accounts-renamed": "many accounts would get another user name",
    "members-removed": "many memberships would end",
    "teams-archived": "many teams would be archived",
    "teams-emptied": "the team would lose most of its people",
    "teams-moved": "many teams would begin while as many are left",
    "register-shrank": "the register shrank",
    "tenant-shrank": "the reading of the tenant shrank",
    "group-shrank": "the group was read with far fewer people than it held",
}
"""Why a change waits for approval, by the code of what holds it."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What happens, and why."""

    act: str
    reason: str

    def __str__(self) -> str:
        """The act and its reason in one line."""
        return f"{self.act}: {self.reason}"


STAYS: dict[Kind, str] = {
    Kind.LINK_USER: "stays: a link is undone by `rollbook link unlink`",
    Kind.LINK_GROUP: "stays: a link is undone by `rollbook link unlink`",
    Kind.SET_PASSWORD: "stays: nobody knows the password before; set another one by `rollbook passwords`",
    Kind.CREATE_GROUP: "stays: groups are never deleted here; delete it at Microsoft if nobody needs it",
    Kind.CREATE_CLASS: "stays: groups are never deleted here; delete it at Microsoft if nobody needs it",
    Kind.CREATE_UNIFIED: "stays: groups are never deleted here; delete it at Microsoft if nobody needs it",
    Kind.CREATE_TEAM: "stays: a team is no mere group again; archive it by `rollbook rollover archive`, or delete it at Microsoft",
    Kind.LICENSE_USER: "stays: the run does not remember which licences there were before",
    Kind.UNLICENSE_USER: "stays: the run does not remember which licences there were before",
    Kind.LICENSE_GROUP: "stays: the run does not remember which licences there were before",
}
"""Why what a run did is not put back by undoing it."""


def sentence(kind: int, cause: int, subject: str, other: str = "", day: dt.date | None = None) -> Sentence:
    """One change as a sentence; `subject` and `other` are what the school calls them."""
    why = Cause(cause)
    if why == Cause.STAYS:
        return Sentence(ACTS[Kind(kind)](subject, other), STAYS[Kind(kind)])
    template = UNDATED.get(why, REASONS[why]) if day is None else REASONS[why]
    act = PUT_BACK.get(Kind(kind), ACTS[Kind(kind)]) if why == Cause.UNDONE else ACTS[Kind(kind)]
    return Sentence(act(subject, other), template.format(day=day.isoformat() if day else ""))


def told_values(before: Mapping[str, object], after: Mapping[str, object]) -> str:
    """What each value is and will be, of those that differ: "display name: Maths -> Maths 7A"; empty where none does."""
    return ", ".join(
        f"{name.replace('_', ' ')}: {_shown(before[name])} -> {_shown(value)}"
        for name, value in after.items()
        if name in before and before[name] != value
    )


def _shown(value: object) -> str:
    return "(nothing)" if value in (None, "") else str(value)


def objection_sentence(objection: Objection) -> str:
    """A tripped guard as a sentence: the limit that was passed, and who has to agree because of it."""
    who = "an institute administrator" if objection.administrator else "a person"
    if objection.code in READ:
        return READ[objection.code].format(
            count=objection.count, managed=objection.managed, what=objection.what, who=who
        )
    one, would = OBJECTIONS[objection.code]
    what = f"{counted(objection.count, one)} {would}"
    if not objection.limit:
        return f"{what}; {who} has to look at each of them."
    of = f"{what}, of {objection.managed:,} managed"
    if objection.count > objection.limit:
        return f"{of}: more than {objection.limit:,}, so {who} has to agree."
    return (
        f"{of}: more than {objection.percent:g} %, so an operator has to agree (beyond {objection.limit:,}, "
        "an institute administrator)."
    )
