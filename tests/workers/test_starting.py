"""What a worker says and does when it starts, in the way Celery users know."""

from __future__ import annotations

import json
from typing import Any

import pytest

from taskengine.models import Task
from taskengine.store import fleet_settings

from ..fleet import Fleet, until
from .conftest import heard_events


def test_the_plain_celery_command_runs_tasks(bare_fleet: Fleet) -> None:
    bare_fleet.await_ready(bare_fleet.start(
        "plain", "-m", "celery", "-A", "workers", "worker", "-Q", "work", "-P", "prefork", "-c", "8",
        "-I", "fleet_agents", "-l", "INFO",
    ))  # fmt: skip
    (node,) = bare_fleet.nodes()
    assert node.slots == 8
    assert node.queues == {"work": "worker", "@worker": "worker"}
    done = bare_fleet.run(*(Task(capability="work", input={"n": n}) for n in range(20)))
    assert {task.status.value for task in done} == {"completed"}


def test_without_queues_a_worker_offers_all_that_its_agents_can(bare_fleet: Fleet) -> None:
    bare_fleet.worker("all", pool="threads")
    (node,) = bare_fleet.nodes()
    assert set(node.queues) == {
        "work", "play", "travel", "special", "wait", "await", "@worker", "@specialist", "@waiter"
    }  # fmt: skip


def test_a_queue_that_no_agent_offers_is_named_and_not_consumed(bare_fleet: Fleet) -> None:
    worker = bare_fleet.worker("w", "-Q", "work,nonsense", pool="threads")
    assert "queue nonsense is not consumed: no imported agent offers it" in worker.log()
    (node,) = bare_fleet.nodes()
    assert set(node.queues) == {"work", "@worker"}
    (id,) = bare_fleet.submit(Task(capability="nonsense"))
    assert bare_fleet.task(id).reason == (
        "no worker offers capability 'nonsense'; "
        "start one: taskengine worker --queues nonsense --import MODULE (the module with its agent)"
    )


def test_a_second_worker_of_one_name_is_told_so(bare_fleet: Fleet) -> None:
    first = bare_fleet.worker("twin", pool="threads")
    second = bare_fleet.worker("second", "-n", "twin@test", pool="threads")
    other = bare_fleet.worker("other", pool="threads")
    said = "another worker is called twin@test, too (twin@test#"
    assert [said in worker.log() for worker in (first, second, other)] == [False, True, False]
    assert len(bare_fleet.nodes()) == 3


def test_a_worker_says_what_it_has_set_and_which_variable_is_no_setting(bare_fleet: Fleet) -> None:
    """It starts all the same: in an upgrade the newer setting may come before the newer worker."""
    odd = {"TASKENGINE_MAX_LOST": "7", "TASKENGINE_LEASE_SECOND": "20"}
    worker = bare_fleet.worker("odd", pool="threads", **odd)
    assert worker.log().count("TASKENGINE_LEASE_SECOND is no setting, the nearest is TASKENGINE_LEASE_SECONDS") == 1
    (node,) = bare_fleet.nodes()
    set_there = bare_fleet.settings.model_copy(update={"max_lost": 7})
    assert json.loads(node.info)["settings"] == set_there.digest != bare_fleet.settings.digest
    values = bare_fleet.store.run(fleet_settings.get(bare_fleet.keys, set_there.digest))
    assert values == set_there.shared


def refused(fleet: Fleet, *options: str, **rest: Any) -> str:
    """The one sentence with which a worker ends that cannot start."""
    worker = fleet.celery("w", *options, **rest)
    assert worker.wait() != 0
    (sentence,) = [line for line in worker.log().splitlines() if line.startswith("taskengine: ")]
    assert "Traceback" not in worker.log()
    assert not fleet.nodes()
    return sentence


def test_a_worker_without_agents_ends_with_one_sentence(bare_fleet: Fleet) -> None:
    assert refused(bare_fleet, agents="json") == (
        "taskengine: no agent is imported; name your module: taskengine worker --import my_agents, "
        "or celery … -I my_agents"
    )


def test_a_worker_whose_queues_nobody_offers_ends_with_one_sentence(bare_fleet: Fleet) -> None:
    assert refused(bare_fleet, "-Q", "nonsense") == (
        "taskengine: no imported agent offers nonsense (offered: await, play, special, travel, wait, work); "
        "correct the queues or import the agent"
    )


