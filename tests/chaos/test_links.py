"""Between worker and server: a reply is lost, connections are cut, stall, or are half-open."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from taskengine.models import Task

from ..fleet import Fleet, overlaps, until
from .aftermath import intact
from .conftest import DEFAULTS, MakeFleet
from .proxy import Proxy

ProxyTo = Callable[[Fleet], Proxy]
Measured = Callable[[str, float], None]


def pops(request: list[bytes]) -> bool:
    return request[0].upper() == b"BRPOP"


def is_script(fleet: Fleet, name: str) -> Callable[[list[bytes]], bool]:
    sha = fleet.sha(name)
    return lambda request: request[0].upper() == b"EVALSHA" and request[1] == sha


@pytest.mark.parametrize("by", ["cut", "silence"])
def test_row_3_a_lost_wake_up_is_sent_again(
    make_fleet: MakeFleet, proxy_to: ProxyTo, measured: Measured, by: str
) -> None:
    fleet = make_fleet()
    proxy = proxy_to(fleet)
    fleet.coordinator()
    fleet.worker("w", "-Q", "work", url=proxy.url)
    fleet.await_leader()
    lost = proxy.lose(pops, by)
    task = Task(capability="work")
    fleet.submit(task)
    assert lost.found.wait(60)
    began = time.monotonic()
    # Silence costs the consumer's own connection too: it is back after its health check of 11 s.
    fleet.wait([str(task.id)])
    waited = time.monotonic() - began
    measured("seconds until it ran", waited)
    if by == "cut":
        assert waited < fleet.settings.claim_seconds + 8
    ran = intact(fleet, [task])
    assert len(ran[str(task.id)]) == 1  # it never ran before: no attempt was spent


@pytest.mark.parametrize("by", ["cut", "silence"])
@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_row_31_a_report_whose_reply_is_lost_is_repeated_and_pulls_the_same(
    make_fleet: MakeFleet, proxy_to: ProxyTo, pool: str, by: str
) -> None:
    fleet = make_fleet()
    proxy = proxy_to(fleet)
    fleet.coordinator()
    fleet.worker("w", "-Q", "work", url=proxy.url, pool=pool, slots=1)
    chain = [Task(capability="work", input={"seconds": 0.05})]
    for _ in range(30):
        chain.append(Task(capability="work", input={"seconds": 0.05}, depends_on={chain[-1].id}))
    lost = proxy.lose(is_script(fleet, "report"), by)
    fleet.submit(*chain)
    assert lost.found.wait(60)
    fleet.wait([str(task.id) for task in chain])
    ran = intact(fleet, chain)
    assert {id: len(attempts) for id, attempts in ran.items() if len(attempts) != 1} == {}


@pytest.mark.parametrize("by", ["cut", "silence"])
def test_a_claim_whose_reply_is_lost_gets_the_same_execution(make_fleet: MakeFleet, proxy_to: ProxyTo, by: str) -> None:
    fleet = make_fleet()
    proxy = proxy_to(fleet)
    fleet.coordinator()
    fleet.worker("w", "-Q", "work", url=proxy.url)
    lost = proxy.lose(is_script(fleet, "claim"), by)
    task = Task(capability="work")
    fleet.submit(task)
    assert lost.found.wait(60)
    fleet.wait([str(task.id)])
    assert len(intact(fleet, [task])[str(task.id)]) == 1


def test_row_4_cut_connections_lose_and_repeat_nothing(
    make_fleet: MakeFleet, measured: Measured, full: bool
) -> None:
    seconds = 25 if full else 8
    fleet = make_fleet(**DEFAULTS)
    fleet.coordinator()
    workers = [
        fleet.celery("p", "-Q", "work", slots=2),
        fleet.celery("t", "-Q", "work", pool="threads", slots=2),
    ]
    fleet.await_ready(*workers)
    long = [Task(capability="work", input={"seconds": 0.8 * seconds}, name="long") for _ in range(2)]
    short = [Task(capability="work", input={"seconds": 0.05}) for _ in range(16 * seconds)]
    fleet.submit(*long)
    until(lambda: len(fleet.effects("begin")) == 2)
    fleet.submit(*short)
    over = time.monotonic() + seconds
    cuts = 0
    while time.monotonic() < over:
        cuts += fleet.server.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        fleet.server.client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        time.sleep(0.4)
    measured("connections cut", cuts)
    fleet.wait([str(task.id) for task in (*long, *short)])
    measured("seconds until done after the last cut", time.monotonic() - over)
    ran = intact(fleet, [*long, *short])
    assert overlaps(fleet.effects()) == []
    assert [len(ran[str(task.id)]) for task in long] == [1, 1]
    assert sum(len(attempts) for attempts in ran.values()) == len(long) + len(short)


def test_row_5_a_half_open_link_is_noticed_and_costs_no_running_work(
    make_fleet: MakeFleet, proxy_to: ProxyTo, measured: Measured
) -> None:
    fleet = make_fleet(**DEFAULTS)
    proxy = proxy_to(fleet)
    fleet.coordinator()
    fleet.worker("w", "-Q", "work", url=proxy.url)
    long = Task(capability="work", input={"seconds": 25})
    fleet.submit(long)
    until(lambda: fleet.effects("begin"))
    assert proxy.stall() > 0
    began = time.monotonic()
    next_one = Task(capability="work")
    fleet.submit(next_one)
    fleet.wait([str(next_one.id)])
    measured("seconds until consuming", time.monotonic() - began)
    assert time.monotonic() - began < 35
    fleet.wait([str(long.id)])
    ran = intact(fleet, [long, next_one])
    assert len(ran[str(long.id)]) == 1


def test_row_5_a_server_that_stops_answering_is_survived(make_fleet: MakeFleet, measured: Measured) -> None:
    fleet = make_fleet(**DEFAULTS)
    fleet.coordinator()
    fleet.worker("w", "-Q", "work")
    until(lambda: fleet.nodes())
    fleet.server.freeze()
    threading.Event().wait(20)
    fleet.server.thaw()
    began = time.monotonic()
    task = Task(capability="work")
    fleet.submit(task)
    fleet.wait([str(task.id)], 35)
    measured("seconds until consuming", time.monotonic() - began)
    intact(fleet, [task])


def test_row_33_a_frozen_server_costs_no_healthy_execution(
    make_fleet: MakeFleet, measured: Measured, full: bool
) -> None:
    fleet = make_fleet(**DEFAULTS)
    fleet.coordinator("c0")
    fleet.coordinator("c1")
    workers = [fleet.celery("p", "-Q", "work", slots=2), fleet.celery("t", "-Q", "work", pool="threads", slots=4)]
    fleet.await_ready(*workers)
    new: list[Task] = []
    for _ in range(3 if full else 1):
        wave = [Task(capability="work", input={"seconds": 15}) for _ in range(4)]
        wave += [Task(capability="work", input={"seconds": 0.05}) for _ in range(100)]
        fleet.submit(*wave)
        new += wave
        wanted = len(new) - 100
        until(lambda wanted=wanted: len(fleet.effects("begin")) > wanted)
        fleet.server.freeze()
        threading.Event().wait(12)
        fleet.server.thaw()
        began = time.monotonic()
        done = len(fleet.effects("end"))
        until(lambda d=done: len(fleet.effects("end")) > d)
        measured("seconds until going on", time.monotonic() - began)
    fleet.wait([str(task.id) for task in new], 120)
    ran: dict[str, list[Any]] = intact(fleet, new)
    assert {id: attempts for id, attempts in ran.items() if len(attempts) != 1} == {}
    assert fleet.view().dead_letters == 0
