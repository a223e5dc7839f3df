"""What the coordinator may be told to do: each instruction becomes one script, and nothing else changes the
truth.

Data, not methods: tests compare whole lists, and the ``match`` in ``coordinator/apply.py`` makes a forgotten
instruction a type error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from pydantic import JsonValue

from taskengine.core.steps.rows import Row
from taskengine.core.steps.snapshot import Signal
from taskengine.models.enums import TaskStatus


@dataclass(frozen=True, slots=True)
class CloseTask:
    """Cancel a PENDING task that cannot run any more."""

    task_id: str
    reason: str
    #: The dependency because of which; its reopening reopens the task.
    closed_by: str
    #: Whether that is a failure, so that its dependents count the task as failed.
    failed_before: bool


@dataclass(frozen=True, slots=True)
class StartTask:
    """Set a PENDING task READY because its trigger rule holds, whatever its dependencies still do."""

    task_id: str


@dataclass(frozen=True, slots=True)
class ReopenTask:
    """Open a task again that *closed_by* had closed and that is itself open again."""

    task_id: str
    closed_by: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Leave everything as it is; the question is answered."""

    because: str


Instruction: TypeAlias = CloseTask | StartTask | ReopenTask | Nothing


@dataclass(frozen=True, slots=True)
class Expand:
    """Put the next children of a step."""

    rows: Sequence[Row]
    #: How many children are announced by this piece: all of the step's next ones, or 0 behind the first piece.
    planned: int
    #: The queue of the step once all are there.
    queue: str
    #: Further fields of the step's record.
    fields: Mapping[str, str] = field(default_factory=dict)
    #: Milliseconds after which it is over, where this begins it; 0 without a limit.
    limit_ms: int = 0
    #: Of a loop: how many of its children stay, the newest ones; those before them are erased. 0 erases none.
    stay: int = 0


@dataclass(frozen=True, slots=True)
class EraseOldTurns:
    """Erase what the old turns of a loop made, some of it at a time."""

    #: How many of its children stay, the newest ones.
    stay: int


@dataclass(frozen=True, slots=True)
class StartWaiting:
    """Let a step wait for something that is no child of it."""

    #: Milliseconds from now, at which it is asked again; 0 for no such time.
    timer_ms: int = 0
    #: Milliseconds since 1970 at which it is asked again; 0 for no such moment.
    moment_ms: int = 0
    #: Milliseconds after which it is over, where this begins it; 0 without a limit.
    limit_ms: int = 0
    #: Whether each change of a variable asks it again.
    on_change: bool = False
    #: The signal that asks it again; '' for none.
    signal: str = ""


@dataclass(frozen=True, slots=True)
class NextItem:
    """Let the next item of a map start."""


@dataclass(frozen=True, slots=True)
class EndStep:
    """End a step."""

    status: TaskStatus
    #: JSON values by variable.
    sets: Mapping[str, JsonValue] = field(default_factory=dict)
    #: A result of its own; None where its children's stand for it.
    output: JsonValue = None
    error: str = ""
    error_kind: str = ""
    #: The path of the failure that it ended by.
    culprit: str = ""
    reason: str = ""
    #: What it shows as, where that is not its status: ``skipped``, or ``failed`` where the workflow goes on.
    shows_as: str = ""
    #: The signal that it takes.
    takes: Signal | None = None
    #: Further fields of the step's record.
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EndChildren:
    """End the children of a step that is to end, some at a time."""

    #: ``failed`` or ``cancelled``: what becomes of the step.
    end_as: str
    #: Told to the children.
    reason: str
    error: str = ""
    error_kind: str = ""
    culprit: str = ""


@dataclass(frozen=True, slots=True)
class RetryScope:
    """Open a step again, and what of its children did not complete, some at a time."""


StepInstruction: TypeAlias = (
    Expand | EraseOldTurns | StartWaiting | NextItem | EndStep | EndChildren | RetryScope | Nothing
)