def test_a_pool_that_cannot_keep_leases_is_refused_with_what_to_take_instead(bare_fleet: Fleet) -> None:
    assert refused(bare_fleet, pool="custom", CELERY_CUSTOM_WORKER_POOL="green:TaskPool") == (
        "taskengine: the pool 'green' cannot keep the leases of its tasks; use --pool threads for agents that mostly "
        "wait, or coroutine agents ('async def'), of which a prefork or threads worker runs one in each slot"
    )


@pytest.mark.matrix
@pytest.mark.parametrize("pool", ["prefork", "threads"])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import sys\nsys.exit(0)\n", "it called exit(0) while it was imported (broken.py:2); let it do so only below"),
        ("import json\njson.loads('')\n", "it raised while it was imported (broken.py:2): json.decoder.JSON"),
        ("import no_such_thing\n", "it imports no_such_thing, which is not installed"),
        ("'\n", "SyntaxError: unterminated string literal"),
    ],
)
def test_a_module_that_ends_its_own_import_is_one_sentence_of_plain_celery(
    bare_fleet: Fleet, text: str, says: str, pool: str
) -> None:
    (bare_fleet.folder / "broken.py").write_text(text, encoding="utf-8")
    assert refused(bare_fleet, agents="broken", pool=pool).startswith(f"taskengine: -I broken: {says}")


def test_a_module_that_is_not_there_is_one_sentence_of_plain_celery(bare_fleet: Fleet) -> None:
    assert refused(bare_fleet, agents="broken").startswith("taskengine: -I broken: there is no such module in ")


def test_a_worker_refuses_a_server_that_evicts(bare_fleet: Fleet) -> None:
    bare_fleet.server.client.config_set("maxmemory-policy", "allkeys-lru")
    assert "maxmemory-policy is allkeys-lru" in refused(bare_fleet, "-Q", "work")


def test_a_worker_waits_for_a_server_that_is_not_there_yet(bare_fleet: Fleet) -> None:
    bare_fleet.server.kill()
    worker = bare_fleet.celery("early", "-Q", "work")
    until(lambda: "first heartbeat failed" in worker.log())
    bare_fleet.server.restart()
    bare_fleet.await_ready(worker)
    (task,) = bare_fleet.run(Task(capability="work"))
    assert task.status.value == "completed"


def test_pulled_executions_are_seen_as_celery_events_with_agent_and_outcome(bare_fleet: Fleet) -> None:
    bare_fleet.worker("w", "-Q", "work", slots=1)
    with heard_events(bare_fleet) as heard:
        chain = [Task(name="token=hush step 0", capability="work", input={"secret": "canary"})]
        for n in range(1, 5):
            chain.append(Task(name=f"step {n}", capability="work", depends_on={chain[-1].id}))
        chain.append(Task(capability="work", depends_on={chain[-1].id}, input={"do": "fail"}, max_retries=0))
        done = bare_fleet.run(*chain)
        executions = {str(task.execution_id): task for task in done}

        def told(kind: str) -> dict[str, dict[str, Any]]:
            return {event["uuid"]: event for event in heard if event["type"] == kind}

        until(lambda: len(told("task-succeeded")) == 5 and told("task-failed"))
    assert set(told("task-received")) == set(told("task-started")) == set(executions)
    assert {event["name"] for event in told("task-received").values()} == {"worker"}
    for id, event in told("task-received").items():
        assert str(executions[id].id) in event["args"]
    assert len({event["hostname"] for event in heard if event["type"].startswith("task-")}) == 1
    assert "canary" not in json.dumps(heard, default=str)
    assert "hush" not in json.dumps(heard, default=str)
    assert "no luck" in told("task-failed")[str(done[-1].execution_id)]["exception"]


def test_a_long_run_is_seen_when_it_starts(bare_fleet: Fleet) -> None:
    bare_fleet.worker("w", "-Q", "work", slots=1)
    with heard_events(bare_fleet) as heard:
        bare_fleet.run(Task(capability="work"))
        (id,) = bare_fleet.submit(Task(capability="work", input={"seconds": 60}))
        until(lambda: id in str([e.get("args") for e in heard]))
        assert bare_fleet.statuses([id]) == ["running"]
