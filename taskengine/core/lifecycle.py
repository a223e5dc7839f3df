"""The one transition table of tasks and executions.

The scripts in ``store/lua`` spell no state: their names and the set of terminal ones are filled in when a script is
loaded (:mod:`taskengine.store.scripts`). A script guards its own move by the state that it expects; that all moves
together keep to this table is checked by the replay of events (:mod:`taskengine.core.replay`), in ``taskengine doctor
--deep`` and after every store test.
"""

from __future__ import annotations

from collections.abc import Mapping

from taskengine.models.enums import ExecutionStatus, TaskStatus, WorkflowStatus

_T = TaskStatus
_E = ExecutionStatus

#: From a task status to those it may move to; ``None`` is "does not exist yet".
TASK_TRANSITIONS: Mapping[TaskStatus | None, frozenset[TaskStatus]] = {
    None: frozenset({_T.PENDING}),
    # PENDING -> FAILED: an expression or a payload turned out to be wrong before the first attempt.
    _T.PENDING: frozenset({_T.READY, _T.PAUSED, _T.CANCELLED, _T.FAILED}),
    # READY -> PENDING: a dependency was added to a task that nobody had started.
    _T.READY: frozenset({_T.RUNNING, _T.PENDING, _T.PAUSED, _T.CANCELLED, _T.FAILED}),
    # RUNNING -> READY: its worker was lost or handed it back; no retry is spent.
    _T.RUNNING: frozenset({_T.COMPLETED, _T.FAILED, _T.CANCELLED, _T.RETRYING, _T.READY, _T.PAUSED}),
    _T.RETRYING: frozenset({_T.READY, _T.PAUSED, _T.CANCELLED, _T.FAILED}),
    # PAUSED -> RETRYING: its next attempt still had to wait when it was paused.
    _T.PAUSED: frozenset({_T.PENDING, _T.RETRYING, _T.CANCELLED}),
    # Terminal states are left only by retry_task and rerun_from.
    _T.COMPLETED: frozenset({_T.PENDING}),
    _T.FAILED: frozenset({_T.PENDING}),
    _T.CANCELLED: frozenset({_T.PENDING}),
}

#: The same of a step of a workflow that no worker runs: it is RUNNING while its children are, or while it waits.
STEP_TRANSITIONS: Mapping[TaskStatus | None, frozenset[TaskStatus]] = {
    None: frozenset({_T.PENDING}),
    _T.PENDING: frozenset({_T.RUNNING, _T.COMPLETED, _T.FAILED, _T.CANCELLED}),
    _T.RUNNING: frozenset({_T.COMPLETED, _T.FAILED, _T.CANCELLED}),
    _T.COMPLETED: frozenset({_T.PENDING}),
    _T.FAILED: frozenset({_T.PENDING, _T.RUNNING}),
    _T.CANCELLED: frozenset({_T.PENDING, _T.RUNNING}),
}

#: From an execution status to those it may move to. A withdrawn grant is deleted: it never ran.
EXECUTION_TRANSITIONS: Mapping[ExecutionStatus | None, frozenset[ExecutionStatus]] = {
    # A pulled execution is born RUNNING: its claim and its grant are one step.
    None: frozenset({_E.QUEUED, _E.RUNNING}),
    _E.QUEUED: frozenset({_E.RUNNING}),
    _E.RUNNING: frozenset({_E.COMPLETED, _E.FAILED, _E.CANCELLED, _E.TIMED_OUT, _E.LOST}),
    _E.COMPLETED: frozenset(),
    _E.FAILED: frozenset(),
    _E.CANCELLED: frozenset(),
    _E.TIMED_OUT: frozenset(),
    _E.LOST: frozenset(),
}

#: A task in one of these is over; nothing but a reopening verb moves it.
TERMINAL = frozenset({_T.COMPLETED, _T.FAILED, _T.CANCELLED})
#: A task in one of these can still be cancelled; RUNNING only by asking its worker.
CANCELLABLE = frozenset({_T.PENDING, _T.READY, _T.RUNNING, _T.RETRYING, _T.PAUSED})
#: A task in one of these has not started its next attempt.
NOT_STARTED = frozenset({_T.PENDING, _T.READY, _T.RETRYING, _T.PAUSED})
#: A task in one of these has an execution that runs.
EXECUTING = frozenset({_T.RUNNING})
#: A task in one of these waits for somebody to say so.
HALTED = frozenset({_T.PAUSED})
#: Those that may be paused by name; what is PAUSED takes the new terms.
PAUSABLE = CANCELLABLE
#: Those that may be held back, or released.
HOLDABLE = frozenset({_T.PENDING, _T.READY, _T.PAUSED})
#: Those that the end of a dependency may close: what has not been READY yet.
CLOSABLE = frozenset({_T.PENDING})
#: A task in one of these was ended before it could fail.
CALLED_OFF = frozenset({_T.CANCELLED})
#: Those that retry_task opens again.
REOPENABLE = frozenset({_T.FAILED, _T.CANCELLED})
#: Those that may be deleted without cascade.
DELETABLE = TERMINAL
#: An execution in one of these is over.
EXECUTION_TERMINAL = frozenset(start for start, finish in EXECUTION_TRANSITIONS.items() if start and not finish)


def may_move(start: TaskStatus | None, finish: TaskStatus) -> bool:
    """Return whether a task may go from *start* to *finish* in one step."""
    return finish in TASK_TRANSITIONS[start]


def may_step(start: TaskStatus | None, finish: TaskStatus) -> bool:
    """Return whether a step of a workflow may go from *start* to *finish* at once."""
    return finish in STEP_TRANSITIONS.get(start, frozenset())


#: A workflow in one of these is over.
WORKFLOW_OVER = frozenset({WorkflowStatus.COMPLETED, WorkflowStatus.FAILED, WorkflowStatus.CANCELLED})
#: A workflow in one of these did what it was to do.
WORKFLOW_COMPLETED = frozenset({WorkflowStatus.COMPLETED})
