"""``examples/ci``: the commands of its jobs, taken out of them and run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Template
from typing import Any

import pytest
import typer
import yaml

from taskengine import agent
from taskengine.cli import app, place
from taskengine.settings import current
from taskengine.testing import Engine

from ..cli.conftest import taskengine

__all__ = ["taskengine"]

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "ci"
#: What the runners set.
VARIABLES = {
    "GITHUB_REPOSITORY": "me/it", "GITHUB_SHA": "0" * 40, "GITHUB_SERVER_URL": "https://git.example",
    "JOB_NAME": "it/main", "GIT_COMMIT": "1" * 40, "GIT_URL": "https://git.example/me/it.git",
}  # fmt: skip


def scripts(name: str) -> str:
    """What the job of a file runs."""
    text = (FOLDER / name).read_text()
    if name == "Jenkinsfile":
        return "\n".join(one[1] or one[2] for one in re.finditer(r"'''(.*?)'''|\bsh '([^']*)'", text, re.DOTALL))
    steps = yaml.safe_load(text)["jobs"]["pipeline"]["steps"]
    return "\n".join(step["run"] for step in steps if "run" in step)


def commands(name: str) -> list[list[str]]:
    """The words of each command of taskengine that a job runs, behind its name."""
    found = re.findall(r"(?<![\w/])taskengine (workflow [^;>|)\n]*)", scripts(name))
    return [shlex.split(one) for one in found]


def options(words: list[str]) -> tuple[set[str], set[str]]:
    """The options that a command is given, and those that it knows."""
    known = typer.main.get_command(app).commands["workflow"].commands[words[1]]  # type: ignore[attr-defined]
    return {word for word in words if word.startswith("-")}, {o for each in known.params for o in each.opts}


@pytest.mark.parametrize(
    ("name", "verbs"),
    [("github-actions.yml", ["lint", "start", "watch", "cancel", "graph"]), ("Jenkinsfile", ["lint", "run"])],
)
def test_a_job_runs_commands_that_there_are(name: str, verbs: list[str], taskengine: Callable[..., Any]) -> None:
    assert [words[1] for words in commands(name)] == verbs
    for words in commands(name):
        given, known = options(words)
        assert given <= known
        assert taskengine(*words[:2], "--help").code == 0
    assert "${{" not in scripts(name)  # nothing that somebody wrote becomes code of a shell


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.chdir(FOLDER)
    monkeypatch.setenv("TASKENGINE_REDIS_URL", "redis://127.0.0.1:1/0")
    current.cache_clear()

    @agent("ci", capabilities={"code_generation", "code_analysis", "testing"})
    def ci(task: Any, context: Any) -> dict[str, Any]:
        if "broken" in task.input["repository_url"] and "test_type" in task.input:
            raise RuntimeError("2 tests failed")
        return {"commit": task.input["ref"]}

    with Engine([ci]) as made:
        made.api.close = lambda: None  # type: ignore[method-assign]  # each command closes its client
        monkeypatch.setattr(place, "CommandLine", lambda settings: made.api)  # noqa: ARG005
        yield made
    current.cache_clear()


def test_jenkins_runs_a_commit_once_and_fails_by_the_exit_code(
    engine: Engine, taskengine: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskengine.cli.workflow.follow.time.sleep", engine.run_for)

    def build(**changed: str) -> Any:
        words = [Template(word).substitute(VARIABLES | changed) for word in commands("Jenkinsfile")[1]]
        return taskengine(*words, "-o", "json")

    first, second = build(), build()
    assert (first.code, first.json["result"]) == (0, {"commit": "1" * 40})
    assert second.json["id"] == first.json["id"]
    failed = build(GIT_COMMIT="2" * 40, GIT_URL="https://git.example/broken")
    assert (failed.code, failed.json["failed_step"]) == (3, "checks/unit_tests")


def test_a_started_workflow_is_that_of_its_commit(engine: Engine, taskengine: Callable[..., Any]) -> None:
    words = [Template(word).substitute(VARIABLES) for word in commands("github-actions.yml")[1]]
    ids = {taskengine(*words).json["id"] for _ in range(2)}
    assert len(ids) == 1
    engine.run_until_idle()
    assert engine.api.get_workflow(ids.pop()).result == {"commit": "0" * 40}


@pytest.mark.parametrize("name", ["github-actions.yml", "Jenkinsfile"])
def test_the_workflow_of_the_jobs_has_no_fault_and_no_doubt(name: str, taskengine: Callable[..., Any]) -> None:
    assert ["workflow", "lint", "pipeline.yaml"] in commands(name)
    found = taskengine("workflow", "lint", str(FOLDER / "pipeline.yaml"), "-o", "json").json
    assert found == {"errors": [], "warnings": []}


def test_what_files_for_each_kind_of_step_say_to_type_is_a_command_with_its_options() -> None:
    files = sorted((FOLDER.parent / "workflows").glob("*.yaml"))
    found = [words for file in files for words in re.findall(r"^#   taskengine (.+)$", file.read_text(), re.MULTILINE)]
    assert len(found) >= 3
    for line in found:
        given, known = options(shlex.split(line))
        assert given <= known, line
