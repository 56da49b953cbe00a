"""Registers, once per application, the directory extension that carries our mark on users (graph.md section 13.11)."""

from __future__ import annotations

from rollbook.graph.protocol import Request, verdict
from rollbook.graph.transport import Transport

NAME = "rollbook"


def mark_property(client_id: str) -> str:
    """The name under which Graph shows the mark: extension_{application id without dashes}_rollbook."""
    return f"extension_{client_id.replace('-', '')}_{NAME}"


def ensure_mark_property(transport: Transport, client_id: str) -> str:
    """The property's name, registered at Microsoft if it was not. Needs Application.ReadWrite.OwnedBy only if it is missing."""
    name = mark_property(client_id)
    path = f"/applications(appId='{client_id}')/extensionProperties"
    listing = Request("GET", path)
    listed = transport.send(listing)
    if (fault := verdict(listing, listed)) is not None:
        raise fault
    if any(entry["name"] == name for entry in listed.body["value"]):
        return name
    registering = Request("POST", path, {"name": NAME, "dataType": "String", "targetObjects": ["User", "Group"]})
    if (fault := verdict(registering, transport.send(registering))) is not None:
        raise fault
    return name
