"""Slotless runs on real workers: a codegen agent over a service on a real socket, one poller in the fleet."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from taskengine import BlockingTaskAPI, Task
from taskengine.models import ExecutionStatus, TaskStatus
from taskengine.store.invariants import check_invariants

from ..conftest import Valkey
from ..doubles.codegen import ORG, TOKEN, CodegenService
from ..fleet import Fleet, Process, attach_logs, until

CAN = "code_generation"
#: Where the ids of each service begin: what one test left there is not what another began.
FIRSTS = count(0, 1_000_000)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Any:
    report = yield
    attach_logs(report)
    return report


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A server and a coordinator; each test starts workers of its own."""
    server = Valkey()
    made = Fleet(server, tmp_path_factory.mktemp("fleet"))
    try:
        made.coordinator()
        made.await_leader()
        yield made
    finally:
        made.close()
        server.close()


@pytest.fixture
def service() -> Iterator[CodegenService]:
    with CodegenService(reads=1_000_000, first=next(FIRSTS)) as made:
        yield made


@pytest.fixture
def api(fleet: Fleet, service: CodegenService) -> Iterator[BlockingTaskAPI]:
    with fleet.api() as opened:
        config = {"org_id": ORG, "base_url": service.url, "poll_seconds": 0.2, "requests_per_30_seconds": 100_000}
        opened.register_agent("codegen_agent", "codegen", CAN, secret="CODEGEN_TOKEN", config=config)
        yield opened
    for process in fleet.processes[1:]:
        process.close()
    del fleet.processes[1:]


def worker(fleet: Fleet, service: CodegenService, slots: int = 2, imports: str = "", **variables: str) -> Process:
    made = fleet.start(
        f"w-{len(fleet.processes)}", "-m", "celery", "-A", "workers", "worker", "-n", f"w{len(fleet.processes)}@test",
        "-l", "INFO", "-P", "threads", "-c", str(slots), "--without-mingle", *(("-I", imports) if imports else ()),
        **{
            "TASKENGINE_AGENT": "codegen_agent", "CODEGEN_TOKEN": TOKEN,
            "TASKENGINE_ALLOWED_HOSTS": service.url.removeprefix("http://"), **variables,
        },
    )  # fmt: skip
    fleet.await_ready(made)
    return made


def generate(api: BlockingTaskAPI, *prompts: str, **fields: Any) -> list[Task]:
    return api.create_tasks(Task(name=f"t{n}", capability=CAN, description=p, **fields) for n, p in enumerate(prompts))


def until_detached(api: BlockingTaskAPI, *tasks: Task) -> None:
    def all_are() -> bool:
        found = [api.get_task_executions(task.id)[-1:] for task in tasks]
        return all(one and one[0].is_detached for one in found)

    until(all_are, what="all detached")


def statuses(api: BlockingTaskAPI, task: Task) -> list[str]:
    return [one.status.value for one in api.get_task_executions(task.id)]


def test_runs_hold_no_slot_and_end_with_what_the_service_says(
    fleet: Fleet, service: CodegenService, api: BlockingTaskAPI
) -> None:
    process = worker(fleet, service)
    tasks = generate(api, *["[run=2]"] * 10)
    until_detached(api, *tasks)
    (node,) = [one for one in api.list_workers() if one["alive"]]
    assert node["busy"] == 0
    assert api.health_check()["running_tasks"] == 10
    done = api.wait([task.id for task in tasks], timeout=60)
    assert {task.status for task in done} == {TaskStatus.COMPLETED}
    assert done[0].result is not None
    assert done[0].result["result"].startswith("did: ")
    assert set(service.paid.values()) == {1}
    assert TOKEN not in process.log()
    assert fleet.store.run(check_invariants(fleet.keys)) == []


