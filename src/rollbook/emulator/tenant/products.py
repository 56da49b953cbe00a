"""What a tenant can buy: the two A1 products and their service plans, under Microsoft's public ids."""

from __future__ import annotations

from collections.abc import Collection

from ..wire import Record

TEAMS_PLAN = "57ff2da0-773e-42df-b2af-ffb7a2317929"
EXCHANGE_PLAN = "9aaf7827-d63c-4b61-89c3-182f06f82e5c"
SHAREPOINT_PLAN = "e95bec33-7c88-4a70-8e19-b10bd9d0c014"
PLANS = ((TEAMS_PLAN, "TEAMS1"), (EXCHANGE_PLAN, "EXCHANGE_S_STANDARD"), (SHAREPOINT_PLAN, "SHAREPOINTWAC"))
SKUS = (
    ("STANDARDWOFFPACK_STUDENT", "314c4481-f395-4525-be8b-2ec4bb1e9d91", "student_seats"),
    ("STANDARDWOFFPACK_FACULTY", "94763226-9b3c-4e75-a931-5c89701abe66", "faculty_seats"),
)
"""Office 365 A1 for students and for faculty: part number, SKU id, the option that sets its seats."""


def sku_record(tenant: str, part: str, sku: str, seats: int) -> Record:
    """A subscribed SKU as Graph lists it (section 3)."""
    return {
        "id": f"{tenant}_{sku}",
        "accountId": tenant,
        "accountName": None,
        "skuId": sku,
        "skuPartNumber": part,
        "appliesTo": "User",
        "capabilityStatus": "Enabled",
        "consumedUnits": 0,
        "prepaidUnits": {"enabled": seats, "suspended": 0, "warning": 0, "lockedOut": 0},
        "servicePlans": [
            {"servicePlanId": i, "servicePlanName": n, "provisioningStatus": "Success", "appliesTo": "User"}
            for i, n in PLANS
        ],
        "subscriptionIds": [],
    }


def has_teams_plan(user: Record) -> bool:
    """Whether a user has a licence whose Teams plan is not switched off."""
    return any(TEAMS_PLAN not in licence.get("disabledPlans", ()) for licence in user["assignedLicenses"])


def active_plans(user: Record, skus: Collection[Record]) -> list[Record]:
    """`assignedPlans`: the service plans a user's licences switch on."""
    known = {sku["skuId"]: sku for sku in skus}
    return [
        {
            "assignedDateTime": user["createdDateTime"],
            "capabilityStatus": "Enabled",
            "service": plan["servicePlanName"],
            "servicePlanId": plan["servicePlanId"],
        }
        for licence in user["assignedLicenses"]
        for plan in known[licence["skuId"]]["servicePlans"]
        if plan["servicePlanId"] not in licence["disabledPlans"]
    ]
