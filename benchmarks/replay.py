"""Recorded workflows as tasks that take the recorded time, scaled."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from benchmarks.agents import NAP
from taskengine import Task
from taskengine.core.simulate import lower_bound


@dataclass(frozen=True, slots=True)
class Trace:
    """A workflow that ran once: who waited for whom, and how long each took."""

    name: str
    parents: dict[str, list[str]]
    #: Already scaled.
    seconds: dict[str, float]

    @classmethod
    def read(cls, path: Path, scale: float) -> Trace:
        """A trace file: ``tasks`` with ``id``, ``parents`` and ``runtime_s``."""
        recorded = json.loads(path.read_text())["tasks"]
        parents = {task["id"]: list(task["parents"]) for task in recorded}
        return cls(path.stem, parents, {task["id"]: scale * task["runtime_s"] for task in recorded})

    def bound(self, slots: int) -> float:
        """Seconds that no schedule on *slots* slots beats."""
        return lower_bound(self.parents, self.seconds, slots)

    def tasks(self) -> list[Task]:
        """Fresh tasks that replay it."""
        ids = {name: uuid4() for name in self.parents}
        return [
            Task(
                id=ids[name],
                name=name,
                capability=NAP,
                depends_on={ids[parent] for parent in parents},
                input={"seconds": self.seconds[name]},
                estimated_seconds=self.seconds[name],
            )
            for name, parents in self.parents.items()
        ]
