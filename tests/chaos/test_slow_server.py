"""Row 12: the server pauses, or every answer of it comes late; nothing fails for that."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from taskengine.models import Task, TaskStatus

from ..fleet import Fleet, until
from .aftermath import intact
from .conftest import DEFAULTS, MakeFleet
from .proxy import Proxy

Measured = Callable[[str, float], None]


def assert_each_ran_once(fleet: Fleet, new: list[Task]) -> None:
    """Completed by the first attempt that began: a server that is slow costs no loss, no retry, no failure.

    One that a slot took together with a longer one is handed back before it begins, however quick the server is.
    """
    ran: dict[str, list[Any]] = intact(fleet, new)
    began = Counter(effect.task for effect in fleet.effects("begin"))
    assert {id: (began[id], attempts) for id, attempts in ran.items() if began[id] != 1} == {}
    assert {one.error_kind for attempts in ran.values() for one in attempts} <= {None, "handed_back"}
    assert {fleet.task(str(task.id)).status for task in new} == {TaskStatus.COMPLETED}
    assert fleet.view().dead_letters == 0


def test_row_12_a_server_that_pauses_for_six_seconds_fails_no_task(make_fleet: MakeFleet, measured: Measured) -> None:
    fleet = make_fleet(**DEFAULTS)
    fleet.coordinator("c0")
    fleet.coordinator("c1")
    workers = [fleet.celery("p", "-Q", "work", slots=2), fleet.celery("t", "-Q", "work", pool="threads", slots=4)]
    fleet.await_ready(*workers)
    fleet.await_leader()
    new: list[Task] = []
    for _ in range(3):
        wave = [Task(capability="work", input={"seconds": 8}) for _ in range(3)]
        wave += [Task(capability="work", input={"do": "chatter"})]
        wave += [Task(capability="work", input={"seconds": 0.02}) for _ in range(200)]
        fleet.submit(*wave)
        new += wave
        wanted = len(new) - 190
        until(lambda wanted=wanted: len(fleet.effects("begin")) > wanted)
        fleet.server.client.execute_command("CLIENT", "PAUSE", 6000, "ALL")
        began = time.monotonic()
        during = Task(capability="work")
        fleet.submit(during)  # waits for its answer, and has it
        new.append(during)
        measured("seconds of a submit while the server pauses", time.monotonic() - began)
    fleet.wait([str(task.id) for task in new], 120)
    assert_each_ran_once(fleet, new)


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_row_12_answers_that_come_200_ms_late_fail_no_task(
    make_fleet: MakeFleet, proxy_to: Callable[[Fleet], Proxy], measured: Measured, pool: str
) -> None:
    fleet = make_fleet(**DEFAULTS)
    proxy = proxy_to(fleet)
    proxy.delay = 0.2
    fleet.coordinator(url=proxy.url)
    fleet.worker("w", "-Q", "work", url=proxy.url, pool=pool, slots=4)
    fleet.await_leader()
    chain = [Task(capability="work")]
    for _ in range(9):
        chain.append(Task(capability="work", depends_on={chain[-1].id}))
    wide = [Task(capability="work", input={"seconds": 0.05}) for _ in range(100)]
    long = [Task(capability="work", input={"seconds": 12}), Task(capability="work", input={"do": "chatter"})]
    retried = [Task(capability="work", input={"do": "fail", "times": 1})]
    new = chain + wide + long
    began = time.monotonic()
    fleet.submit(*new, *retried)
    fleet.wait([str(task.id) for task in [*new, *retried]], 120)
    measured("seconds until all were over", time.monotonic() - began)
    assert fleet.task(str(retried[0].id)).status is TaskStatus.COMPLETED
    assert_each_ran_once(fleet, new)


@pytest.mark.alone
def test_row_12_an_agent_that_speaks_is_not_slowed_by_a_server_that_pauses(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(**DEFAULTS)
    fleet.coordinator()
    fleet.worker("w", "-Q", "work")
    fleet.await_leader()
    talks = Task(capability="work", input={"do": "chatter"})
    fleet.submit(talks)
    until(lambda: fleet.effects("begin"))
    fleet.server.client.execute_command("CLIENT", "PAUSE", 6000, "ALL")
    began = time.monotonic()
    until(lambda: fleet.effects("end"))
    assert time.monotonic() - began < 4  # three seconds of its own
    threading.Event().wait(max(0.0, began + 6 - time.monotonic()))
    fleet.wait([str(talks.id)])
    (execution,) = fleet.executions(str(talks.id))
    assert [line.message for line in execution.logs] == [f"line {n}" for n in range(30)]
