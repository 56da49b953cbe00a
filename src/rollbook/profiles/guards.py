"""Guards: from how many changes on a person has to agree; each number declared once.

Every guard has two thresholds: a number of changes, and a share of all that is managed. A plan that exceeds either waits for a person.
Up to the number an operator may agree, beyond it an institute administrator. A single change never exceeds a share.
"""

from __future__ import annotations

from pydantic import Field

from rollbook.profiles.part import Part


class Limit(Part):
    """How many changes of one kind nobody has to agree to."""

    count: int = Field(
        ge=0,
        description=(
            "More than so many wait for an institute administrator. Up to it an operator may agree, where the share is exceeded."
        ),
    )
    percent: float = Field(
        gt=0,
        le=100,
        description="More than so many percent of all that is managed, not only of what is looked at, wait for a person.",
    )


def _limit(count: int, percent: float, description: str) -> Limit:
    """A limit with these defaults; what is said of it stands beside it in every export."""
    found: Limit = Field(default_factory=lambda: Limit(count=count, percent=percent), description=description)
    return found


class Emptied(Part):
    """What counts as a team that loses its people."""

    percent: float = Field(
        default=50,
        gt=0,
        le=100,
        description=(
            "A team that loses more than so many percent of its members waits. By default half, because a class loses a few "
            "pupils in a year and not half of them in a day."
        ),
    )
    members: int = Field(
        default=4, ge=1, description="Teams of fewer members are not looked at: of three, losing two is ordinary."
    )
    count: int = Field(
        default=5, ge=0, description="Up to so many such teams an operator may agree to, more only an administrator."
    )


class Guards(Part):
    """How much may change before a person has to agree. What exceeds no number goes ahead, unless it needs what waits."""

    accounts_disabled: Limit = _limit(
        10, 2, "Accounts whose sign-in is disabled: whoever is disabled by mistake cannot learn or teach that day."
    )
    accounts_unlicensed: Limit = _limit(
        10, 2, "Accounts that lose a licence: mailbox and files begin to expire with it."
    )
    accounts_renamed: Limit = _limit(
        20, 5, "Accounts that get another user name: people sign in with it, and it is printed on cards."
    )
    accounts_created: Limit = _limit(
        200, 20, "Accounts that are made: many at once are a new intake, or the same people a second time."
    )
    members_removed: Limit = _limit(
        100, 5, "Memberships that end, in teams and in groups: whoever is out does not see what is read there."
    )
    teams_archived: Limit = _limit(5, 2, "Teams that are archived: nobody can write in them any more.")
    teams_moved: Limit = _limit(
        5,
        2,
        (
            "Teams that begin while as many are left by everybody at once: classes that got other ids in the register look so, "
            "and their pupils would lose what is in the old teams."
        ),
    )
    teams_emptied: Emptied = Field(
        default_factory=Emptied, description="A team that loses most of its people, however small the numbers are."
    )
    register_shrank: float = Field(
        default=10,
        gt=0,
        le=100,
        description=(
            "Percent by which people, classes or enrolments may be fewer than when the register was last carried out. Beyond it "
            "nobody is disabled, unlicensed or removed until an institute administrator agreed: a delivery that came half looks so."
        ),
    )
    reading_shrank: float = Field(
        default=10,
        gt=0,
        le=100,
        description=(
            "Percent of the accounts and groups we knew that may be missing when the tenant is read. Beyond it nothing is made, "
            "disabled or removed until an institute administrator said that the tenant really is so: a reading that ended early "
            "looks so."
        ),
    )
