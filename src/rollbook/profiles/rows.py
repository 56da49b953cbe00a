"""The row of a mapping, whatever it is about: where the value of one target comes from (product.md section 4).

A row has a type (property, static, expression), a value, a casing, and may count on creation only. What there is to read and to
fill is declared once for people, teams and nodes (`Mappable`); what a page offers, checks and explains is drawn from it.
"""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from rollbook.profiles import expressions
from rollbook.profiles.part import Mistake, Part

YES_NO = ("yes", "no")


@dataclass(frozen=True, slots=True)
class Target:
    """A property at Microsoft: how long it may be, whether it has to be there, what it means.

    `words` are the only values it takes; empty: any text. What is `shortened` is made from a text of any length, and cut.
    """

    longest: int
    meaning: str
    required: bool = False
    words: tuple[str, ...] = ()
    shortened: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A target as a picker offers it; `grey` says why it cannot be chosen, empty if it can."""

    target: str
    meaning: str
    grey: str = ""


@dataclass(frozen=True, slots=True)
class Mappable:
    """What rows of one kind read and fill.

    `properties` and `locked` have a meaning each: what a row can read, and which properties no row sets and what does.
    `truths` are the properties that say yes or no.
    """

    of: str
    into: str
    properties: Table[str, str]
    targets: Table[str, Target]
    locked: Table[str, str] = field(default_factory=dict)
    truths: frozenset[str] = frozenset()

    def mistakes(self, rows: Table[str, Row]) -> list[Mistake]:
        """Every target there is none of or nobody may map, value a target cannot hold, and required target without a row."""
        found = [(name, self._mistake(name, row)) for name, row in rows.items()]
        missing = [name for name, target in self.targets.items() if target.required and name not in rows]
        return [
            *(((name,), sentence) for name, sentence in found if sentence),
            *(((name,), f"{name} is required, so it has to be mapped") for name in missing),
        ]

    def _mistake(self, name: str, row: Row) -> str:
        """What is wrong with the row of this target; empty if nothing is."""
        target = self.targets.get(name)
        if target is None:
            why = (
                f"{name} is not mapped: it is {self.locked[name]}"
                if name in self.locked
                else f"there is no target {name!r}"
            )
            return f"{why}; there are {', '.join(self.targets)}"
        if row.type == "static" and len(row.value) > target.longest:
            return f"{name} holds {target.longest} characters at most"
        wanted = " or ".join(target.words)
        if wanted and row.type == "static" and row.value not in target.words:
            return f"{name} is {wanted}, not {row.value!r}"
        if wanted and row.type == "property" and row.value not in self.truths:
            return f"{name} is {wanted}; {row.value} is not. Take one of {', '.join(sorted(self.truths))}"
        return ""

    def choices(self, rows: Table[str, Row]) -> list[Choice]:
        """Every target, with those greyed that are mapped already, required, or set otherwise."""
        offered = [
            Choice(
                name,
                target.meaning,
                ("required" if target.required else "already mapped") if name in rows or target.required else "",
            )
            for name, target in self.targets.items()
        ]
        return [*offered, *(Choice(name, f"It is {why}.", "set elsewhere") for name, why in self.locked.items())]


class Row(Part):
    """Where the value of a target comes from; what it is about is said by its kind."""

    about: ClassVar[Mappable]

    type: Literal["property", "static", "expression"] = Field(
        default="property", description="A property, the same text for all, or an expression."
    )
    value: str = Field(description="Name of the property, the text, or the expression.", examples=["name"])
    casing: Literal["none", "lower", "upper"] = Field(
        default="none", description="Letters as they are, small, or capital."
    )
    on_creation_only: bool = Field(
        default=False,
        description="Set it when the account, team or group is made, and leave it alone afterwards.",
    )

    @model_validator(mode="after")
    def _sensible(self) -> Row:
        properties = self.about.properties
        if not self.value.strip():
            raise ValueError("a mapping needs a value")
        if self.type == "property" and self.value not in properties:
            raise ValueError(f"there is no property {self.value!r}; there are {', '.join(properties)}")
        if self.type == "expression":
            try:
                expressions.check(self.value, properties)
            except expressions.ExpressionFailed as failed:
                raise ValueError(str(failed)) from failed
        return self
