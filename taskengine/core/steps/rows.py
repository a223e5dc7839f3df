"""What is put for a step: a task, or a record that no worker runs. Dependencies are paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from pydantic import JsonValue

from taskengine.core.steps.expected import of_template

#: Queues of steps: it is thought about once it waits for nothing more; or it completes by itself.
ASKS, GATE = "%", "%g"
#: Of a map with max_parallel: as a gate, and it lets the next item start with each that completes.
WINDOW = "%m"


@dataclass(frozen=True, slots=True)
class WorkerBinding:
    """What the worker of a task puts into its template."""

    #: Paths of the tasks whose results it reads, by the names that the author writes.
    tasks: Mapping[tuple[str, ...], str]
    #: Values that were known when it was put, by root.
    values: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class PromptBinding:
    """Of what the description of a task was made: an agent to which it is a prompt fences what other tasks made."""

    template: str
    #: Values that it reads, by root.
    values: Mapping[str, JsonValue]
    #: Keys of the task's input that hold what other tasks made, and what these are called.
    input: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task, as its template says."""

    path: str
    name: str
    #: Fields of the task; those whose texts are evaluated by its worker hold ``${…}``.
    template: Mapping[str, JsonValue]
    depends_on: tuple[str, ...] = ()
    #: What its worker puts in; None for a task that is as it stands.
    binding: WorkerBinding | None = None
    #: None where the description is no template, or is left to its worker with the rest.
    prompt: PromptBinding | None = None
    #: Seconds of the longest way behind it, as far as its scope goes.
    ahead: float = field(default=0.0, compare=False)

    @property
    def seconds(self) -> float:
        """How long it is expected to take."""
        return of_template(self.template)


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step that no worker runs."""

    path: str
    name: str
    kind: str
    queue: str = ASKS
    depends_on: tuple[str, ...] = ()
    #: Further fields of its record.
    fields: Mapping[str, str] = field(default_factory=dict)
    #: How long what lies in it is expected to take.
    seconds: float = field(default=0.0, compare=False)
    #: Seconds of the longest way behind it, as far as its scope goes.
    ahead: float = field(default=0.0, compare=False)


Row: TypeAlias = TaskRow | StepRow
