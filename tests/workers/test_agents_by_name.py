"""Workers that serve agents by name: registered ones of any type, functions, and their records while they run."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from taskengine import AgentStatus, BlockingTaskAPI, Task

from ..conftest import Valkey
from ..fleet import Fleet, Process, attach_logs, until

TYPES = str(Path(__file__).parents[1] / "agents")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Any:
    report = yield
    attach_logs(report)
    return report


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A server and a coordinator; each test starts workers of its own and names agents of its own."""
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
def api(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> Iterator[BlockingTaskAPI]:
    monkeypatch.syspath_prepend(TYPES)
    with fleet.api() as opened:
        yield opened
    for process in fleet.processes[1:]:
        process.close()
    del fleet.processes[1:]


def worker(fleet: Fleet, *names: str, agents: str = "", pool: str = "threads", **variables: str) -> Process:
    """A worker for agents by name, just started."""
    imports = ("-I", agents) if agents else ()
    return fleet.start(
        f"w-{uuid4().hex[:6]}", "-m", "celery", "-A", "workers", "worker", "-n", f"{'-'.join(names)}@test",
        "-l", "INFO", "-P", pool, "-c", "2", "--without-mingle", *imports,
        TASKENGINE_AGENT=",".join(names), **variables,
    )  # fmt: skip


def offers(fleet: Fleet) -> dict[str, str]:
    """Queue -> agent of all that lives."""
    return {queue: agent for node in fleet.nodes() for queue, agent in node.queues.items()}


def result(api: BlockingTaskAPI, capability: str, **fields: Any) -> dict[str, Any]:
    made = api.create_task(Task(name="a", capability=capability, **fields))
    (done,) = api.wait([made.id], timeout=60)
    assert done.result is not None, done
    return done.result


@pytest.mark.matrix
@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_a_type_of_somebody_elses_runs_tasks_in_each_pool(fleet: Fleet, api: BlockingTaskAPI, pool: str) -> None:
    name, can = f"echo_{pool}", f"say_{pool}"
    api.register_agent(name, "echo", can, secret="ECHO_KEY", config={"prefix": "> "})
    process = worker(fleet, name, pool=pool, ECHO_KEY="canary-canary")
    fleet.await_ready(process)
    found = [result(api, can, input={"say": "hi"}, assigned_to=pin) for pin in (None, name, None)]
    assert {(each["said"], each["knows"], each["same"]) for each in found} == {("> hi", 13, True)}
    assert {each["opened"] for each in found} == {1}, "opened once a process"
    info = api.get_agent(name)
    assert (info.status, info.slots) == (AgentStatus.ONLINE, 2)
    assert "canary" not in process.log()
    process.send(signal.SIGTERM)
    process.wait()
    closed = (fleet.folder / "effects.closed").read_text().split()
    assert {str(each["pid"]) for each in found} <= set(closed)


@pytest.mark.parametrize(
    ("type", "fields", "variables", "says"),
    [
        (None, {}, {}, r"no agent 'X' is registered \(registered are .*taskengine agents register X TYPE CAPABILITY"),
        ("echo", {"config": {"broken": True}}, {}, "agent 'X': its echo is broken; mend it"),
        ("echo", {"secret": "KEY_1"}, {}, "the secret KEY_1 is missing; TASKENGINE_SECRETS names no folder, and this"),
        ("echo", {"secret": "KEY_1"}, {"TASKENGINE_SECRETS": "/nowhere"}, "no file is /nowhere/KEY_1, and this"),
        ("echo", {"secret": "KEY_1"}, {"KEY_1": "k", "TASKENGINE_SECRET_NAMES": "B"}, "add it to TASKENGINE_"),
        ("lacking", {}, {}, r"needs no_such_client, .* not installed; install it: pip install 'fleet-types\[lack"),
        ("function", {}, {}, r"agent 'X' is a function, and no imported module declares it: import the one"),
        ("function", {"executor": "record_agents:plain"}, {}, "does not import record_agents: start it with --import"),
    ],
)  # fmt: skip
def test_what_is_in_the_way_is_one_sentence(
    fleet: Fleet, api: BlockingTaskAPI, type: str | None, fields: dict[str, Any], variables: dict[str, str], says: str,
) -> None:  # fmt: skip
    name = f"odd_{len(api.list_agents())}"
    if type is not None:
        api.register_agent(name, type, f"can_{name}", **fields)
    process = worker(fleet, name, **variables)
    assert process.wait(40) != 0
    assert "Traceback" not in process.log()
    last = process.log().splitlines()[-1]
    assert last.startswith("taskengine: ")
    assert re.search(says.replace("X", name), last), last


def test_a_type_that_holds_no_slot_is_refused_by_prefork(fleet: Fleet, api: BlockingTaskAPI) -> None:
    api.register_agent("far", "faraway", "far")
    process = worker(fleet, "far", pool="prefork")
    assert process.wait(40) != 0
    assert "start its worker with --pool threads" in process.log()


def test_two_agents_of_one_capability_need_two_workers(fleet: Fleet, api: BlockingTaskAPI) -> None:
    api.register_agent("one", "echo", {"both", "a"})
    api.register_agent("two", "echo", {"both"})
    process = worker(fleet, "one", "two")
    assert process.wait(40) != 0
    assert (
        "agents 'one' and 'two' can both do 'both', and a worker asks one agent for each capability; start a second "
        "worker: taskengine worker --agent two"
    ) in process.log()


def test_of_two_functions_the_first_does_it_and_both_are_named(fleet: Fleet, api: BlockingTaskAPI) -> None:
    process = fleet.worker("two", agents="record_agents", pool="threads")
    assert "agents codegen_agent and second can both do code_analysis: here codegen_agent does it" in process.log()
    assert result(api, "code_analysis")["by"] == "codegen_executor"
    assert result(api, "code_analysis", assigned_to="second")["by"] == "second"


def test_what_code_declares_is_known_and_is_taken_over_while_its_worker_runs(
    fleet: Fleet, api: BlockingTaskAPI
) -> None:
    worker_ = fleet.worker("taken", agents="record_agents", pool="prefork")
    until(lambda: {"codegen_agent", "second"} <= {info.record.id for info in api.list_agents()})
    info = api.get_agent("codegen_agent")
    assert (info.record.origin, info.record.type, info.record.capabilities) == ("code", "function", {"code_analysis"})
    assert info.record.description == "Analyses code."
    api.register_agent("codegen_agent", "codegen", {"code_generation", "code_review"})
    until(lambda: "code_generation" in offers(fleet), what="what the record says")
    assert offers(fleet)["code_analysis"] == "second", "the other one does what this one does no more"
    found = result(api, "code_generation")
    assert (found["by"], found["queue"]) == ("codegen_executor", "code_generation")
    assert "the records of this worker's agents changed" in worker_.log()
    api.update_agent("codegen_agent", capabilities={"code_analysis"})
    until(
        lambda: "code_analysis" in offers(fleet) and "code_generation" not in offers(fleet), 10, "what the record says"
    )
    worker_.send(signal.SIGTERM)
    worker_.wait()
    api.unregister_agent("codegen_agent")


def test_an_executor_is_a_function_of_a_module_that_the_worker_imports(fleet: Fleet, api: BlockingTaskAPI) -> None:
    api.register_agent("placed", "codegen", "placed", executor="record_agents:plain", secret="TOKEN")
    api.register_agent("waits", "codegen", "waits", executor="record_agents:waiting")
    fleet.await_ready(worker(fleet, "placed", "waits", agents="record_agents", TOKEN="t-1"))
    assert result(api, "placed") == {"by": "plain", "token": "t-1"}
    assert result(api, "waits") == {"by": "waiting"}
    assert set(offers(fleet)) == {"placed", "waits", "@placed", "@waits"}, "those that it was told, and no other"


def test_a_draining_agent_takes_nothing_until_it_is_resumed(fleet: Fleet, api: BlockingTaskAPI) -> None:
    api.register_agent("resting", "echo", "rest")
    fleet.await_ready(worker(fleet, "resting"))
    assert result(api, "rest", input={"say": "1"})["said"] == "1"
    api.drain_agent("resting", by="ann", reason="upgrade")
    until(lambda: not offers(fleet), what="the offer of nothing")
    info = api.get_agent("resting")
    assert (info.status, len(info.workers)) == (AgentStatus.DRAINING, 1)
    made = api.create_task(Task(name="a", capability="rest"))
    pinned = api.create_task(Task(name="a", capability="rest", assigned_to="resting"))
    second = worker(fleet, "resting")
    fleet.await_ready(second)
    assert fleet.statuses([str(made.id), str(pinned.id)]) == ["ready", "ready"]
    assert api.resume_agent("resting")
    api.wait([made.id, pinned.id], timeout=60)
    until(lambda: all("rest" in node.queues for node in fleet.nodes()), what="both workers at work again")


def test_an_agent_is_offline_soon_after_its_last_worker_was_killed(fleet: Fleet, api: BlockingTaskAPI) -> None:
    api.register_agent("mortal", "echo", "die")
    process = worker(fleet, "mortal")
    fleet.await_ready(process)
    until(lambda: api.get_agent("mortal").status is AgentStatus.ONLINE)
    killed = time.monotonic()
    process.close()
    until(lambda: api.get_agent("mortal").status is AgentStatus.OFFLINE)
    assert time.monotonic() - killed < 1.3 * fleet.settings.lease_seconds + 1
    assert api.get_agent("mortal").seen_at is not None


def test_a_record_that_is_gone_is_served_no_more(fleet: Fleet, api: BlockingTaskAPI) -> None:
    api.register_agent("gone", "echo", "go")
    fleet.await_ready(worker(fleet, "gone"))
    until(lambda: api.get_agent("gone").status is AgentStatus.ONLINE)
    api.unregister_agent("gone", cascade=True)
    until(lambda: not offers(fleet), what="the offer of nothing")


def test_an_agent_has_its_own_time_to_drain(fleet: Fleet, api: BlockingTaskAPI) -> None:
    """The worker's own time would be a minute."""
    api.register_agent("hasty", "function", "hurry", executor="record_agents:sleeps", drain_seconds=0.5)
    process = worker(fleet, "hasty", agents="record_agents", TASKENGINE_DRAIN_SECONDS="60")
    fleet.await_ready(process)
    made = api.create_task(Task(name="a", capability="hurry"))
    fleet.until_status(str(made.id), "running")
    began = time.monotonic()
    process.send(signal.SIGTERM)
    process.wait()
    assert time.monotonic() - began < 25
    assert fleet.statuses([str(made.id)]) == ["ready"]
    api.cancel_task(made.id)
