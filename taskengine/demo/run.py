"""A planned code analysis on a fleet: submitted as one graph, followed by its history, its findings fetched.

The history (one cheap read a look, only what is new) tells states, what runs and how fast; nothing is
asked of single tasks until all is over.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from taskengine.api import BlockingTaskAPI
from taskengine.core.lifecycle import TERMINAL
from taskengine.core.replay import MOVES
from taskengine.demo.plan import Node
from taskengine.models import Event, Task, TaskStatus, TaskType

Json = dict[str, Any]

_LOOK = 10_000
#: Seconds that the rate looks back.
_RATE_SECONDS = 5.0
_RUNS = frozenset({TaskStatus.RUNNING})


def to_tasks(nodes: Iterable[Node], capability: str | None = None) -> list[Task]:
    """Return the tasks of a plan, in its order; of a code analysis, unless another capability runs them."""
    ids: dict[str, UUID] = {}
    tasks = []
    for node in nodes:
        task = Task(
            name=node["name"],
            task_type=TaskType.CODE_ANALYSIS if capability is None else TaskType.CUSTOM,
            capability=capability,
            input=node["input"],
            depends_on={ids[name] for name in node["depends_on"]},
        )
        ids[task.name] = task.id
        tasks.append(task)
    return tasks


@dataclass(slots=True)
class Analysis:
    """A plan as tasks, and what is known of them so far; *now* is always seconds on the caller's own
    clock.
    """

    #: In the order of the plan: dependencies first, the report last.
    tasks: Sequence[Task]
    run_id: UUID | None = None
    #: Of every task that has begun to exist.
    statuses: dict[UUID, TaskStatus] = field(default_factory=dict)
    #: Task -> when it was first seen running, in that order.
    running: dict[UUID, float] = field(default_factory=dict)
    #: When the first and the latest event happened, on the server's clock.
    began: datetime | None = None
    latest: datetime | None = None
    _sequence: int = 0
    _ends: deque[float] = field(default_factory=deque)
    _submitted_at: float = 0.0
    _names: dict[UUID, str] = field(default_factory=dict)

    @classmethod
    def of(cls, nodes: Iterable[Node], capability: str | None = None) -> Analysis:
        """Return the analysis that a plan asks for, not yet submitted; *capability* as :func:`to_tasks`."""
        tasks = to_tasks(nodes, capability)
        return cls(tasks, _names={task.id: task.name for task in tasks})

    def submit(self, api: BlockingTaskAPI, now: float, name: str | None = None) -> None:
        """Submit it as one graph, all of it or nothing, by that name."""
        self.run_id = api.create_tasks(self.tasks, name=name)[0].run_id
        self._submitted_at = now

    def look(self, api: BlockingTaskAPI, now: float) -> None:
        """Read what happened since the last look."""
        assert self.run_id is not None, "submit it first"
        while True:
            events = api.get_events(self.run_id, after=self._sequence, limit=_LOOK)
            for event in events:
                self._note(event, now)
            if len(events) < _LOOK:
                return

    @property
    def is_over(self) -> bool:
        """Whether every task has ended."""
        return self.ended == len(self.tasks)

    @property
    def ended(self) -> int:
        """Tasks that have ended, well or not."""
        return sum(count for status, count in self.counts.items() if status in TERMINAL)

    @property
    def counts(self) -> Counter[TaskStatus]:
        """How many tasks have each status."""
        return Counter(self.statuses.values())

    @property
    def seconds(self) -> float:
        """From the first event to the latest one."""
        return (self.latest - self.began).total_seconds() if self.began and self.latest else 0.0

    def rate(self, now: float) -> float:
        """Tasks that ended in a second, over the last few."""
        while self._ends and now - self._ends[0] > _RATE_SECONDS:
            self._ends.popleft()
        since = min(_RATE_SECONDS, now - self._submitted_at)
        return len(self._ends) / since if since > 0 else 0.0

    def name(self, id: UUID) -> str:
        """Return the name of a task of this analysis."""
        return self._names[id]

    def open_ids(self) -> list[UUID]:
        """Tasks that have not ended, dependents first."""
        return [task.id for task in reversed(self.tasks) if self.statuses.get(task.id) not in TERMINAL]

    def troubled(self) -> list[UUID]:
        """Tasks that ended otherwise than COMPLETED, in the order of the plan."""
        bad = TERMINAL - {TaskStatus.COMPLETED}
        return [task.id for task in self.tasks if self.statuses.get(task.id) in bad]

    def _note(self, event: Event, now: float) -> None:
        self._sequence = event.sequence
        self.began = self.began or event.at
        self.latest = event.at
        status = MOVES.get(event.what)
        if event.task_id is None or status is None:
            return
        self.statuses[event.task_id] = status
        if status in _RUNS:
            self.running[event.task_id] = now
        else:
            self.running.pop(event.task_id, None)
        if status in TERMINAL:
            self._ends.append(now)


def findings(api: BlockingTaskAPI, analysis: Analysis) -> tuple[Json, list[Json]]:
    """Return the results of the report task and of the package tasks, for :mod:`taskengine.demo.report`."""
    packages = [task for task in analysis.tasks if task.input.get("step") == "package"]
    report = api.get_task(analysis.tasks[-1].id).result or {}
    return report, [api.get_task(task.id).result or {} for task in packages]
