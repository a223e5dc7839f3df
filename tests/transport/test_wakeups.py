"""Wake-ups are taken one a slot, acknowledged early and never restored."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from .celery_fleet import PREFIX, Fleet, until, wake

QUICK = ("-Q", "lint", "--without-mingle", "--without-gossip")


def waiting(fleet: Fleet) -> int:
    return int(fleet.client.llen(f"{PREFIX}lint\x06\x162"))  # type: ignore[arg-type]  # a blocking client's reply


def hold(fleet: Fleet, *executions: str) -> None:
    fleet.client.sadd("hold", *executions)
    for execution in executions:
        fleet.push(wake(execution))


def let_go(fleet: Fleet, *executions: str) -> None:
    for execution in executions:
        fleet.client.rpush(f"go-{execution}", "go")


def ids(fleet: Fleet) -> list[str]:
    return sorted(json.loads(ran)["id"] for ran in fleet.ran())


@pytest.mark.matrix
@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_busy_worker_takes_no_message_in_advance(fleet: Fleet, pool: str) -> None:
    fleet.start(*QUICK, "-P", pool, "-c", "2")
    hold(fleet, "a", "b")
    until(lambda: ids(fleet) == ["a", "b"])
    for n in range(3):
        fleet.push(wake(f"later{n}"))
    fleet.client.blpop("nothing", timeout=1.5)  # type: ignore[arg-type]  # longer than one BRPOP of kombu's

    assert waiting(fleet) == 3
    let_go(fleet, "a")
    until(lambda: ids(fleet) == ["a", "b", "later0", "later1", "later2"])
    let_go(fleet, "b")


def test_urgent_message_goes_first(fleet: Fleet) -> None:
    for priority in (4, 2, 0, 3, 1):
        fleet.push(wake(f"p{priority}", priority=priority), priority=priority)
    fleet.start(*QUICK, "-c", "1")
    until(lambda: len(fleet.ran()) == 5)
    assert [json.loads(ran)["id"] for ran in fleet.ran()] == ["p0", "p1", "p2", "p3", "p4"]


@pytest.mark.matrix
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGQUIT])
def test_ended_worker_brings_no_running_message_back(fleet: Fleet, how: signal.Signals) -> None:
    worker = fleet.start(*QUICK, "-c", "1", "-P", "threads")
    hold(fleet, "held")
    until(fleet.ran)
    fleet.push(wake("waits"))
    worker.send_signal(how)
    let_go(fleet, "held")
    worker.wait(20)
    assert waiting(fleet) == 1
    assert not fleet.client.keys("*unacked*")

    fleet.start(*QUICK, "-c", "1")
    until(lambda: len(fleet.ran()) == 2)
    assert ids(fleet) == ["held", "waits"]


def test_lost_connections_run_nothing_twice(fleet: Fleet) -> None:
    worker = fleet.start(*QUICK, "-c", "2", "-P", "threads")
    hold(fleet, "a", "b")
    until(lambda: len(fleet.ran()) == 2)
    for n in range(5):
        fleet.push(wake(f"later{n}"))
    own = fleet.client.client_id()
    for client in fleet.client.client_list():  # type: ignore[union-attr]  # a blocking client's reply
        if int(client["id"]) != own and client["cmd"] in ("brpop", "psubscribe", "ping", "publish"):
            fleet.client.client_kill_filter(_id=client["id"])
    until(lambda: "Connection to broker lost" in fleet.log())
    let_go(fleet, "a", "b")
    until(lambda: len(fleet.ran()) == 7)

    assert ids(fleet) == sorted(["a", "b", *(f"later{n}" for n in range(5))])
    assert waiting(fleet) == 0
    assert worker.poll() is None


def test_killed_server_is_waited_for(fleet: Fleet, valkey: Any) -> None:
    worker = fleet.start(*QUICK, "-c", "1")
    valkey.kill()
    until(lambda: "Cannot connect" in fleet.log() or "Connection to broker lost" in fleet.log())
    valkey.restart()
    fleet.push(wake("after"))
    until(fleet.ran)
    assert worker.poll() is None


def test_worker_without_a_broker_waits_for_it(fleet: Fleet, valkey: Any) -> None:
    valkey.kill()
    worker = fleet.launch(*QUICK, "-c", "1")
    until(lambda: "Cannot connect" in fleet.log())
    valkey.restart()
    fleet.push(wake("after"))
    until(fleet.ran)
    assert worker.poll() is None