def test_a_cancel_is_asked_for_at_the_service(fleet: Fleet, service: CodegenService, api: BlockingTaskAPI) -> None:
    worker(fleet, service)
    (task,) = generate(api, "[run=100]")
    until_detached(api, task)
    api.cancel_task(task.id, reason="not wanted")
    (done,) = api.wait([task.id], timeout=60)
    assert done.status is TaskStatus.CANCELLED
    assert service.runs[0].status() == "CANCELLED"


def test_a_run_over_its_time_is_ended_there_too(fleet: Fleet, service: CodegenService, api: BlockingTaskAPI) -> None:
    worker(fleet, service)
    (task,) = generate(api, "[run=100]", timeout=4, max_retries=0)
    (done,) = api.wait([task.id], timeout=60)
    assert (done.status, done.error_kind) == (TaskStatus.FAILED, "timeout")
    until(lambda: service.runs[0].status() == "CANCELLED", what="the orphan is stopped")
    assert fleet.store.run(check_invariants(fleet.keys)) == []


def test_a_paused_run_asks_a_person_and_goes_on(fleet: Fleet, service: CodegenService, api: BlockingTaskAPI) -> None:
    worker(fleet, service)
    (task,) = generate(api, "[pause]")
    until(lambda: api.get_task(task.id).status is TaskStatus.PAUSED, what="it asks")
    question = api.get_task(task.id).question
    assert question is not None
    assert question.text == "which branch?"
    api.answer(task.id, "main", by="ann")
    (done,) = api.wait([task.id], timeout=60)
    assert done.status is TaskStatus.COMPLETED
    assert service.runs[0].answers == ["main"]
    assert len(service.runs) == 1


def test_a_cancel_of_a_task_that_asks_stops_its_run_there(
    fleet: Fleet, service: CodegenService, api: BlockingTaskAPI
) -> None:
    worker(fleet, service)
    (task,) = generate(api, "[pause]")
    until(lambda: api.get_task(task.id).status is TaskStatus.PAUSED, what="it asks")
    api.cancel_task(task.id, reason="not wanted")
    until(lambda: service.runs[0].status() == "CANCELLED", what="its run is stopped")
    assert api.get_task(task.id).status is TaskStatus.CANCELLED
    assert fleet.store.run(check_invariants(fleet.keys)) == []


def test_a_result_that_does_not_fit_is_sent_back_to_its_run_once(
    fleet: Fleet, service: CodegenService, api: BlockingTaskAPI
) -> None:
    worker(fleet, service)
    schema = {"type": "object", "required": ["verdict"]}
    mended, never = generate(
        api, '[result=no idea][mended={"verdict": "yes"}]', "[result=no idea]", output_schema=schema
    )
    done, failed = api.wait([mended.id, never.id], timeout=40)
    assert (done.status, done.result) == (TaskStatus.COMPLETED, {"verdict": "yes"})
    assert (failed.status, failed.error_kind) == (TaskStatus.FAILED, "invalid_output")
    assert [len(run.answers) for run in service.runs] == [1, 1]
    assert set(service.paid.values()) == {1}


def test_a_failed_run_is_tried_again_as_another_run(
    fleet: Fleet, service: CodegenService, api: BlockingTaskAPI
) -> None:
    worker(fleet, service)
    (task,) = generate(api, "[end=FAILED]", max_retries=1, retry={"initial_interval": 0.1})
    (done,) = api.wait([task.id], timeout=60)
    assert (done.status, done.error_kind) == (TaskStatus.FAILED, "remote_failed")
    assert len(service.runs) == 2


def test_the_death_of_its_poller_loses_nothing_and_another_goes_on(
    fleet: Fleet, service: CodegenService, api: BlockingTaskAPI
) -> None:
    first, second = worker(fleet, service), worker(fleet, service)
    tasks = generate(api, *["[run=3]"] * 6)
    until_detached(api, *tasks)

    def polling() -> Process | None:  # a worker of another test may have its place for a moment yet
        polled = [fact.details["node"] for fact in api.explain(tasks[0].id).facts if fact.kind == "polled"]
        return next((p for p in (first, second) if any(f"#{p.pid}-" in node for node in polled)), None)

    polls = until(polling, what="one of them polls")
    assert polls is not None
    polls.kill()
    done = api.wait([task.id for task in tasks], timeout=60)
    assert {task.status for task in done} == {TaskStatus.COMPLETED}
    assert {task.lost_count for task in done} == {0}
    assert set(service.paid.values()) == {1}


