"""A school of two classes, and teams called by an expression, as scenarios of teams need them."""

from __future__ import annotations

from typing import Any

from tests.scenarios.stage import Stage


def expression(text: str, **more: Any) -> dict[str, Any]:
    """A row of a mapping that is an expression."""
    return {"type": "expression", "value": text, **more}


def named(name: str, **more: str) -> dict[str, Any]:
    """Settings of teams that are called by an expression."""
    return {"mappings": {"display_name": expression(name)}, **more}


def two_classes(stage: Stage) -> None:
    """Maths for group A and for group B, with one teacher and a student each."""
    stage.school.is_taught("7A Maths", group="7A", subject="Maths").is_taught("7B Maths", group="7B", subject="Maths")
    stage.school.klass("7A Maths", teachers=["Nikos Vasilakis"], students=["Maria Papadaki"])
    stage.school.klass("7B Maths", teachers=["Nikos Vasilakis"], students=["Jan Kowalski"])
