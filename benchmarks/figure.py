"""One measured number, what it is compared with, and what it must reach."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Must:
    """A bound on a figure's value or on its ratio to the peer."""

    of: Literal["value", "ratio"]
    comparison: Literal[">=", "<="]
    limit: float

    def __str__(self) -> str:
        return f"{self.of} {self.comparison} {self.limit:g}"

    def holds(self, number: float) -> bool:
        """Whether *number* keeps the bound."""
        return number >= self.limit if self.comparison == ">=" else number <= self.limit


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as it is printed."""

    name: str
    value: float
    unit: str
    #: The same measured on the peer that ``config`` names; None without a peer.
    peer: float | None = None
    must: Must | None = None
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """Ours ÷ the peer's."""
        return self.value / self.peer if self.peer else None

    @property
    def met(self) -> bool | None:
        """Whether it reached what it must; None when nothing is asked of it or its peer did not run."""
        number = self.value if self.must is None or self.must.of == "value" else self.ratio
        return None if self.must is None or number is None else self.must.holds(number)

    def line(self) -> str:
        """The figure as one line of JSON."""
        return json.dumps(
            {
                "name": self.name,
                "value": rounded(self.value),
                "unit": self.unit,
                "peer": rounded(self.peer),
                "ratio": rounded(self.ratio),
                "must": None if self.must is None else str(self.must),
                "met": self.met,
                "config": self.config,
            }
        )


def rounded(number: float | None) -> float | None:
    """Four significant digits: more would be noise."""
    return None if number is None else float(f"{number:.4g}")
