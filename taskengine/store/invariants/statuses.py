"""Statuses as they are stored, in the sets that the rules speak of."""

from __future__ import annotations

from taskengine.core.lifecycle import EXECUTION_TERMINAL, TERMINAL
from taskengine.models.enums import ExecutionStatus, TaskStatus
from taskengine.store.fields import TaskField

OVER = frozenset(status.value for status in TERMINAL)
EXECUTION_OVER = frozenset(status.value for status in EXECUTION_TERMINAL)
READY = frozenset({TaskStatus.READY.value})
RUNNING = frozenset({TaskStatus.RUNNING.value})
PENDING = frozenset({TaskStatus.PENDING.value})
RETRYING = frozenset({TaskStatus.RETRYING.value})
PAUSED = frozenset({TaskStatus.PAUSED.value})
COMPLETED = frozenset({TaskStatus.COMPLETED.value})
CANCELLED = frozenset({TaskStatus.CANCELLED.value})
FAILED = frozenset({TaskStatus.FAILED.value})
EXECUTION_RUNNING = frozenset({ExecutionStatus.RUNNING.value})
EXECUTION_QUEUED = frozenset({ExecutionStatus.QUEUED.value})
#: Places in lists that are worked off in pieces: of dependents to tell, to take back from, of parents to pin or unpin.
CURSORS = frozenset({TaskField.releasing, TaskField.undoing, TaskField.pinning})


def is_over(status: str) -> bool:
    """Return whether a stored task status is terminal."""
    return status in OVER
