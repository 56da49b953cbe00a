"""The data model, one module a subject. Every row carries its institute, tenant or source; names of people stand in
`PersonRecord`, `Account`, `ChangeDetail`, `NameReservation` and `Secret` only, so that they can be erased; so can the reasons that
people give in `LinkHistory`, `Decision`, `ProtectedAccount` and `Refusal`, which are their own words."""

from rollbook.store.models.accounts import RoleGrant, User
from rollbook.store.models.groupings import Grouping
from rollbook.store.models.jobs import Job, Worker
from rollbook.store.models.mirror import Account, DeltaLink, MirrorKey, MirrorMember, MirrorObject, Noticed, SeenGroup
from rollbook.store.models.notices import Notice, NoticeChannel, NoticeMail
from rollbook.store.models.organisation import Connection, Institute, Organisation, Tenant
from rollbook.store.models.people import Affiliation, Guardianship, Person, PersonRecord
from rollbook.store.models.profiles import Profile, ProfileVersion
from rollbook.store.models.proofs import Deviation, ProofGroup
from rollbook.store.models.queues import Due, Outbox, QuotaLevel, ScopeMark, TenantLease
from rollbook.store.models.register import (
    AcademicPeriod,
    ClassMarking,
    Enrolment,
    EnrolmentRelease,
    Grade,
    Group,
    Klass,
    Location,
    MarkingPeriod,
    Subject,
    Teaching,
)
from rollbook.store.models.review import Decision, ProtectedAccount
from rollbook.store.models.runs import (
    PARTS,
    Answer,
    Approval,
    Change,
    ChangeDetail,
    Hold,
    Intent,
    Refusal,
    Run,
)
from rollbook.store.models.sources import BY_HAND, DELIVERED, MANUAL, Delivery, EntityCounter, Source
from rollbook.store.models.tenancy import (
    ClaimAttempt,
    ClaimCode,
    LicenceGrant,
    Link,
    LinkHistory,
    NameReservation,
    Secret,
)
from rollbook.store.models.trail import Trail

__all__ = [
    "BY_HAND",
    "DELIVERED",
    "MANUAL",
    "PARTS",
    "AcademicPeriod",
    "Account",
    "Affiliation",
    "Answer",
    "Approval",
    "Change",
    "ChangeDetail",
    "ClaimAttempt",
    "ClaimCode",
    "ClassMarking",
    "Connection",
    "Decision",
    "Delivery",
    "DeltaLink",
    "Deviation",
    "Due",
    "Enrolment",
    "EnrolmentRelease",
    "EntityCounter",
    "Grade",
    "Group",
    "Grouping",
    "Guardianship",
    "Hold",
    "Institute",
    "Intent",
    "Job",
    "Klass",
    "LicenceGrant",
    "Link",
    "LinkHistory",
    "Location",
    "MarkingPeriod",
    "MirrorKey",
    "MirrorMember",
    "MirrorObject",
    "NameReservation",
    "Notice",
    "NoticeChannel",
    "NoticeMail",
    "Noticed",
    "Organisation",
    "Outbox",
    "Person",
    "PersonRecord",
    "Profile",
    "ProfileVersion",
    "ProofGroup",
    "ProtectedAccount",
    "QuotaLevel",
    "Refusal",
    "RoleGrant",
    "Run",
    "ScopeMark",
    "Secret",
    "SeenGroup",
    "Source",
    "Subject",
    "Teaching",
    "Tenant",
    "TenantLease",
    "Trail",
    "User",
    "Worker",
]
