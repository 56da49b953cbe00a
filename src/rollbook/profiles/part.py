"""What every part of a profile document is: frozen, and a word nobody knows is a mistake rather than ignored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

Mistake = tuple[tuple[str | int, ...], str]
"""Where in a setting something is wrong, and a sentence that says what."""

SourcedId = Annotated[str, StringConstraints(min_length=1)]
"""What the school's system calls a record."""


class Part(BaseModel):
    """A part of the document."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def refuse(mistakes: Sequence[Mistake]) -> None:
    """Raises every mistake at once from within a validator, each at its place below the setting that is validated."""
    if mistakes:
        raise ValidationError.from_exception_data("setting", [_line(place, said) for place, said in mistakes])


def _line(place: tuple[str | int, ...], sentence: str) -> InitErrorDetails:
    # The sentence is a value of the template, because braces in it are somebody's expression.
    error = PydanticCustomError("refused", "{sentence}", {"sentence": sentence})
    return InitErrorDetails(type=error, loc=place, input=None)
