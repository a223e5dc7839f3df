"""The server itself: killed and started again, or one that would throw tasks away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from taskengine import BlockingTaskAPI
from taskengine.errors import StoreError, StoreUnavailableError, UnsupportedServerError
from taskengine.models import Task
from taskengine.store import tasks

from ..fleet import Fleet, overlaps, until
from .aftermath import intact
from .conftest import MakeFleet

Measured = Callable[[str, float], None]


class Submitter(threading.Thread):
    """Creates tasks without a pause, each after one of those before, and notes which were acknowledged."""

    def __init__(self, api: BlockingTaskAPI) -> None:
        super().__init__(daemon=True)
        self._api = api
        self.acknowledged: list[Task] = []
        self.refused: list[Task] = []
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.005):
            on = {self.acknowledged[-1].id} if len(self.acknowledged) % 5 else set()
            task = Task(capability="work", input={"seconds": 0.01}, depends_on=on)
            try:
                self.acknowledged.append(self._api.create_task(task))
            except StoreUnavailableError:
                self.refused.append(task)


def test_row_9_a_server_killed_again_and_again_loses_nothing_and_never_says_a_false_yes(
    make_fleet: MakeFleet, measured: Measured, full: bool
) -> None:
    fleet = make_fleet()
    for n in range(2):
        fleet.coordinator(f"c{n}")
    workers = [
        fleet.celery("p", "-Q", "work", slots=2),
        fleet.celery("t", "-Q", "work", pool="threads", slots=4),
        fleet.celery("idle", "-Q", "play"),
    ]
    fleet.await_ready(*workers)
    submitter = Submitter(fleet.api())
    submitter.start()
    waves: list[Task] = []
    for _ in range(3 if full else 2):
        # One outlasts the outage: it reports to the server that came back.
        wave = [Task(capability="work", input={"seconds": 2.5}), Task(capability="work", input={"do": "chatter"})]
        fleet.submit(*wave)
        waves += wave
        until(lambda wave=wave: sum(e.task in ids(wave) for e in fleet.effects("begin")) == 2)
        fleet.server.kill()
        threading.Event().wait(1)
        fleet.server.restart()
        back = time.monotonic()
        until(lambda back=back: [e for e in fleet.effects("begin") if e.at > back])
        measured("seconds until busy slots went on", time.monotonic() - back)
        idle = Task(capability="play")
        fleet.submit(idle)
        waves.append(idle)
        fleet.wait([str(idle.id)])
        measured("seconds until an idle worker went on", time.monotonic() - back)
        assert time.monotonic() - back < 10
        threading.Event().wait(2)
    submitter.over.set()
    submitter.join()
    everybody = [*submitter.acknowledged, *waves]
    unsure = [t for t in submitter.refused if fleet.statuses([str(t.id)]) != [""]]
    measured("acknowledged", len(submitter.acknowledged))
    measured("refused and not stored", len(submitter.refused) - len(unsure))
    fleet.wait([str(task.id) for task in (*everybody, *unsure)], 60)
    ran = intact(fleet, [*everybody, *unsure])
    assert overlaps(fleet.effects()) == []
    assert {id: attempts for id, attempts in ran.items() if len(attempts) != 1} == {}


def ids(tasks: list[Task]) -> set[str]:
    return {str(task.id) for task in tasks}


@pytest.fixture
def evicting(make_fleet: MakeFleet) -> Fleet:
    fleet = make_fleet()
    fleet.server.client.config_set("maxmemory-policy", "allkeys-lru")
    return fleet


def test_row_14_a_server_that_evicts_is_refused_by_everybody(evicting: Fleet) -> None:
    fleet = evicting
    words = "maxmemory-policy is allkeys-lru"
    worker = fleet.celery("w", "-Q", "work")
    coordinator = fleet.coordinator()
    with pytest.raises(UnsupportedServerError, match=words):
        fleet.api().create_task(Task(capability="work"))
    assert worker.wait(20) != 0
    assert coordinator.wait(20) != 0
    for process in (worker, coordinator):
        said = process.log()
        assert words in said
        assert "CONFIG SET maxmemory-policy noeviction" in said
        assert "Traceback" not in said
    assert fleet.view().counts == {}


def test_row_14_a_server_that_begins_to_evict_is_told_of_loudly(make_fleet: MakeFleet) -> None:
    fleet = make_fleet()
    worker = fleet.worker("w", "-Q", "work")
    fleet.server.client.config_set("maxmemory-policy", "allkeys-lru")
    until(lambda: "the server can lose tasks now: maxmemory-policy is allkeys-lru" in worker.log())
    fleet.run(Task(capability="work"))  # what runs is not punished for it


def test_a_submit_while_the_server_is_down_says_so_within_five_seconds(make_fleet: MakeFleet) -> None:
    fleet = make_fleet()
    api = fleet.api()
    api.create_task(Task(capability="work"))
    fleet.server.kill()
    began = time.monotonic()
    with pytest.raises(StoreError, match="check TASKENGINE_REDIS_URL and that the server runs"):
        api.create_task(Task(capability="work"))
    assert time.monotonic() - began < 5
    fleet.server.restart()
    assert len(fleet.store.run(tasks.find(0, 10, []))[1]) == 1
