"""The control switches as a page: what a person may do to the tenant that no tenant of Microsoft's would let them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from .control import Control
from .faults import KINDS
from .graph import Graph
from .layout import address, form, table
from .tenant.tenant import Tenant
from .wire import Answer


def _field(name: str, label: str, attributes: str) -> str:
    return f'<div><label for="{name}">{label}</label><input id="{name}" name="{name}" {attributes}></div>'


def _choice(name: str, label: str, words: tuple[str, ...]) -> str:
    options = "".join(f"<option>{word}</option>" for word in words)
    return f'<div><label for="{name}">{label}</label><select id="{name}" name="{name}">{options}</select></div>'


@dataclass(frozen=True, slots=True)
class Switch:
    """One form. call: the control call it makes. state: how it stands. body: the call's body from the form's fields."""

    title: str
    call: str
    button: str
    fields: str
    state: Callable[[Graph, Tenant], str]
    body: Callable[[dict[str, str], Tenant], object]


SWITCHES = (
    Switch(
        "Clock",
        "advance",
        "Push the clock forward",
        _field("hours", "Hours", 'type="number" min="0" step="any" value="24"'),
        lambda _, tenant: f"It is {tenant.stamp()} in the tenant.",
        lambda given, _: {"seconds": float(given["hours"]) * 3600},
    ),
    Switch(
        "Quotas",
        "quotas",
        "Set quotas",
        _field("scale", "Scale (empty: off)", 'type="number" min="0" step="any" value="1"'),
        lambda graph, _: "On, as documented times the scale." if graph.quotas.active else "Switched off.",
        lambda given, _: {"scale": float(given["scale"]) if given.get("scale") else None},
    ),
    Switch(
        "Faults",
        "faults",
        "Have it happen",
        _field("match", "Calls that match", 'placeholder="POST /users"')
        + _choice("kind", "What happens", KINDS)
        + _field("status", "Status", 'type="number" value="503" min="400" max="599"')
        + _field("times", "Times", 'type="number" value="1" min="1"'),
        lambda graph, _: f"{len(graph.faults.waiting)} waiting.",
        lambda given, _: [
            {
                "match": given.get("match", ""),
                "kind": given["kind"],
                "status": int(given["status"]),
                "times": int(given["times"]),
            }
        ],
    ),
    Switch(
        "Conditional access",
        "conditional-access",
        "Set",
        _choice("mode", "Mode", ("off", "block", "claims")),
        lambda _, __: "Refuses sign-ins (block), or asks for a further claim (claims).",
        lambda given, tenant: {"mode": given["mode"], "tenant": tenant.id},
    ),
    Switch(
        "Signing keys",
        "keys/roll",
        "Roll the key over",
        "",
        lambda _, __: "The key before the last one still verifies.",
        lambda _, __: None,
    ),
    Switch(
        "Everything",
        "reset",
        "Begin anew",
        _field("sure", "Type reset", 'required pattern="reset" autocomplete="off"'),
        lambda _, __: "Back to the empty tenant of the very start. There is no way back.",
        lambda _, __: None,
    ),
)


def _activation(given: dict[str, str], tenant: Tenant) -> object:
    return {"team": given["team"], "tenant": tenant.id}


ACTIVATE = Switch(
    "Class team",
    "activate",
    "Activate, as its teacher would",
    "",
    lambda _, __: "",
    _activation,
)
BY_CALL = {switch.call: switch for switch in (*SWITCHES, ACTIVATE)}


class Switches:
    """The page of switches, and what happens when one is turned."""

    def __init__(self, graph: Graph, control: Control) -> None:
        self._graph = graph
        self._control = control

    def page(self, tenant: Tenant, asked: dict[str, str]) -> str:
        """All switches, how they stand, and what the last one did."""
        said = f'<p role="status"><b>{escape(asked["said"])}</b></p>' if "said" in asked else ""
        forms = "".join(
            f'<section class="switch"><h2>{switch.title}</h2><p class="soft">{escape(switch.state(self._graph, tenant))}</p>'
            f"{form(asked, switch.call, switch.fields, switch.button)}</section>"
            for switch in SWITCHES
        )
        waiting = [[f.pattern.pattern or "every call", f.kind, f"{f.times:,}"] for f in self._graph.faults.waiting]
        listed = f"<h2>Faults waiting</h2>{table(('calls', 'what', 'times'), waiting)}" if waiting else ""
        return f"{said}{forms}{listed}"

    def turn(self, tenant: Tenant, given: dict[str, str], asked: dict[str, str]) -> Answer:
        """Do what a form says by its control call, and lead back to the page it came from."""
        switch = BY_CALL.get(given.get("call", ""))
        back = f"/teams/{given['team']}" if switch is ACTIVATE and "team" in given else "/switches"
        return Answer(
            303, None, {"Location": address(back, asked | {"said": self._said(switch, tenant, given)}, plain=True)}
        )

    def _said(self, switch: Switch | None, tenant: Tenant, given: dict[str, str]) -> str:
        if switch is None:
            return "There is no such switch."
        if switch.call == "reset" and given.get("sure") != "reset":
            return "Type reset to begin anew."
        try:
            body = switch.body(given, tenant)
        except (KeyError, ValueError):
            return "Not done: fill in every field, numbers as numbers."
        done = self._control.answer("POST", f"/{switch.call}", body)
        return f"{switch.title}: done." if done.status == 200 else f"Not done: {done.body['error']}"
