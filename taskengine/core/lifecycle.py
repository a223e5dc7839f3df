"""The one transition table of tasks and executions.

Python and the scripts in ``store/lua`` read the same table: the scripts get the state names and the named sets from
:func:`lua_prelude` and spell none themselves. ``tests/core/test_lifecycle.py`` walks the table; the deep check of
``taskengine doctor`` replays every event of a run against it.
"""

from __future__ import annotations

from collections.abc import Mapping

from taskengine.models.enums import ExecutionStatus, TaskStatus

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
    _T.PAUSED: frozenset({_T.PENDING, _T.READY, _T.CANCELLED}),
    # Terminal states are left only by retry_task and rerun_from.
    _T.COMPLETED: frozenset({_T.PENDING}),
    _T.FAILED: frozenset({_T.PENDING}),
    _T.CANCELLED: frozenset({_T.PENDING}),
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
#: Those that the end of a dependency may close: what has not been READY yet.
CLOSABLE = frozenset({_T.PENDING})
#: Those that retry_task opens again.
REOPENABLE = frozenset({_T.FAILED, _T.CANCELLED})
#: Those that may be deleted without cascade.
DELETABLE = TERMINAL
#: An execution in one of these is over.
EXECUTION_TERMINAL = frozenset({_E.COMPLETED, _E.FAILED, _E.CANCELLED, _E.TIMED_OUT, _E.LOST})
#: An execution in one of these may still end.
EXECUTION_OPEN = frozenset({_E.QUEUED, _E.RUNNING})


def may_move(start: TaskStatus | None, finish: TaskStatus) -> bool:
    """Whether a task may go from *start* to *finish* in one step."""
    return finish in TASK_TRANSITIONS[start]


def execution_may_move(start: ExecutionStatus | None, finish: ExecutionStatus) -> bool:
    """Whether an execution may go from *start* to *finish* in one step."""
    return finish in EXECUTION_TRANSITIONS[start]


def is_terminal(status: TaskStatus) -> bool:
    """Whether a task with this status is over."""
    return status in TERMINAL


def lua_prelude() -> str:
    """The states and named sets as Lua locals: ``T.READY``, ``E.LOST``, ``TERMINAL[status]``."""
    lines = [
        "local T = " + _lua_names({s.name: s.value for s in TaskStatus}),
        "local E = " + _lua_names({s.name: s.value for s in ExecutionStatus}),
        "local TERMINAL = " + _lua_set(TERMINAL),
    ]
    return "\n".join(lines)


def _lua_names(names: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name} = '{value}'" for name, value in names.items()) + "}"


def _lua_set(members: frozenset[TaskStatus]) -> str:
    return "{" + ", ".join(f"['{m.value}'] = true" for m in sorted(members)) + "}"
