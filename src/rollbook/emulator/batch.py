"""JSON batching: what a batch has to look like, and what its answers look like (graph.md section 8)."""

from __future__ import annotations

from typing import Any

from .wire import Answer, Record, Refusal, bad_request

SIZE = 20


def entries(body: Any) -> dict[str, Record]:
    """The calls of a batch by folded id; 400 for too many, none, two of one id, or a call that is none."""
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or not requests:
        raise bad_request("Invalid batch payload format.", code="BadRequest")
    if len(requests) > SIZE:
        message = f"Number of batch request steps exceeds the maximum value of {SIZE}."
        raise Refusal(400, "MaximumValueExceeded", message)
    found: dict[str, Record] = {}
    for entry in requests:
        key = _checked(entry)
        if key in found:
            raise bad_request(f"Request Id {entry['id']} is duplicated.", code="BadRequest")
        found[key] = entry
    for entry in requests:
        for needed in entry.get("dependsOn") or ():
            if str(needed).casefold() not in found:
                raise bad_request(
                    f"Request Id {entry['id']} depends on {needed}, which is not there.", code="BadRequest"
                )
    return found


def _checked(entry: Any) -> str:
    """The folded id of one call; 400 if it is none."""
    if not isinstance(entry, dict) or not {"id", "method", "url"} <= entry.keys():
        raise bad_request("Invalid batch payload format.", code="BadRequest")
    headers, needed = entry.get("headers"), entry.get("dependsOn")
    if (headers is not None and not isinstance(headers, dict)) or (needed is not None and not isinstance(needed, list)):
        raise bad_request("Invalid batch payload format.", code="BadRequest")
    if str(entry["url"]).partition("?")[0].endswith("$batch"):
        raise bad_request("Batches cannot be nested.", code="BadRequest")
    if "body" in entry and "content-type" not in {name.lower() for name in headers or ()}:
        message = f"Write request id : {entry['id']} does not contain Content-Type header or body."
        raise bad_request(message, code="BadRequest")
    return str(entry["id"]).casefold()


def response(entry: Record, answer: Answer) -> Record:
    """One answer as it stands in the answer to the batch."""
    if answer.body is None:
        return {"id": entry["id"], "status": answer.status, "headers": dict(answer.headers)}
    headers = {"Content-Type": "application/json", **answer.headers}
    return {"id": entry["id"], "status": answer.status, "headers": headers, "body": answer.body}
