"""Whether a task can still meet its deadline, by what its kind and the kinds it waits for took before.

The time until a task is done is the longest way through what it waits for, to its own end: what runs already is
credited, what waits for a slot is charged with its place in the queue. Nobody's estimate counts as nothing, and so
does what the walk did not reach: a task is never flagged out of ignorance, only late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from taskengine.core.lifecycle import TERMINAL
from taskengine.models.enums import TaskStatus

_RUNNING = frozenset({TaskStatus.RUNNING})
#: Seconds between two looks, at least.
_SOONEST = 1.0
#: Share of the slack that passes before the next look: an hour of it is twelve looks.
_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class DeadlineWeight:
    """What the time until one task is done depends on; moments in seconds since the epoch."""

    id: str
    status: TaskStatus
    queue: str
    name: str
    #: What its client said that it takes; None when it said nothing.
    given: float | None
    started: float | None
    #: Its schedule or next attempt.
    due: float | None
    #: How many stand before it in its queue; None when it does not stand there.
    position: int | None
    depends_on: tuple[str, ...]
    #: None without one.
    deadline: int | None

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is left to do."""
        return self.status in TERMINAL


#: Seconds that a task takes once it runs, and that it waits for a slot.
Cost = Callable[[DeadlineWeight], float]


def remaining(id: str, weights: Mapping[str, DeadlineWeight], now: float, *, takes: Cost, waits: Cost) -> float:
    """Seconds until the task *id* is done, at least; of what is not in *weights* nothing is known."""
    longest: dict[str, float] = {}
    stack = [id]
    while stack:
        at = weights[stack[-1]]
        open_ones = [d for d in at.depends_on if d in weights and not weights[d].is_over]
        unknown = [d for d in open_ones if d not in longest]
        if unknown and at.id not in longest:
            longest[at.id] = 0.0  # met again on its own way it counts as nothing: records may be older than edges
            stack += unknown
            continue
        stack.pop()
        before = max((longest[d] for d in open_ones), default=0.0)
        longest[at.id] = 0.0 if at.is_over else before + _own(at, now, takes, waits)
    return longest[id]


def _own(at: DeadlineWeight, now: float, takes: Cost, waits: Cost) -> float:
    if at.status in _RUNNING and at.started is not None:
        return max(0.0, takes(at) - (now - at.started))
    later = max(0.0, at.due - now) if at.due is not None else 0.0
    return later + waits(at) + takes(at)


def next_look(slack: float) -> float:
    """Seconds until a task with that much *slack* is looked at again: ever closer to the moment that decides."""
    return max(_SOONEST, slack * _SHARE)
