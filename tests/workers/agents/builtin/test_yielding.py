"""Built-in agents on a real worker: each yields to whoever else can do the same, and to nobody what is pinned to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from taskengine import Task

from ....conftest import Valkey
from ....fleet import Fleet, attach_logs, until

TYPES = {
    "code_analysis": "ast_analysis", "code_review": "ruff_review", "testing": "pytest_run",
    "code_generation": "patch_apply", "deployment": "run_deploy", "monitoring": "probe", "custom": "echo",
}  # fmt: skip
OWN = """
from taskengine import agent

@agent("mine", capabilities={"monitoring"})
def mine(task, context):
    return {"mine": True}
"""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Any:
    report = yield
    attach_logs(report)
    return report


@pytest.fixture
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    server = Valkey()
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "my_own.py").write_text(OWN)
    made = Fleet(server, folder)
    try:
        made.coordinator()
        made.await_leader()
        yield made
    finally:
        made.close()
        server.close()


def serves(fleet: Fleet) -> dict[str, str]:
    """Capability -> agent of all that lives."""
    return {queue: agent for node in fleet.nodes() for queue, agent in node.queues.items() if queue[0] != "@"}


@pytest.mark.process
def test_a_built_in_agent_yields_to_imports_and_to_registered_agents_but_not_what_is_pinned_to_it(
    fleet: Fleet,
) -> None:
    with fleet.api() as api:
        api.register_agent("early", "http", "deployment", config={"url": "https://example.org/"})
        process = fleet.worker("built", agents="my_own,workers.agents.builtin.agents")
        fleet.await_ready(process)
        expected = {**TYPES, "monitoring": "mine"}
        del expected["deployment"]
        until(lambda: serves(fleet) == expected, what="the first beat that says what is consumed")
        api.register_agent("claude_1", "claude", "code_review", config={"model": "m"})
        del expected["code_review"]
        until(lambda: serves(fleet) == expected, what="the built-in review yields")
        waits = api.create_task(Task(name="w", task_type="code_review", input={"action": "approve"}))
        pinned = api.create_task(
            Task(name="p", task_type="code_review", assigned_to="ruff_review", input={"action": "approve", "text": "x"})
        )
        (done,) = api.wait([pinned.id], timeout=30)
        assert done.result == {"answer": "approve", "text": "x"}
        assert api.get_task(waits.id).status == "ready"
        api.unregister_agent("claude_1")
        (done,) = api.wait([waits.id], timeout=30)
        assert done.result is not None
        assert done.result["answer"] == "approve"
        until(lambda: api.get_agent("ruff_review").status == "online", what="a beat that says that its slot is free")


@pytest.mark.process
def test_a_worker_serves_none_of_them_unless_it_is_told(fleet: Fleet) -> None:
    process = fleet.worker("plain", agents="my_own")
    fleet.await_ready(process)
    until(lambda: serves(fleet), what="the first beat that says what is consumed")
    assert serves(fleet) == {"monitoring": "mine"}
