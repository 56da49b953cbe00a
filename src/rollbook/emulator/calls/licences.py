"""Licences: seats, direct and inherited assignments, their errors (graph.md section 3, 13.6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ask import Ask
from ..odata.entities import GROUP, USER
from ..odata.pages import related, selected
from ..tenant.tenant import Tenant
from ..wire import Answer, Record, Refusal, bad_request

State = dict[str, Any]


def assign_to_user(ask: Ask) -> Answer:
    """200 with the user; all additions and removals together or none."""
    tenant, known = ask.tenant, USER.to_change(ask.tenant, ask.parameters["id"])
    adding, removing = _asked(ask)
    direct = {s["skuId"]: s for s in known["licenseAssignmentStates"] if s["assignedByGroup"] is None}
    inherited = {s["skuId"] for s in known["licenseAssignmentStates"] if s["assignedByGroup"] is not None}
    for sku in removing:
        if sku not in direct and sku in inherited:
            raise bad_request(
                "User license is inherited from a group membership and it cannot be removed directly from the user."
            )
        if sku not in direct:
            raise bad_request(f"User does not have a corresponding license: {sku}.")
    if adding and not known.get("usageLocation"):
        raise bad_request("License assignment cannot be done for user with invalid usage location.")
    held = {licence["skuId"] for licence in known["assignedLicenses"]}
    for sku in adding:
        if sku not in held and not _free(tenant, sku):
            message = f"Subscription with SKU {sku} does not have any available licenses."
            raise Refusal(400, "Request_BadRequest", message)
    kept = [s for s in known["licenseAssignmentStates"] if s["assignedByGroup"] is not None]
    kept += [s for sku, s in direct.items() if sku not in removing and sku not in adding]
    kept += [_state(tenant, sku, plans, None) for sku, plans in adding.items()]
    record = _with_states(tenant, known, kept)
    return Answer(200, USER.show(tenant, record, None))


def _asked(ask: Ask) -> tuple[dict[str, list[str]], list[str]]:
    """SKUs to add with the plans that are off, and SKUs to remove; 400 for what is no such request."""
    given = ask.record()
    adding, removing = given.get("addLicenses"), given.get("removeLicenses")
    if not isinstance(adding, list) or not isinstance(removing, list) or not all(isinstance(e, dict) for e in adding):
        raise bad_request("The parameters addLicenses and removeLicenses are both required.")
    found = {}
    for entry in adding:
        sku, plans = entry.get("skuId"), entry.get("disabledPlans") or []
        record = ask.tenant.skus.get(sku) if isinstance(sku, str) else None
        if record is None:
            raise bad_request(f"License {sku} does not correspond to a valid company License.")
        known = {plan["servicePlanId"] for plan in record["servicePlans"]}
        for plan in plans if isinstance(plans, list) else [plans]:
            if plan not in known:
                raise bad_request(f"License assignment failed because service plan {plan} is not in the license {sku}.")
        found[record["skuId"]] = list(plans)
    if any(sku in found for sku in removing):
        raise bad_request("A license cannot be added and removed in one request.")
    return found, removing


def _free(tenant: Tenant, sku: str) -> bool:
    record = tenant.skus.get(sku)
    return record is not None and bool(record["consumedUnits"] < record["prepaidUnits"]["enabled"])


def _state(tenant: Tenant, sku: str, plans: list[str], group: str | None, error: str = "None") -> State:
    return {
        "skuId": sku,
        "disabledPlans": plans,
        "assignedByGroup": group,
        "state": "Active" if error == "None" else "Error",
        "error": error,
        "lastUpdatedDateTime": tenant.stamp(),
    }


def _with_states(tenant: Tenant, known: Record, states: list[State]) -> Record:
    """The user with these assignments; seats follow from what is active, one for each product however often assigned."""
    active: dict[str, list[str]] = {}
    for state in states:
        if state["state"] == "Active":
            # A plan is off only if every assignment of the product switches it off.
            plans, sku = state["disabledPlans"], state["skuId"]
            active[sku] = [plan for plan in active[sku] if plan in plans] if sku in active else list(plans)
    held = {licence["skuId"] for licence in known["assignedLicenses"]}
    for sku in active.keys() ^ held:
        tenant.consumed(sku, 1 if sku in active else -1)
    licences = [{"skuId": sku, "disabledPlans": plans} for sku, plans in active.items()]
    record = {**known, "assignedLicenses": licences, "licenseAssignmentStates": states}
    tenant.users.put(known["id"], record)
    return record


def release_all(tenant: Tenant, known: Record) -> None:
    """The seats of a user who is deleted are free again."""
    for licence in known["assignedLicenses"]:
        tenant.consumed(licence["skuId"], -1)


def take_again(tenant: Tenant, known: Record) -> None:
    """The seats of a user who is restored, as far as there are free ones."""
    states = [s for s in known["licenseAssignmentStates"] if _free(tenant, s["skuId"])]
    _with_states(tenant, {**known, "assignedLicenses": []}, states)


def assign_to_group(ask: Ask) -> Answer:
    """202 with the group; its members get the licences in the background."""
    tenant = ask.tenant
    if not tenant.config.group_licensing:
        raise bad_request("Group-based licensing is not part of the tenant's subscription.")
    known = GROUP.to_change(tenant, ask.parameters["id"])
    if not known["securityEnabled"]:
        raise bad_request("Licenses can be assigned to security-enabled groups only.")
    adding, removing = _asked(ask)
    held = {licence["skuId"]: licence["disabledPlans"] for licence in known.get("assignedLicenses", [])}
    for sku in removing:
        if sku not in held:
            raise bad_request(f"Group does not have a corresponding license: {sku}.")
    after = {sku: plans for sku, plans in (held | adding).items() if sku not in removing}
    licences = [{"skuId": sku, "disabledPlans": plans} for sku, plans in after.items()]
    record = {**known, "assignedLicenses": licences, "licenseProcessingState": {"state": "QueuedForProcessing"}}
    tenant.groups.put(known["id"], record)
    everybody = {*tenant.members.of(known["id"]), *_inheriting(tenant, known["id"])}
    tenant.agenda.later("licences", ask.now, tenant.delays.licences, group=known["id"], users=sorted(everybody))
    return Answer(202, GROUP.show(tenant, record, None))


def _inheriting(tenant: Tenant, group: str) -> Iterable[str]:
    """Former members who still have a licence through the group are among the users of earlier errands only."""
    return (
        user["id"]
        for key in tenant.members.of(group)
        if (user := tenant.users.get(key))
        and any(s["assignedByGroup"] == group for s in user["licenseAssignmentStates"])
    )


def follow_membership(tenant: Tenant, group: Record, users_changed: Iterable[str]) -> None:
    """People came into a licensed group or left it: their licences follow."""
    if group.get("assignedLicenses") or group.get("_licensed"):
        now = tenant.clock.now()
        tenant.agenda.later("licences", now, tenant.delays.licences, group=group["id"], users=list(users_changed))


def settle_group(tenant: Tenant, errand: Record) -> None:
    """The errand: give and take the licences of a group for some users, noting errors as Microsoft does."""
    group = tenant.groups.get(errand["group"])
    licences = group.get("assignedLicenses", []) if group is not None else []
    for key in errand["users"]:
        user = tenant.users.get(key)
        if user is None:
            continue
        inside = key in tenant.members.of(errand["group"])
        states = [s for s in user["licenseAssignmentStates"] if s["assignedByGroup"] != errand["group"]]
        states += [_inherited(tenant, user, licence, errand["group"]) for licence in licences if inside]
        _with_states(tenant, user, states)
    if group is not None:
        failing = bool(members_in_error(tenant, errand["group"]))
        done = {"licenseProcessingState": {"state": "ProcessingComplete"}, "hasMembersWithLicenseErrors": failing}
        tenant.groups.put(group["id"], {**group, **done, "_licensed": True})


def _inherited(tenant: Tenant, user: Record, licence: Record, group: str) -> State:
    sku, error = licence["skuId"], "None"
    if not user.get("usageLocation"):
        error = "ProhibitedInUsageLocationViolation"
    elif sku not in {held["skuId"] for held in user["assignedLicenses"]} and not _free(tenant, sku):
        error = "CountViolation"
    return _state(tenant, sku, licence["disabledPlans"], group, error)


def members_in_error(tenant: Tenant, group: str) -> list[Record]:
    """The members who did not get what the group should give them."""
    return [
        user
        for key in tenant.members.of(group)
        if (user := tenant.users.get(key))
        and any(s["assignedByGroup"] == group and s["state"] == "Error" for s in user["licenseAssignmentStates"])
    ]


def listing_in_error(ask: Ask) -> Answer:
    """200 with the members of a group whose licences have errors."""
    known = GROUP.find(ask.tenant, ask.parameters["id"])
    return related(
        ask, members_in_error(ask.tenant, known["id"]), lambda user, _: USER.show(ask.tenant, user, selected(ask))
    )


def details(ask: Ask) -> Answer:
    """200 with a user's licences and their service plans."""
    tenant, known = ask.tenant, USER.find(ask.tenant, ask.parameters["id"])
    found = []
    for licence in known["assignedLicenses"]:
        sku = tenant.skus.get(licence["skuId"])
        assert sku is not None
        plans = [
            {
                **plan,
                "provisioningStatus": "Disabled" if plan["servicePlanId"] in licence["disabledPlans"] else "Success",
            }
            for plan in sku["servicePlans"]
        ]
        found.append(
            {
                "id": f"{known['id']}_{sku['skuId']}",
                "skuId": sku["skuId"],
                "skuPartNumber": sku["skuPartNumber"],
                "servicePlans": plans,
            }
        )
    return related(ask, found, lambda record, _: record)
