"""The types http and command on real workers that are killed: one piece of work a key, and nothing left behind."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from taskengine import BlockingTaskAPI, Task

from ...conftest import Valkey
from ...doubles.http_agent import Endpoint, HttpAgent
from ...fleet import Fleet, Process, attach_logs, until

#: It counts itself in a file, then waits as long as its input says; with a child that waits, too.
PROGRAM = """
import json, os, subprocess, sys, time
told = json.load(sys.stdin)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("child", child.pid, file=sys.stderr, flush=True)
if os.environ["TASKENGINE_ATTEMPT"] == "1":
    time.sleep(told["input"]["seconds"])
print(json.dumps({"attempt": int(os.environ["TASKENGINE_ATTEMPT"]), "env": sorted(os.environ)}))
"""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Any:
    report = yield
    attach_logs(report)
    return report


@pytest.fixture(scope="module")
def service() -> Iterator[HttpAgent]:
    with HttpAgent() as made:
        yield made


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, service: HttpAgent) -> Iterator[Fleet]:
    server = Valkey()
    made = Fleet(server, tmp_path_factory.mktemp("fleet"))
    try:
        made.coordinator()
        made.await_leader()
        headers = {"authorization": "Bearer secret:HTTP_KEY"}
        with made.api() as api:
            api.register_agent(
                "http_1", "http", {"send"},
                config={"url": f"{service.url}/run", "headers": headers, "poll_seconds": 0.05},
            )  # fmt: skip
            api.register_agent("command_1", "command", {"start"}, config={"argv": [sys.executable, "-c", PROGRAM]})
        yield made
    finally:
        made.close()
        server.close()


@pytest.fixture
def api(fleet: Fleet) -> Iterator[BlockingTaskAPI]:
    with fleet.api() as opened:
        yield opened
    for process in fleet.processes[1:]:
        process.close()
    del fleet.processes[1:]


def start(fleet: Fleet, service: HttpAgent, agent: str) -> Process:
    made = fleet.start(
        f"w-{len(fleet.processes)}", "-m", "celery", "-A", "workers", "worker", "-n", f"w{len(fleet.processes)}@test",
        "-l", "INFO", "-P", "threads", "-c", "4", "--without-mingle", TASKENGINE_AGENT=agent, HTTP_KEY="s3cret-s3cret",
        TASKENGINE_ALLOWED_HOSTS=service.url.removeprefix("http://"), TASKENGINE_COMMANDS=sys.executable,
    )  # fmt: skip
    fleet.await_ready(made)
    return made


def send(api: BlockingTaskAPI, name: str, *replies: dict[str, Any], **fields: Any) -> Task:
    retry = {"initial_interval": 0.1, "maximum_interval": 0.1}
    given = {"capability": "send", "input": {"replies": list(replies)}, "retry": retry, **fields}
    return api.create_task(Task(name=name, **given))


def over(api: BlockingTaskAPI, task: Task) -> Task:
    (found,) = api.wait([task.id], 60)
    return found


def counts(endpoint: Endpoint, name: str) -> tuple[int, list[int]]:
    """Keys that came for a task, and how often work was done under each."""
    keys = endpoint.keys[name]
    return len(keys), [endpoint.done[key] for key in keys]


def test_a_key_outlives_lost_replies_limits_and_a_killed_worker(
    fleet: Fleet, api: BlockingTaskAPI, service: HttpAgent
) -> None:
    first = start(fleet, service, "http_1")
    busy = {"status": 503, "headers": {"retry-after": "0.1"}}
    task = send(api, "kept", {"kind": "lost"}, busy, {"kind": "silent"}, {"body": {"n": 1}})
    until(lambda: service.endpoint.requests["kept"] == 3, what="the third request hangs")
    first.kill()
    start(fleet, service, "http_1")
    found = over(api, task)
    assert found.result == {"n": 1}
    assert counts(service.endpoint, "kept") == (1, [1])
    assert service.endpoint.headers[-1]["authorization"] == "Bearer s3cret-s3cret"


def test_a_failure_that_was_answered_is_followed_by_a_new_key(
    fleet: Fleet, api: BlockingTaskAPI, service: HttpAgent
) -> None:
    start(fleet, service, "http_1")
    found = over(api, send(api, "answered", {"status": 500}, {"status": 500}, {"body": {"n": 1}}))
    assert (found.result, found.retry_count) == ({"n": 1}, 2)
    assert counts(service.endpoint, "answered") == (3, [0, 0, 1])


def test_what_was_accepted_is_looked_at_by_the_next_worker(
    fleet: Fleet, api: BlockingTaskAPI, service: HttpAgent
) -> None:
    first = start(fleet, service, "http_1")
    task = send(api, "accepted", {"kind": "accept", "polls": 10**6})
    until(lambda: any(0 < left < 10**6 - 2 for left in service.endpoint.polls.values()), what="it polls")
    first.kill()
    service.endpoint.polls[service.endpoint.keys["accepted"][0]] = 0
    start(fleet, service, "http_1")
    assert over(api, task).result == {"done": service.endpoint.keys["accepted"][0]}
    assert service.endpoint.requests["accepted"] == 1


def test_a_command_ends_with_its_killed_worker_and_runs_again(
    fleet: Fleet, api: BlockingTaskAPI, service: HttpAgent
) -> None:
    first = start(fleet, service, "command_1")
    task = api.create_task(Task(name="c", capability="start", input={"seconds": 600}))
    until(lambda: any("child" in line.message for line in api.get_logs(task.id)), what="it started a child")
    child = int(api.get_logs(task.id)[0].message.split()[1])
    first.kill()
    until(lambda: not psutil.pid_exists(child), what="the child of the killed worker's command is gone")
    start(fleet, service, "command_1")
    found = over(api, task)
    assert found.result is not None
    assert found.result["attempt"] == 2
    assert not any("REDIS" in name or "KEY" in name for name in found.result["env"])


def test_a_cancel_ends_a_command_with_its_children(fleet: Fleet, api: BlockingTaskAPI, service: HttpAgent) -> None:
    start(fleet, service, "command_1")
    task = api.create_task(Task(name="c", capability="start", input={"seconds": 600}))
    until(lambda: any("child" in line.message for line in api.get_logs(task.id)), what="it started a child")
    child = int(api.get_logs(task.id)[0].message.split()[1])
    api.cancel_task_execution(task.id)
    assert over(api, task).status.value == "cancelled"
    until(lambda: not psutil.pid_exists(child), what="the child is gone")