def test_what_no_worker_polls_for_is_said_and_goes_on_when_one_comes(
    fleet: Fleet, service: CodegenService, api: BlockingTaskAPI
) -> None:
    process = worker(fleet, service)
    (task,) = generate(api, "[run=1]")
    until_detached(api, task)
    process.send(signal.SIGTERM)
    process.wait()
    until(lambda: "unpolled" in [fact.kind for fact in api.explain(task.id).facts])
    assert api.get_task(task.id).status is TaskStatus.RUNNING
    worker(fleet, service)
    (done,) = api.wait([task.id], timeout=60)
    assert done.status is TaskStatus.COMPLETED
    assert statuses(api, task) == [ExecutionStatus.COMPLETED.value]


SPEC = '''
from codegen import Agent

# Create Codegen agent executor
def codegen_executor(task, context):
    agent = Agent(org_id="7", token="...")
    return agent.run(prompt=task.description)
'''
#: A stand-in for the package: what it offers, over the same service.
STAND_IN = '''
import json, os, urllib.request

class AgentTask:
    def __init__(self, agent, found):
        self._agent = agent
        self._take(found)
    def _take(self, found):
        self.id, self.status, self.result = found["id"], found["status"], found["result"]
        self.web_url, self.org_id = found["web_url"], int(self._agent.org_id)
    def refresh(self):
        self._take(self._agent.ask("GET", f"run/{self.id}"))

class Agent:
    def __init__(self, org_id, token):
        self.org_id = org_id
    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            f"{os.environ['STAND_IN']}/v1/organizations/{self.org_id}/agent/{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {os.environ['STAND_IN_TOKEN']}"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    def run(self, prompt):
        return AgentTask(self, self.ask("POST", "run", {"prompt": prompt}))
'''


@pytest.fixture
def sdk(fleet: Fleet) -> Path:
    (fleet.folder / "codegen.py").write_text(STAND_IN)
    (fleet.folder / "my_agents.py").write_text(SPEC)
    return fleet.folder


def sdk_worker(fleet: Fleet, service: CodegenService, folder: Path, **variables: str) -> Process:
    return worker(
        fleet, service, 1, "my_agents", PYTHONPATH=str(folder), STAND_IN=service.url, STAND_IN_TOKEN=TOKEN, **variables
    )


def test_a_function_of_the_package_goes_on_without_its_slot_where_the_token_is(
    fleet: Fleet, service: CodegenService, api: BlockingTaskAPI, sdk: Path
) -> None:
    api.update_agent("codegen_agent", executor="my_agents:codegen_executor")
    sdk_worker(fleet, service, sdk)
    tasks = generate(api, *["[run=1.5]"] * 4)
    until_detached(api, *tasks)
    done = api.wait([task.id for task in tasks], timeout=60)
    assert {task.status for task in done} == {TaskStatus.COMPLETED}
    assert len(service.runs) == 4


def test_a_function_of_the_package_keeps_its_slot_where_no_token_is(
    fleet: Fleet, service: CodegenService, api: BlockingTaskAPI, sdk: Path
) -> None:
    api.register_agent("sdk_agent", "codegen", "sdk", executor="my_agents:codegen_executor")
    process = sdk_worker(fleet, service, sdk, TASKENGINE_AGENT="sdk_agent")
    task = api.create_task(Task(capability="sdk", description="[run=1]"))
    (done,) = api.wait([task.id], timeout=60)
    assert done.status is TaskStatus.COMPLETED, process.log()
    assert done.result is not None
    assert done.result["result"] == "did: [run=1]"
    assert not api.get_task_executions(task.id)[0].is_detached
