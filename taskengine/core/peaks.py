"""What executions that reserve something used at most, beside what they reserve. Told to people, never applied.

Memory and processor are measured by the process that ran them: on threads the memory of all that run there. The numbers
stand among the estimates of what kinds of tasks take, so they are forgotten as those are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from taskengine.core.demand import in_units

#: Runs behind which the most that was used is looked for anew.
_MOST_RUNS = 100
#: No capability begins like this, so these are no kinds of tasks.
_NAMES = ("%runs", "%memory", "%cpu")


@dataclass(frozen=True, slots=True)
class Peak:
    """The most that some runs used."""

    runs: int
    memory_gb: float
    #: The most that one of them used on average.
    cpu_cores: float

    def and_then(self, more: Peak) -> Peak:
        """Return the peak of both; of the second alone where the first has many runs already."""
        if self.runs >= _MOST_RUNS:
            return more
        return Peak(
            self.runs + more.runs, max(self.memory_gb, more.memory_gb), max(self.cpu_cores, more.cpu_cores)
        )

    def as_estimates(self, kind: str) -> dict[str, float]:
        """Return it as it stands among the estimates."""
        return dict(zip(names_of(kind), (self.runs, self.memory_gb, self.cpu_cores), strict=True))


def agent_kind(agent: str) -> str:
    """Return the kind of all that an agent runs."""
    return f"@{agent}"


def names_of(kind: str) -> list[str]:
    """Return the estimates in which the peak of a kind stands."""
    return [f"{name} {kind}" for name in _NAMES]


def peak_from(known: Mapping[str, float], kind: str) -> Peak | None:
    """Return the peak of a kind among estimates; None where nobody ran it."""
    runs, memory, cpu = (known.get(name, 0.0) for name in names_of(kind))
    return Peak(round(runs), memory, cpu) if runs else None


def compared(demand: Mapping[str, int], peak: Peak | None) -> str:
    """Return ``it reserves 8 memory_gb, and used at most 1.9 in 50 runs``; '' where nothing of it was measured."""
    if peak is None:
        return ""
    used = {"cpu_cores": peak.cpu_cores, "memory_gb": peak.memory_gb}
    said = [
        f"{in_units(demand[name])} {name}, and used at most {in_units(round(used[name] * 1000))}"
        for name in sorted(used.keys() & demand.keys())
    ]
    return f"it reserves {'; '.join(said)} in {peak.runs} run{'s' if peak.runs > 1 else ''}" if said else ""
