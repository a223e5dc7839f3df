"""Built-in agents in an engine of one process, with a workspace, a folder outside of it, and repositories."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from taskengine import Task
from taskengine.testing import Engine
from workers.agents.builtin import agents

from ....examples.conftest import GOOD, Repository

Ask = Callable[..., "Done"]


@dataclass(frozen=True)
class Done:
    """How a task ended."""

    id: UUID
    status: str
    result: Any
    error: str
    error_kind: str | None


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that tasks may name."""
    for name in ("work", "tmp", "outside"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("TASKENGINE_WORKSPACES", str(tmp_path / "work"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "work"


@pytest.fixture
def outside(work: Path) -> Path:
    """A folder that no task may name."""
    return work.parent / "outside"


@pytest.fixture
def left(work: Path) -> Callable[[], list[str]]:
    """What tasks left in the folder of temporary files."""
    return lambda: [file.name for home in (work.parent / "tmp").iterdir() for file in home.iterdir()]


@pytest.fixture
def repository(work: Path) -> Repository:
    made = Repository(work / "repository")
    made.commit(**{name.replace(".", "__"): text for name, text in GOOD.items()})
    return made


@pytest.fixture
def engine(work: Path) -> Iterator[Engine]:
    assert agents.__all__
    with Engine(modules=["workers.agents.builtin"]) as made:
        yield made


@pytest.fixture
def ask(engine: Engine) -> Ask:
    """Run one task of a type to its end."""

    def run(task_type: str, **given: Any) -> Task:
        (task,) = engine.submit(Task(name="t", task_type=task_type, input=given, max_retries=0))
        (done,) = engine.run_until_done(task)
        last = engine.executions(task)[-1]
        return Done(done.id, done.status.value, done.result or last.result, last.error_message or "", last.error_kind)

    return run
