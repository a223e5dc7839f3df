"""Task events of executions: sent by a thread of their own, whatever the broker does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import celery
import pytest
from kombu.exceptions import OperationalError

from taskengine.models import Outcome
from taskengine.store.replies import Told
from workers import announce
from workers.announce import Announcer

ENDED = Outcome("completed", output={})


class Broker:
    """In the place of a connection: takes what is sent, or stalls, or fails."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.threads: set[str] = set()
        self.opens = threading.Event()
        self.opens.set()
        self.fails = False

    def take(self, events: Any, *_: Any, **__: Any) -> None:
        self.threads.add(threading.current_thread().name)
        assert self.opens.wait(10)
        if self.fails:
            raise OperationalError("away")
        self.sent += events


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def announcer(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Announcer]:
    app = celery.Celery("x", broker="memory://", set_as_current=False)
    app.conf.worker_send_task_events = True
    made = Announcer(app, "node")
    monkeypatch.setattr(made._dispatcher, "_publish", broker.take)
    yield made
    broker.opens.set()


def told(number: int) -> Told:
    return Told(f"execution-{number}", "task", 1, 0, "run", f"t{number} password=secret", "{}", 0, "")


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_execution_is_received_started_and_succeeded_in_that_order(announcer: Announcer, broker: Broker) -> None:
    announcer.started(told(1), "lint")
    announcer.ended(told(1), ENDED, again=False)
    until(lambda: len(broker.sent) == 3)
    assert [e["type"] for e in broker.sent] == ["task-received", "task-started", "task-succeeded"]
    assert {e["uuid"] for e in broker.sent} == {"execution-1"}
    assert broker.sent[0]["name"] == "lint"
    assert "secret" not in str(broker.sent)
    assert sorted(e["clock"] for e in broker.sent) == [e["clock"] for e in broker.sent]
    assert sorted(e["timestamp"] for e in broker.sent) == [e["timestamp"] for e in broker.sent]


def test_a_stalled_broker_keeps_no_slot_waiting_and_costs_the_oldest_news(
    announcer: Announcer, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.opens.clear()
    announcer.started(told(0), "lint")
    announcer.hurry()
    until(lambda: bool(broker.threads))
    begin = time.monotonic()
    for number in range(1, announce._MOST_WAITING + 1):
        announcer.ended(told(number), ENDED, again=False)
    announcer.ended(told(-1), ENDED, again=False)
    announcer.hurry()
    assert time.monotonic() - begin < 5
    broker.opens.set()
    until(lambda: bool(broker.sent) and broker.sent[-1]["uuid"] == "execution--1")
    assert broker.threads == {"taskengine-events"}
    assert len(broker.sent) == 2 + announce._MOST_WAITING
    until(lambda: "events dropped count=1" in caplog.text)


def test_a_broker_that_is_away_costs_events_and_nothing_else(announcer: Announcer, broker: Broker) -> None:
    broker.fails = True
    announcer.started(told(1), "lint")
    announcer.flush()
    broker.fails = False
    announcer.started(told(2), "lint")
    announcer.flush()
    assert broker.sent[-1]["uuid"] == "execution-2"


def test_a_fleet_without_task_events_collects_none() -> None:
    app = celery.Celery("x", broker="memory://", set_as_current=False)
    app.conf.worker_send_task_events = False
    announcer = Announcer(app, "node")
    announcer.started(told(1), "lint")
    assert not announcer._waiting
