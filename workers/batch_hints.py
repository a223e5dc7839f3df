"""How long tasks of a kind occupy a slot here, so that several short ones may go to it in one trip.

Measured by the process itself, from taking one to the next, so with all that is around the agent's own work. A kind
that nobody ran here is not known, and its first task goes alone. One that lasted four times as long as those before
counts alone: a batch must not wait for an average to learn it.
"""

from __future__ import annotations

from taskengine.store.executions import BatchHint

#: How many executions a slot takes at once at most. (16 gained another twentieth.)
MOST = 8
#: Weight of the latest run.
_WEIGHT = 0.3
_JUMP = 4
#: Kinds that one process remembers.
_KINDS = 1000


class BatchHints:
    """Seconds by kind; of a process whose agents are many, the oldest kinds are forgotten."""

    def __init__(self, budget_seconds: float) -> None:
        self._budget = budget_seconds
        self._known: dict[str, float] = {}

    def note(self, kind: str, seconds: float) -> None:
        """One of *kind* occupied a slot for *seconds*."""
        before = self._known.get(kind)
        if before is None:
            if len(self._known) >= _KINDS:
                self._known.pop(next(iter(self._known)), None)
            self._known[kind] = seconds
        else:
            is_jump = seconds > _JUMP * before
            self._known[kind] = seconds if is_jump else before + _WEIGHT * (seconds - before)

    def of(self, kind: str) -> BatchHint:
        """Return what a slot that just ran *kind* would take: several when two of it fit into the budget."""
        seconds = self._known.get(kind, self._budget)
        most = MOST if 0 < self._budget >= 2 * seconds else 1
        return BatchHint(kind, max(1, round(seconds * 1e6)), most)
