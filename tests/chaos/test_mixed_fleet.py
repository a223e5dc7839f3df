"""Five hundred tasks on agents of four types, of which one worker each is killed: nothing lost, nothing paid twice."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator

import pytest

from taskengine import BlockingTaskAPI, Task
from taskengine.models import ExecutionStatus, TaskStatus
from taskengine.store.invariants import check_at_rest

from ..doubles.anthropic import Anthropic, prompt
from ..doubles.codegen import ORG, TOKEN, CodegenService
from ..fleet import Fleet, Process, until
from .conftest import MakeFleet

KEY = "sk-canary-0123456789"
#: Agent and what it offers; the last are functions.
AGENTS = {"claude_1": "code_review", "codegen_1": "code_generation", "command_1": "start", "custom": "work"}
#: How many tasks each capability gets; together 500.
SHARES = {"code_review": 120, "code_generation": 150, "start": 30, "work": 200}
PROGRAM = "import json, sys, time; time.sleep(0.2); print(json.dumps({'ok': True}))"
CALL = {"kind": "tool", "calls": [{"name": "slow_count", "input": {"n": 1}}], "seconds": 0.2}


@pytest.fixture
def claude() -> Iterator[Anthropic]:
    with Anthropic(keys=frozenset({KEY})) as made:
        yield made


@pytest.fixture
def codegen() -> Iterator[CodegenService]:
    with CodegenService(reads=100_000) as made:
        yield made


def register(api: BlockingTaskAPI, codegen: CodegenService) -> None:
    api.register_agent(
        "claude_1", "claude", {"code_review"}, secret="ANTHROPIC_API_KEY",
        config={"model": "claude-test", "tools": ["slow_count"], "max_turns": 5},
    )  # fmt: skip
    config = {"org_id": ORG, "base_url": codegen.url, "poll_seconds": 0.2, "requests_per_30_seconds": 100_000}
    api.register_agent("codegen_1", "codegen", {"code_generation"}, secret="CODEGEN_TOKEN", config=config)
    api.register_agent("command_1", "command", {"start"}, config={"argv": [sys.executable, "-c", PROGRAM]})


def serve(fleet: Fleet, agent: str, claude: Anthropic, codegen: CodegenService) -> Process:
    """Start a worker for the agent of that name; 'custom' is one of functions."""
    name = f"{agent}-{len(fleet.processes)}"
    if agent == "custom":
        made = fleet.celery(name, "-Q", "work", slots=4)
    else:
        made = fleet.start(
            name, "-m", "celery", "-A", "workers", "worker", "-n", f"{name}@test", "-l", "INFO", "-P", "threads",
            "-c", "8", "--without-mingle", "-I", "claude_tools", TASKENGINE_AGENT=agent, ANTHROPIC_API_KEY=KEY,
            ANTHROPIC_BASE_URL=claude.url, CODEGEN_TOKEN=TOKEN, TASKENGINE_COMMANDS=sys.executable,
            TASKENGINE_ALLOWED_HOSTS=codegen.url.removeprefix("http://"),
        )  # fmt: skip
    fleet.await_ready(made)
    return made


def orders() -> list[Task]:
    """All tasks, in an order by chance."""
    made = []
    for capability, count in SHARES.items():
        for n in range(count):
            name = f"{capability}-{n}"
            texts = {
                "code_review": prompt(name, CALL, {"text": "done", "seconds": 0.2}),
                "code_generation": f"[run=0.5]{' [lost]' * (n % 10 == 0)}",
            }
            made.append(
                Task(
                    name=name,
                    capability=capability,
                    description=texts.get(capability),
                    input={"seconds": 0.05},
                    max_retries=0,
                )
            )
    random.Random(7).shuffle(made)
    return made


def cut_short(fleet: Fleet, task: Task) -> int:
    """Count the attempts that ended before their call did: lost, or stopped for their worker's sake."""
    ends = (ExecutionStatus.LOST, ExecutionStatus.CANCELLED)
    ran = fleet.executions(str(task.id))
    return sum(one.status in ends or "was cut off" in str(one.error_message) for one in ran)


def test_a_killed_worker_of_each_type_loses_nothing_and_pays_nothing_twice(
    make_fleet: MakeFleet, claude: Anthropic, codegen: CodegenService
) -> None:
    fleet = make_fleet(max_lost=20)
    fleet.coordinator()
    fleet.await_leader()
    with fleet.api() as api:
        register(api, codegen)
        workers = {agent: [serve(fleet, agent, claude, codegen) for _ in range(2)] for agent in AGENTS}
        tasks = orders()
        api.create_tasks(tasks)
        ids = [str(task.id) for task in tasks]
        for agent, capability in AGENTS.items():
            mine = [str(task.id) for task in tasks if task.capability == capability]
            until(lambda mine=mine: "running" in fleet.statuses(mine), 60, f"something of {agent} runs")
            workers[agent][0].kill()
        done = api.wait(ids, timeout=300)
    assert [(task.name, task.error_message) for task in done if task.status is not TaskStatus.COMPLETED] == []
    reviews = [task for task in tasks if task.capability == "code_review"]
    # What the service sent whole may not have arrived when its worker died: heard is what was gone on from.
    assert {task.name: claude.of(task.name).again for task in reviews if claude.of(task.name).again} == {}
    for task in reviews:
        again = claude.of(task.name).paid.total() - 2
        assert again <= (cut_short(fleet, task) if again > 0 else 0), f"paid again: {task.name}"
    assert {id: runs for id, runs in codegen.paid.items() if runs > 1} == {}
    assert len(codegen.paid) == SHARES["code_generation"]
    until(lambda: fleet.store.run(check_at_rest(fleet.keys)) == [], what="nothing is reserved or left behind")
