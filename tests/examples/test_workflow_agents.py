"""The agents of the prebuilt workflows, each by itself, on a local git repository with real commands."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from taskengine import Task, WorkflowBuilder
from taskengine.agent import REGISTRY
from taskengine.core.step_index import StepIndex
from taskengine.models import TaskStep

from .conftest import GOOD, Repository, load_example

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def agents() -> Any:
    """The module, as a worker imports it."""
    return load_example("workflow_agents")


def call(function: Any, **given: Any) -> dict[str, Any]:
    context = SimpleNamespace(log=lambda *_: None)
    made: dict[str, Any] = function(Task(input=given), context)
    return made


def test_every_task_of_the_prebuilt_workflows_has_its_agent(agents: Any) -> None:
    offered = {word for word in REGISTRY.capabilities() if REGISTRY.offering(word) is not None}
    for workflow in (
        WorkflowBuilder.create_ci_cd_workflow("w", repository_url="r"),
        WorkflowBuilder.create_data_processing_workflow("w", data_sources=["a"]),
        WorkflowBuilder.create_code_review_workflow("w", pull_request_url="r/pull/1"),
    ):
        steps = [place.step for place in StepIndex(workflow).places]
        assert {str(step.task_template["task_type"]) for step in steps if isinstance(step, TaskStep)} <= offered


def test_a_commit_is_built_linted_and_tested(agents: Any, repository: Repository) -> None:
    source = {"repository_url": str(repository.folder)}
    head = repository.git("rev-parse", "HEAD")
    assert call(agents.build, action="build", **source, ref="main") == {"commit": head}
    assert call(agents.analyse, action="lint", analysis_type="lint", **source, ref=head) == {"clean": True}
    assert call(agents.test, test_type="unit", **source, ref=head)["passed"] is True
    words = f"{sys.executable} -c 'import app; print(app.double(21))'"
    assert call(agents.test, test_type="unit", test_command=words, **source, ref=head)["output"] == "42\n"


def test_a_commit_that_is_wrong_fails_where_it_is_looked_at(agents: Any, repository: Repository) -> None:
    source = {"repository_url": str(repository.folder)}
    broken = repository.commit(app__py="def double(x):\n    return 3 * x \n")
    with pytest.raises(RuntimeError, match="trailing whitespace"):
        call(agents.analyse, action="lint", analysis_type="lint", **source, ref=broken)
    with pytest.raises(RuntimeError, match="FAILED"):
        call(agents.test, test_type="unit", **source, ref=broken)
    no_python = repository.commit(app__py="def double(x:\n")
    with pytest.raises(RuntimeError, match="ended with 1"):
        call(agents.build, action="build", **source, ref=no_python)


def test_a_release_that_is_not_well_is_rolled_back(agents: Any, repository: Repository) -> None:
    source = {"repository_url": str(repository.folder), "environment": "staging"}
    good = repository.git("rev-parse", "HEAD")
    first = call(agents.deploy, action="deploy", **source, ref=good)
    assert call(agents.monitor, action="verify", target=first["url"])["healthy"] is True
    bad = repository.commit(app__py="def double(x):\n    return 3 * x\n")
    for _ in range(2):  # a worker that died may deploy it once more
        second = call(agents.deploy, action="deploy", **source, ref=bad)
    seen = call(agents.monitor, action="verify", target=second["url"])
    assert seen["healthy"] is False
    assert "AssertionError" in seen["output"]
    assert call(agents.deploy, action="rollback", **source) == {"release": good}
    assert call(agents.monitor, action="verify", target=second["url"])["healthy"] is True


def test_a_rollback_without_a_release_before_says_so(agents: Any, repository: Repository) -> None:
    with pytest.raises(RuntimeError, match="no release before"):
        call(agents.deploy, action="rollback", repository_url="r", environment="empty")


def test_a_change_is_analysed_reviewed_and_summed_up(agents: Any, repository: Repository) -> None:
    request = {
        "pull_request_url": repository.pull_request(7, app__py=GOOD["app.py"] + "print(eval('1'))\n", b__py="\n")
    }
    seen = call(agents.analyse, action="analyse", analysis_type="diff", **request)
    assert seen == {"files": ["app.py", "b.py"], "additions": 2, "deletions": 0}
    found = {
        kind: call(agents.review, action="review", review_type=kind, **request, files=seen["files"])["findings"]
        for kind in ("style", "security")
    }
    assert found == {"style": ["app.py: a print"], "security": ["app.py: eval"]}
    assert call(agents.test, action="test", test_type="unit", **request)["passed"] is True
    summed = call(agents.review, action="summarise", review_type="summary", findings=found, passed=True)
    assert summed == {"findings": 2, "text": "2 findings, tests pass. app.py: a print; app.py: eval"}
    assert call(agents.review, action="approve", **request, text="good")["answer"] == "approve"


def test_a_change_whose_tests_fail_is_no_error_of_the_review(agents: Any, repository: Repository) -> None:
    request = {"pull_request_url": repository.pull_request(8, app__py="def double(x):\n    return 3 * x\n")}
    assert call(agents.test, action="test", test_type="unit", **request)["passed"] is False


def test_what_is_no_pull_request_is_told(agents: Any) -> None:
    with pytest.raises(ValueError, match="is no pull request"):
        call(agents.analyse, analysis_type="diff", pull_request_url="https://example.org/repo")


def test_rows_are_extracted_checked_transformed_and_loaded(agents: Any, tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text("name,age\nann,3\n,\n", encoding="utf-8")
    extracted = call(agents.process, action="extract", source=str(source))
    assert extracted == {"rows": 2, "location": str(source)}
    place = {"source": str(source), "location": extracted["location"]}
    assert call(agents.test, test_type="data", **place) == {"valid": True}
    made = call(agents.process, action="transform", **place)
    assert made == {"rows": 1, "location": f"{source}.clean"}
    assert call(agents.process, action="load", sources=[made, None, {"valid": False}]) == {"rows": 1}
    assert call(agents.deploy, action="publish", rows=1) == {"published": 1}
    source.write_text("name,age\nann\n", encoding="utf-8")
    assert call(agents.test, test_type="data", **place) == {"valid": False}


def test_no_repository_can_pass_an_option_or_a_command(agents: Any, tmp_path: Path) -> None:
    for repository in ("--upload-pack=touch /tmp/x", "ext::sh -c touch% /tmp/x"):
        with pytest.raises(RuntimeError, match="git"):
            call(agents.build, repository_url=repository, ref="HEAD")
