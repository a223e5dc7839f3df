"""The three prebuilt workflows on real processes: a server, a coordinator, and a worker with the built-in agents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taskengine import Workflow, WorkflowBuilder

from ..conftest import Valkey
from ..fleet import Fleet
from .conftest import GOOD, Repository

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="module")
def fleet(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    server = Valkey()
    made = Fleet(server, tmp_path_factory.mktemp("fleet"))
    try:
        made.coordinator()
        types = "code_generation,code_analysis,code_review,testing,deployment,monitoring,custom"
        variables = {"TASKENGINE_WORKSPACES": str(place), "TASKENGINE_DEPLOY_ROOT": str(place / "deployed")}
        made.worker("git", "-Q", types, agents="workers.agents.builtin.agents", **variables)
        made.await_leader()
        yield made
    finally:
        made.close()
        server.close()


@pytest.fixture(scope="module")
def repository(place: Path) -> Repository:
    made = Repository(place / "repository")
    made.commit(**{name.replace(".", "__"): text for name, text in GOOD.items()})
    return made


def run(fleet: Fleet, workflow: Workflow) -> dict[str, Any]:
    with fleet.api() as api:
        done = api.execute_workflow(workflow, timeout=90)
    assert done.result is not None
    return done.result


def test_a_commit_is_deployed_and_what_is_not_well_rolled_back(fleet: Fleet, repository: Repository) -> None:
    good = repository.head()
    made = run(fleet, WorkflowBuilder.create_ci_cd_workflow("ci", repository_url=repository.url))
    assert made == {"commit": good, "deployed": True}
    bad = repository.commit(healthcheck__py="raise SystemExit(1)\n")
    made = run(fleet, WorkflowBuilder.create_ci_cd_workflow("ci", repository_url=repository.url))
    assert made == {"commit": bad, "deployed": False}
    assert repository.deployed() == good


def test_a_change_is_reviewed(fleet: Fleet, repository: Repository) -> None:
    request = repository.pull_request(7, more__py="print(eval('1'))\n")
    made = run(fleet, WorkflowBuilder.create_code_review_workflow("review", pull_request_url=request))
    assert made["findings"] == 2


def test_data_is_processed(fleet: Fleet, place: Path) -> None:
    sources: list[Any] = []
    for at in range(5):
        (place / f"{at}.csv").write_text("a,b\n1,2\n,\n", encoding="utf-8")
        sources.append(str(place / f"{at}.csv"))
    made = run(fleet, WorkflowBuilder.create_data_processing_workflow("data", data_sources=sources, max_parallel=2))
    assert made == {"rows": 5}
