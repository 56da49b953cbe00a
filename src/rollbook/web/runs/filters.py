"""Which changes of a run a page is about: kind, verdict, and a person's or class's name."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict

from rollbook.plan.changes import ChangeVerdict, Kind

KINDS = {kind.name.lower(): kind for kind in Kind}
VERDICTS = {verdict.name.lower(): verdict for verdict in ChangeVerdict}


class FilterInvalid(ValueError):
    """A filter names something that does not exist."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What was chosen; None and "" mean all."""

    kind: Kind | None
    verdict: ChangeVerdict | None
    name: str

    @classmethod
    def read(cls, query: QueryDict) -> Filter:
        """The filter of an address. Raises FilterInvalid with a sentence."""
        kind, verdict = query.get("kind", ""), query.get("verdict", "")
        if kind and kind not in KINDS:
            raise FilterInvalid(f"There is no kind of change called {kind!r}.")
        if verdict and verdict not in VERDICTS:
            raise FilterInvalid(f"There is no verdict called {verdict!r}.")
        return cls(KINDS.get(kind), VERDICTS.get(verdict), query.get("name", "").strip())

    @property
    def query(self) -> str:
        """The filter as part of an address."""
        chosen = {
            "kind": self.kind.name.lower() if self.kind is not None else "",
            "verdict": self.verdict.name.lower() if self.verdict is not None else "",
            "name": self.name,
        }
        return urlencode({key: value for key, value in chosen.items() if value})
