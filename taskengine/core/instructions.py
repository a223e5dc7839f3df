"""What the coordinator may be told to do: each instruction becomes one script, and nothing else changes the
truth.

Data, not methods: tests compare whole lists, and the ``match`` in ``coordinator/apply.py`` makes a forgotten
instruction a type error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


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
