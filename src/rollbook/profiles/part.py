"""What every part of a profile document is: frozen, and a word nobody knows is a mistake rather than ignored."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of the document."""

    model_config = ConfigDict(frozen=True, extra="forbid")
