"""A workflow to its end: shown as it goes, why it stands when it does, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar
from uuid import UUID

from rich.console import Group, RenderableType
from rich.text import Text

from taskengine.api import BlockingTaskAPI
from taskengine.api.arguments import Id
from taskengine.cli.output import answer, clean, complain, say, wants_json, warn
from taskengine.cli.text import result_text, status
from taskengine.cli.workflow.inside import Inside
from taskengine.cli.workflow.options import INTERRUPTED, NOT_OVER, exit_code
from taskengine.cli.workflow.reasons import reasons
from taskengine.cli.workflow.shown import Show, shown
from taskengine.core.lifecycle import WORKFLOW_OVER
from taskengine.errors import StoreUnavailableError, WaitTimeoutError
from taskengine.models import Workflow, WorkflowState

T = TypeVar("T")
#: Seconds between two looks: the first, and the longest.
_FIRST, _LONGEST = 0.05, 0.5
#: No more than this part of the time is spent on looking.
_SHARE = 0.25
#: Seconds for which a server that does not answer is asked again.
_AWAY_SECONDS = 60.0
#: Seconds without a change after which somebody wants to know why.
_QUIET_SECONDS = 2.0


def run_to_end(api: BlockingTaskAPI, id: UUID, timeout: float | None) -> int:
    """Show a workflow that was started here to its end; the exit code. A program hears of the end alone."""
    if not wants_json():
        return watch(api, id, timeout)
    code = _until_over(api, id, timeout, _warned())
    if code is not None:
        return code
    workflow = _patiently(lambda: api.get_workflow(id))
    answer(as_json(api.get_workflow_status(id), workflow), "")
    return exit_code(workflow.status)


def watch(api: BlockingTaskAPI, id: Id, timeout: float | None) -> int:
    """Show a workflow as it goes, and how it ended; the exit code."""
    with shown() as show:
        code = _until_over(api, id, timeout, show)
    if code is not None:
        return code
    workflow = _patiently(lambda: api.get_workflow(id))
    say(ending(workflow))
    return exit_code(workflow.status)


def _warned() -> Show:
    """Says only why nothing moves, on stderr."""
    told: set[str] = set()

    def show(_: WorkflowState, reasons: Sequence[str]) -> None:
        for why in reasons:
            if why not in told:
                told.add(why)
                warn(f"waits: {why}")

    return show


def _until_over(api: BlockingTaskAPI, id: Id, timeout: float | None, show: Show) -> int | None:
    """Look at it until it is over; None then, else the exit code."""
    deadline = None if timeout is None else time.monotonic() + timeout
    pause, stands, inside = _FIRST, _Standstill(), Inside(api, id)
    api.get_workflow_status(id)  # the first is not waited for: there may be no server at all
    try:
        while True:
            began = time.monotonic()
            state, why = _patiently(lambda: _look(api, id, stands, inside))
            show(state, why)
            if state.status in WORKFLOW_OVER:
                return None
            if deadline is not None and time.monotonic() >= deadline:
                return _late(state, timeout or 0)
            took = time.monotonic() - began
            pause = min(_LONGEST, pause * 1.5)
            time.sleep(max(pause if deadline is None else min(pause, deadline - time.monotonic()), took / _SHARE))
    except KeyboardInterrupt:
        say(f"workflow {id} goes on; watch it: taskengine workflow watch {id}")
        return INTERRUPTED


def _look(
    api: BlockingTaskAPI, id: Id, stands: _Standstill, inside: Inside
) -> tuple[WorkflowState, Sequence[str]]:
    """Ask how a workflow stands, and why when it has not moved for a while."""
    state = inside.of(api.get_workflow_status(id))
    return state, reasons(api, state) if stands.lasts(state) else ()


def _patiently(ask: Callable[[], T]) -> T:
    """Give the answer to *ask*; a server that is away, begun anew perhaps, is waited for: the workflow goes on."""
    since: float | None = None
    while True:
        try:
            return ask()
        except StoreUnavailableError as exc:
            now = time.monotonic()
            if since is None:
                since = now
                warn(f"{exc}; it is asked again for {_AWAY_SECONDS:g} s")
            if now - since >= _AWAY_SECONDS:
                raise
            time.sleep(_LONGEST)


class _Standstill:
    """Whether a workflow has not changed for a while."""

    def __init__(self) -> None:
        self._before: object = None
        self._since = time.monotonic()

    def lasts(self, state: WorkflowState) -> bool:
        now = time.monotonic()
        if state != self._before:
            self._before, self._since = state, now
        return now - self._since >= _QUIET_SECONDS and state.status not in WORKFLOW_OVER


def _late(state: WorkflowState, timeout: float) -> int:
    says = f"workflow {state.id} was not over within {timeout:g} s and goes on; taskengine workflow watch {state.id}"
    complain(says, kind=WaitTimeoutError.__name__)
    return NOT_OVER


def as_json(state: WorkflowState, workflow: Workflow) -> dict[str, Any]:
    """For programs: how it stands, and what it came to."""
    return {**state.model_dump(mode="json"), "result": workflow.result}


def ending(workflow: Workflow) -> RenderableType:
    """Return how a workflow ended, with what it came to."""
    return Group(*_ending(workflow))


def _ending(workflow: Workflow) -> Iterator[RenderableType]:
    head = Text.assemble(f"{workflow.id} ", status(workflow.status.value))
    where = f" at {workflow.failed_step}" if workflow.failed_step else ""
    why = workflow.error_message or workflow.reason
    yield head.append(clean(f"{where}: {why}" if why else where))
    if workflow.result:
        yield result_text(workflow.result)
    if exit_code(workflow.status):
        yield Text(f"from the failed steps on: taskengine workflow retry {workflow.id}", style="dim")
