"""What a plan is made of: small changes as integers, and the frozen `Plan` that holds them.

A change says (kind, subject, object, cause); its sentence, its request and its reverse are functions of it, one table each.
Subject and object are our link ids, never Microsoft's, because a plan is older than the objects it makes. Names and other
personal values stand in `details` only, which the store keeps apart so that they can be erased.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import polars as pl


class Kind(IntEnum):
    """What is done. The order is the order of the waves in which a plan is applied; gaps leave room for later kinds."""

    LINK_USER = 10  # an account that is there is matched to a person; writes nothing
    RESTORE_USER = 15  # a softly deleted account of ours comes back
    CREATE_USER = 20
    UPDATE_USER = 30
    ENABLE_USER = 31
    DISABLE_USER = 32
    RENAME_USER = 34
    SET_PASSWORD = 36  # planned for people somebody chose, never from a difference
    LICENSE_USER = 40
    UNLICENSE_USER = 41
    CREATE_GROUP = 42
    LICENSE_GROUP = 43
    JOIN_LICENCE_GROUP = 44
    LEAVE_LICENCE_GROUP = 45
    LINK_GROUP = 50  # a group that is there is matched to a team or a node; writes nothing
    CREATE_CLASS = 60
    CREATE_UNIFIED = 61  # a Microsoft 365 group that is no class
    UPDATE_CLASS = 70
    UPDATE_GROUP = 71
    UNARCHIVE_TEAM = 75  # planned for teams somebody chose
    ADD_OWNER = 80
    ADD_MEMBER = 81  # a person, or a group that is nested in another
    RETURN_STRANGER = 82  # a member who is not in the register comes back; details name the object
    CREATE_TEAM = 90
    REMOVE_OWNER = 100
    REMOVE_MEMBER = 101
    DEMOTE_OWNER = 102  # of a team: no owner any more, but a member without interruption
    REMOVE_STRANGER = 103  # a member who is not in the register; details name the object
    ARCHIVE_TEAM = 110  # planned for teams somebody chose

    @property
    def label(self) -> str:
        """The kind in plain words, such as "create user"."""
        return self.name.lower().replace("_", " ")


class Cause(IntEnum):
    """Why a change is planned, or why something waits; `day` and `details` complete the sentence."""

    NO_ACCOUNT = 1  # the person has no account yet
    MATCHED = 2  # the match property names exactly one account
    VALUES_DIFFER = 3
    RETURNED = 4  # current again, and it was we who disabled the account
    LEFT = 5  # no longer current
    NO_LICENCE = 6
    NO_CLASS = 7  # the class has no group at Microsoft yet
    ENROLMENT_CURRENT = 8  # day: the day the enrolment began
    TEACHING_CURRENT = 9  # day: the day the teaching began
    ENROLMENT_ENDED = 10
    TEACHING_ENDED = 11
    NO_TEAM = 12  # the class group is not a team yet
    DELETED = 13  # the account was deleted, and the person is current
    NAME_CHANGED = 14  # the user name no longer follows from the register
    GRACE_OVER = 15  # day: since when the person has left
    LICENCE_CHANGED = 16  # the profile gives other products, or switches other plans off
    NO_GROUP = 17  # the group is not there yet
    GROUP_LICENCES = 18  # the group does not carry exactly the products of the profile
    IN_STRUCTURE = 19  # a node of the school's structure that is on one of the person's paths
    NOT_IN_STRUCTURE = 20
    NESTED = 21  # the node stands inside this one
    NOT_NESTED = 22
    EXTRA_OWNER = 23  # a standing owner by the profile
    STILL_MEMBER = 24  # no owner any more by the register, and still a member
    UNKNOWN_PERSON = 25  # not in the register, and the profile removes those
    ASKED_FOR = 30  # an administrator asked for it
    UNDONE = 31  # a run is undone
    # numbers from 33 on: somebody changed it at Microsoft by hand since we brought it about (plan.by_hand)
    TAKEN_OUT_BY_HAND = 33
    PUT_IN_BY_HAND = 34
    CHANGED_BY_HAND = 35
    ENABLED_BY_HAND = 36
    UNLICENSED_BY_HAND = 37
    # reasons to wait: nothing is sent, said again at every plan until the cause is gone
    NO_TEACHER = 40
    LAST_OWNER = 41  # nobody else who can act is an owner, or becomes one
    AMBIGUOUS_MATCH = 42
    MATCH_TAKEN = 43  # the account found is linked to somebody else
    NO_NAME = 44  # no user name could be made from what the register says
    NO_SEATS = 45
    OWNERS_WAIT = 47  # every teacher of the class waits for an account or a licence
    ACCOUNT_GONE = 48  # the linked account is no longer in the tenant
    TEAM_GONE = 49  # the linked group of a team is no longer in the tenant
    STAFF_BY_EMAIL = 50  # found by an e-mail address, which its owner can change: staff is linked by a person only
    MAPPING_FAILED = 52  # a mapping of the profile gives this person no usable value
    PROTECTED = 53  # holds a directory role, or roles cannot be read
    DISABLED_ELSEWHERE = 60  # somebody else disabled the account
    ON_PREMISES = 61  # the account is kept by the school's own Active Directory
    CREATION_OFF = 62  # there is no account, and the profile makes none
    GROUP_GONE = 63  # the linked group of a node, or of licences, is no longer in the tenant
    GROUP_OWNER_WAITS = 67  # no owner of the groups of the structure has an account yet
    DYNAMIC_GROUP = 66  # Microsoft finds the members of the group by a rule
    HELD = 54  # the enrolment began before the sync start date, and was not released
    GROUP_MAPPING_FAILED = 55  # a mapping of the profile gives this team or group no usable value
    TOO_MANY_GROUPS = 56  # Microsoft's limit of groups for one person
    TOO_MANY_OWNERS = 57  # Microsoft's limit of owners of one group
    TOO_MANY_MEMBERS = 58  # Microsoft's limit of members of one team
    KEPT_ON_PREMISES = 59  # the group is kept by the school's own Active Directory
    NO_TEAM_TO_ARCHIVE = 68  # the group is no team
    ARCHIVED_ALREADY = 69
    NOT_ARCHIVED = 75
    FOREIGN_MARK = 51  # the object carries somebody else's mark, or none where ours should be
    NOT_LINKED = 64  # the person has no linked account
    SIGNS_IN_ELSEWHERE = 65  # a federated domain, or a guest: Microsoft does not keep the password
    # numbers from 70 on: matches that a person decides
    CHANGED_SINCE = 90  # somebody changed it after the run that is undone
    NOT_REPLACED = 92  # whoever is in the nested group would lose what the upper one gives: their new place waits
    STAYS = 91  # what that run did is not put back by any request
    WENT_ON = 76  # its team goes on as another's, as somebody decided
    LINK_UNDONE = 70  # somebody undid a link; who or what is meant instead is not decided
    SHARED_MAILBOX = 71  # what matches looks like a shared mailbox
    RESTRICTED_UNIT = 72  # what matches is in an administrative unit with restricted management
    PROTECTED_MATCH = 73  # what matches is protected, and was found by a property its owner can change
    NOBODY = 74  # somebody decided that there is to be no account


WAITING_FROM = 40
"""Causes from here on mean that the change waits."""


class ChangeVerdict(IntEnum):
    """What became of a change. PLANNED and SENT are open; UNAPPROVED is open again once somebody agrees; the others are final."""

    PLANNED = 0
    SENT = 1
    DONE = 2
    WAITS = 3  # for a stated reason, nothing is wrong
    LATER = 4  # Microsoft could not now; the next run tries again
    NEVER = 5  # Microsoft refused; somebody has to act
    BLOCKED = 6  # a change it needs was not done
    UNAPPROVED = 7  # waits for a person's approval
    DECLINED = 8  # a person refused it, or something it needs
    DRIFTED = 9  # the tenant was no longer as it was when the plan was made; nothing was overwritten


CHANGES: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "seq": pl.Int32,  # from 1, in the order of application
    "kind": pl.UInt8,  # Kind
    "subject": pl.Int64,  # link of the user or group it is about
    "object": pl.Int64,  # link of the user, or nested group, added or removed; null otherwise
    "cause": pl.UInt8,  # Cause
    "day": pl.Date,  # completes the cause; null where it has none
    "needs_subject": pl.Int32,  # seq of the change that makes the subject; null if it is there
    "needs_object": pl.Int32,  # the same for the object; of an owner who leaves, the addition of the one who follows
    "verdict": pl.UInt8,  # ChangeVerdict: PLANNED or WAITS in a new plan
}

DETAILS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "seq": pl.Int32,
    "subject": pl.Int64,
    "before": pl.String,  # JSON object of attributes at Microsoft, or null
    "after": pl.String,  # JSON object of attributes as they will be, or null
}


@dataclass(frozen=True, slots=True)
class Objection:
    """A guard that tripped: `code` says which, how many changes, of how many managed, and both limits (absolute, percent).

    `administrator`: beyond what an operator may agree to. `what` is the table or the kind of object it is about, where it says so.
    """

    code: str
    count: int
    managed: int
    limit: int
    percent: float
    administrator: bool = False
    what: str = ""


HELD: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "seq": pl.Int32,
    "code": pl.String,  # of the objection that holds the change; a change may be held by several
}


def nothing_held() -> pl.DataFrame:
    """No change that a guard holds (schema HELD)."""
    return pl.DataFrame(schema=pl.Schema(HELD))


@dataclass(frozen=True, slots=True)
class Forecast:
    """Seats of one licence: how many people need one now, how many seats are free, how many people are left out."""

    sku: str
    part: str
    needed: int
    free: int
    short: int


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes that would make the tenant equal to the register, frozen; `fingerprint` is what is approved.

    `changes` and `details` have the schemas CHANGES and DETAILS, `held` (schema HELD) says which changes which guard holds. Equal
    content has an equal fingerprint, whenever it was made.
    """

    tenant: str
    profile_version: int
    as_of: dt.date
    changes: pl.DataFrame
    details: pl.DataFrame
    objections: tuple[Objection, ...]
    fingerprint: str
    first_run: bool
    counts: Mapping[str, int] = field(default_factory=dict)
    forecast: tuple[Forecast, ...] = ()
    held: pl.DataFrame = field(default_factory=nothing_held)
    register: Mapping[str, int] = field(default_factory=dict)  # rows by table, of a plan of the whole register
