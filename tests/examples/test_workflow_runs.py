"""The workflows of the examples run to their ends: one for each kind of step, and the prebuilt on a repository."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from taskengine import Workflow, WorkflowBuilder, WorkflowExecutionError, load_workflow
from taskengine.agent import REGISTRY
from taskengine.core.step_index import StepIndex
from taskengine.models import StepState, TaskStep, TaskType
from taskengine.testing import Engine
from workers.agents.builtin import agents

from .conftest import EXAMPLES, Repository, load_example

Run = Callable[..., Workflow]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """One in this process, with the built-in agents and those of the files."""
    monkeypatch.setenv("TASKENGINE_WORKSPACES", str(tmp_path))
    steps = load_example("workflows/step_agents")
    functions = (*(getattr(agents, name) for name in agents.__all__), steps.echo, steps.count)
    with Engine([REGISTRY.of(function) for function in functions]) as made:
        yield made
        made.check()


def test_every_task_of_the_prebuilt_workflows_has_its_agent() -> None:
    offered = {word for name in agents.__all__ for word in REGISTRY.of(getattr(agents, name)).capabilities}
    for workflow in (
        WorkflowBuilder.create_ci_cd_workflow("w", repository_url="r"),
        WorkflowBuilder.create_data_processing_workflow("w", data_sources=["a"]),
        WorkflowBuilder.create_code_review_workflow("w", pull_request_url="r/pull/1"),
    ):
        places = [place.step for place in StepIndex(workflow).places]
        assert {str(step.task_template["task_type"]) for step in places if isinstance(step, TaskStep)} <= offered
    assert offered == {each.value for each in TaskType} - {"workflow"}


def steps(states: tuple[StepState, ...]) -> dict[str, str]:
    """Status of each step by its path."""
    found: dict[str, str] = {}
    for state in states:
        found[state.path] = state.status.value
        found |= steps(state.children)
    return found


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("task", {"text": "hello world, hello world"}),
        ("parallel", {"passed": 15}),
        ("sequential", {"package": "abc123"}),
        ("conditional", {"tests": "passed"}),
        ("loop", {"reached": 3, "turns": 3}),
        ("wait", {}),
        ("failure", {}),
        (
            "map",
            {
                "regions": [
                    {"region": "eu", "hosts": 3, "number": 1},
                    {"region": "us", "hosts": 5, "number": 2},
                    {"region": "ap", "hosts": 2, "number": 3},
                ]
            },
        ),
        ("sub_workflow", {"released": [{"published": 1}, {"published": 2}]}),
    ],
)
def test_a_file_runs_to_its_end(engine: Engine, name: str, result: dict[str, Any]) -> None:
    done = engine.api.execute_workflow(load_workflow(EXAMPLES / "workflows" / f"{name}.yaml"))
    assert (done.status.value, done.result or {}) == ("completed", result)


def test_an_approval_steers_what_follows(engine: Engine) -> None:
    flow = load_workflow(EXAMPLES / "workflows" / "approval.yaml")
    engine.api.start_workflow(flow)
    engine.run_until_idle()
    assert engine.api.get_workflow_status(flow.id).steps[0].status == "waiting"
    engine.api.approve(flow.id, "ask", by="ann", form={"hosts": 3})
    engine.run_until_idle()
    done = engine.api.get_workflow(flow.id)
    assert (done.status.value, done.variables) == ("completed", {"hosts": 3})


@pytest.mark.process
def test_a_commit_that_is_well_is_deployed(engine: Engine, repository: Repository) -> None:
    done = engine.api.execute_workflow(WorkflowBuilder.create_ci_cd_workflow("ci", repository_url=repository.url))
    assert done.result == {"commit": repository.head(), "deployed": True}
    assert repository.deployed() == repository.head()


@pytest.mark.process
def test_where_nothing_is_deployed_nothing_is_said_to_be(
    engine: Engine, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TASKENGINE_DEPLOY_ROOT")
    done = engine.api.execute_workflow(WorkflowBuilder.create_ci_cd_workflow("ci", repository_url=repository.url))
    assert done.result == {"commit": repository.head(), "deployed": False}
    assert steps(engine.api.get_workflow_status(done.id).steps)["health_check/rollback"] != "completed"


@pytest.mark.process
def test_a_release_that_is_not_well_is_rolled_back(engine: Engine, repository: Repository) -> None:
    """The branch of a failure."""
    engine.api.execute_workflow(WorkflowBuilder.create_ci_cd_workflow("ci", repository_url=repository.url))
    good = repository.head()
    bad = repository.commit(healthcheck__py="raise SystemExit('the database is away')\n")
    done = engine.api.execute_workflow(WorkflowBuilder.create_ci_cd_workflow("ci", repository_url=repository.url))
    assert done.result == {"commit": bad, "deployed": False}
    assert repository.deployed() == good
    assert steps(engine.api.get_workflow_status(done.id).steps)["health_check/rollback"] == "completed"


@pytest.mark.process
def test_a_commit_whose_tests_fail_is_not_deployed(engine: Engine, repository: Repository) -> None:
    repository.commit(app__py="def double(x):\n    return 3 * x\n")
    with pytest.raises(WorkflowExecutionError, match="unit_tests") as caught:
        engine.api.execute_workflow(WorkflowBuilder.create_ci_cd_workflow("ci", repository_url=repository.url))
    state = engine.api.get_workflow_status(caught.value.workflow.id)
    assert steps(state.steps)["checks/lint"] == "completed"
    assert steps(state.steps)["checks/unit_tests"] == "failed"
    assert steps(state.finally_steps) == {"~finally/report": "completed"}
    assert repository.deployed() is None


@pytest.mark.process
@pytest.mark.parametrize(
    ("text", "answer", "findings"),
    [("def double(x):\n    return x + x\n", "approve", 0), ("print(eval('1'))\n", "request_changes", 2)],
)
def test_a_change_is_reviewed_and_answered(
    engine: Engine, repository: Repository, text: str, answer: str, findings: int
) -> None:
    request = repository.pull_request(7, **({"app__py": text} if answer == "approve" else {"more__py": text}))
    made = WorkflowBuilder.create_code_review_workflow("review", pull_request_url=request)
    done = engine.api.execute_workflow(made)
    assert done.result is not None
    assert done.result["findings"] == findings
    assert steps(engine.api.get_workflow_status(done.id).steps)[f"verdict/{answer}"] == "completed"


@pytest.mark.process
@pytest.mark.parametrize(("approved", "answer"), [(True, "approve"), (False, "request_changes")])
def test_somebody_has_the_last_word_on_a_change(
    engine: Engine, repository: Repository, approved: bool, answer: str
) -> None:
    request = repository.pull_request(7, app__py="def double(x):\n    return x + x\n")
    made = WorkflowBuilder.create_code_review_workflow("review", pull_request_url=request, approvers=["ann"])
    engine.api.start_workflow(made)
    engine.run_until_idle()
    engine.api.approve(made.id, "sign_off", by="ann", approved=approved)
    engine.run_until_idle()
    assert engine.api.get_workflow(made.id).status == "completed"
    assert steps(engine.api.get_workflow_status(made.id).steps)[f"verdict/{answer}"] == "completed"


@pytest.mark.parametrize(
    ("files", "rows", "taken"),
    [
        (["a,b\n1,2\n,\n", "a,b\n1,2\n3,4\n"], 3, "publish"),
        (["a,b\n1,2\n", None], 1, "publish"),
        (["a,b\n", "a,b\n1\n"], 0, "alert"),
    ],
)
def test_data_is_processed_and_what_is_not_whole_is_left_out(
    engine: Engine, tmp_path: Path, files: list[str | None], rows: int, taken: str
) -> None:
    for at, text in enumerate(files):
        if text is not None:
            (tmp_path / f"{at}.csv").write_text(text, encoding="utf-8")
    sources: list[Any] = [str(tmp_path / f"{at}.csv") for at in range(len(files))]
    made = WorkflowBuilder.create_data_processing_workflow("data", data_sources=sources, tolerate=1)
    done = engine.api.execute_workflow(made)
    assert done.result == {"rows": rows}
    assert steps(engine.api.get_workflow_status(done.id).steps)[f"loaded/{taken}"] == "completed"
