"""Random workflows come to what the reference says: the same statuses, outputs, variables, calls and order."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, seed, settings

from taskengine import ConflictError, NotAllowedError, NotNow, Workflow, agent
from taskengine.core.identity import step_id
from taskengine.models import StepState
from taskengine.testing import Engine

from .conftest import QUEUE, START
from .reference import FAILED, Frame, Record, UnsettledError, play
from .trees import workflows

#: Seconds after which all of these are over.
LONG = 1000


class Fleet:
    """An engine whose agent does what the input of its task says, and remembers the calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.called: Counter[str] = Counter()

        @agent("script", capabilities={QUEUE})
        def script(task: Any, _: Any) -> dict[str, Any]:
            id = str(task.id)
            self.calls.append(id)
            self.called[id] += 1
            if self.called[id] <= task.input["not_now"]:
                raise NotNow(5)
            if self.called[id] <= task.input["not_now"] + task.input["fails"]:
                raise OSError("it fails")
            gives: dict[str, Any] = task.input["gives"]
            return gives

        self.engine = Engine([script], start=START)

    def run(self, workflow: Workflow, expected: Record) -> None:
        """Let it come to its end, and say to it all that it waits for."""
        api = self.engine.api
        api.start_workflow(workflow)
        for name, payload in expected.signals:
            api.signal_workflow(workflow.id, name, payload)
        for path, approved in expected.approvals:
            api.approve(workflow.id, path, approved=approved, by="ann")
        self.engine.run_until_idle()
        with suppress(NotAllowedError, ConflictError):  # it is over already
            api.update_context(workflow.id, dict.fromkeys(_awaited(workflow), 1))
        self.engine.run_for(timedelta(seconds=LONG))
        self.engine.check()


def _awaited(workflow: Workflow) -> list[str]:
    """Variables that waits look at, and nobody else."""
    words = workflow.model_dump_json().split("variables.")[1:]
    return ["go_on", *(word.partition(" ")[0] for word in words if word[:3] == "go_")]


def compare(workflow: Workflow) -> None:
    """Run a workflow on an engine and on the reference."""
    expected, frame = Record(), Frame(workflow.context, dict(workflow.variables))
    status, result = play(workflow, "", frame, expected)
    fleet = Fleet()
    with fleet.engine as engine:
        fleet.run(workflow, expected)
        found = engine.api.get_workflow(workflow.id)
        tree = engine.api.get_workflow_status(workflow.id)
        assert found.status == status, found.error_message
        assert (found.result or {}) == (result or {})
        unsettled = frame.unsettled | set(_awaited(workflow))
        assert without(found.variables, unsettled) == without(frame.variables, unsettled)
        check_calls(workflow, expected, fleet)
        check_statuses([*tree.steps, *tree.finally_steps], expected)


def without(variables: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in variables.items() if name not in names}


def check_calls(workflow: Workflow, expected: Record, fleet: Fleet) -> None:
    """Each task was called as often as it must be, and those of a sequence one after the other."""
    paths = {
        str(step_id(workflow.id, path + do)): path
        for path in (*expected.calls, *expected.unsettled) for do in ("", "~do")
    }  # fmt: skip
    log = [paths.get(id, id) for id in fleet.calls]
    called = Counter(path for path in log if path not in expected.unsettled)
    assert called == Counter(expected.calls)
    for before, after in expected.order:
        last = max((at for at, path in enumerate(log) if path in before), default=-1)
        first = min((at for at, path in enumerate(log) if path in after), default=len(log))
        assert last < first, (before, after, log)


def check_statuses(states: list[StepState], expected: Record) -> None:
    for state in states:
        if state.path in expected.statuses:
            wanted = expected.statuses[state.path]
            # A group that asks for nothing is a gate: it cannot be passed, and is called off; so is what waits for ever
            # when the time of the group around it is over.
            is_called_off = wanted == FAILED and (state.children or state.path.split("/")[-1].startswith("forever"))
            same = {FAILED, "cancelled"} if is_called_off else {wanted}
            assert state.status.value in same, (state.path, state.status, wanted)
        check_statuses(list(state.children), expected)


def check(workflow: Workflow) -> None:
    try:
        compare(workflow)
    except UnsettledError:
        assume(False)


QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@given(workflow=workflows())
@settings(max_examples=25, deadline=None, suppress_health_check=QUIET)
def test_a_workflow_comes_to_what_the_reference_says(workflow: Workflow) -> None:
    check(workflow)


@pytest.mark.slow
@pytest.mark.matrix
@pytest.mark.parametrize("volume", range(8))
def test_two_thousand_workflows_come_to_what_the_reference_says(volume: int, request: pytest.FixtureRequest) -> None:
    """In volumes of 250; of which one a run samples the beginning, and what stands in it, go by its sample."""
    edition = request.config.getoption("--hypothesis-seed") or request.config.getoption("--sample")
    length = 250 if request.config.getoption("--matrix") == "full" else 60

    @seed(f"{edition} {volume}")
    @given(workflow=workflows())
    @settings(max_examples=length, deadline=None, suppress_health_check=QUIET)
    def comes_to_it(workflow: Workflow) -> None:
        check(workflow)

    comes_to_it()
