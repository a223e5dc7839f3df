"""Task events of executions: sent by a thread of their own, whatever the broker does."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import celery
import pytest
from celery.events import EventReceiver
from kombu import Consumer
from kombu.exceptions import OperationalError

from taskengine.models import Outcome
from taskengine.store.replies import Assignment
from workers.celery_events import CeleryEvents
from workers.unsent import Page, Unsent

ENDED = Outcome("completed", output={})


class Broker:
    """In the place of a connection: takes what is sent, or stalls, or fails."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.threads: set[str] = set()
        self.opens = threading.Event()
        self.opens.set()
        self.fails = False

    def take(self, message: str) -> None:
        self.threads.add(threading.current_thread().name)
        assert self.opens.wait(10)
        if self.fails:
            raise OperationalError("away")
        self.sent += json.loads(message)


@pytest.fixture
def broker() -> Broker:
    return Broker()


def made(broker: Broker, monkeypatch: pytest.MonkeyPatch, page: Page | None = None) -> CeleryEvents:
    app = celery.Celery("x", broker="memory://", set_as_current=False)
    app.conf.worker_send_task_events = True
    celery_events = CeleryEvents(app, "node", page)
    monkeypatch.setattr(celery_events, "_publish", broker.take)
    return celery_events


@pytest.fixture
def celery_events(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[CeleryEvents]:
    yield made(broker, monkeypatch)
    broker.opens.set()


def told(number: int) -> Assignment:
    return Assignment(f"execution-{number}", "task", 1, 0, "run", f"t{number} password=secret", "{}", 0, "")


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_execution_is_received_started_and_succeeded_in_that_order(
    celery_events: CeleryEvents, broker: Broker
) -> None:
    celery_events.started(told(1), "lint")
    celery_events.ended(told(1), ENDED, "completed")
    until(lambda: len(broker.sent) == 3)
    assert [e["type"] for e in broker.sent] == ["task-received", "task-started", "task-succeeded"]
    assert {e["uuid"] for e in broker.sent} == {"execution-1"}
    assert broker.sent[0]["name"] == "lint"
    assert "secret" not in str(broker.sent)
    assert sorted(e["clock"] for e in broker.sent) == [e["clock"] for e in broker.sent]
    assert sorted(e["timestamp"] for e in broker.sent) == [e["timestamp"] for e in broker.sent]


def test_a_stalled_broker_keeps_no_slot_waiting_and_costs_the_oldest_news(
    celery_events: CeleryEvents, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.opens.clear()
    celery_events.started(told(0), "lint")
    celery_events.hurry()
    until(lambda: bool(broker.threads))
    begin = time.monotonic()
    for number in range(1, 20_000):
        celery_events.ended(told(number), ENDED, "completed")
    celery_events.ended(told(-1), ENDED, "completed")
    celery_events.hurry()
    assert time.monotonic() - begin < 5
    broker.opens.set()
    until(lambda: bool(broker.sent) and broker.sent[-1]["uuid"] == "execution--1")
    assert broker.threads == {"taskengine-events"}
    until(lambda: "events dropped count=" in caplog.text)
    dropped = int(caplog.text.rpartition("count=")[2].split(":")[0])
    assert 0 < dropped < 20_000
    assert len(broker.sent) == 2 + 20_000 - dropped


def test_a_broker_that_is_away_costs_events_and_nothing_else(celery_events: CeleryEvents, broker: Broker) -> None:
    broker.fails = True
    celery_events.started(told(1), "lint")
    celery_events.flush()
    broker.fails = False
    celery_events.started(told(2), "lint")
    celery_events.flush()
    assert [e["uuid"] for e in broker.sent[::2]] == ["execution-1", "execution-2"], "what waited comes first"


def test_what_waits_for_a_broker_that_is_away_takes_bounded_memory(
    celery_events: CeleryEvents, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.celery_events._MOST_WAITING", 2_000)
    broker.fails = True
    for number in range(50):
        celery_events.started(told(number), "lint")
        celery_events.flush()
        assert sum(map(len, celery_events._waiting)) <= 2_000
    broker.fails = False
    celery_events.flush()
    assert {e["uuid"] for e in broker.sent[-2:]} == {"execution-49"}
    assert celery_events._dropped + len(broker.sent) == 2 * 50


def test_a_fleet_without_task_events_collects_none() -> None:
    app = celery.Celery("x", broker="memory://", set_as_current=False)
    app.conf.worker_send_task_events = False
    celery_events = CeleryEvents(app, "node")
    celery_events.started(told(1), "lint")
    assert celery_events._page.is_clean


@pytest.mark.parametrize(
    ("became", "event"),
    [
        ("completed", "task-succeeded"), ("failed", "task-failed"), ("cancelled", "task-revoked"),
        ("retrying", "task-retried"), ("ready", "task-retried"), ("paused", "task-retried"), ("", "task-retried"),
    ],
)  # fmt: skip
def test_the_state_is_what_became_of_the_task_and_not_what_its_agent_said(
    celery_events: CeleryEvents, broker: Broker, became: str, event: str
) -> None:
    celery_events.ended(told(1), ENDED, became)
    celery_events.closed("execution-2", became, "its process died")
    celery_events.flush()
    assert [(e["type"], e["uuid"]) for e in broker.sent] == [(event, "execution-1"), (event, "execution-2")]


def test_what_a_child_noted_and_did_not_send_is_sent_by_its_parent(broker: Broker, monkeypatch: Any) -> None:
    unsent = Unsent(1)
    child, parent = made(broker, monkeypatch, unsent.page(0)), made(broker, monkeypatch)
    broker.opens.clear()
    child.started(told(1), "lint")
    child.ended(told(1), ENDED, "completed")
    until(lambda: bool(broker.threads))
    child.started(replace(told(2), name="odd \x1f \ud800 name"), "lint")
    assert not list(unsent.left(lambda pid: pid == os.getpid())), "it lives"
    sent = list(unsent.left(lambda _: False))
    assert not list(unsent.left(lambda _: False)), "it is taken once"
    parent.take_over([*sent, b"", b"garbage", b"started\x1fx"])
    broker.opens.set()
    parent.flush()
    told_of = [(e["type"], e["uuid"]) for e in broker.sent]
    assert told_of[-5:] == [
        ("task-received", "execution-1"), ("task-started", "execution-1"), ("task-succeeded", "execution-1"),
        ("task-received", "execution-2"), ("task-started", "execution-2"),
    ]  # fmt: skip


def test_an_end_that_was_told_before_its_beginning_is_told_again_behind_it(
    celery_events: CeleryEvents, broker: Broker, monkeypatch: Any
) -> None:
    """Celery lets RECEIVED and STARTED replace RETRY: a lost execution would be STARTED for ever."""
    page = Unsent(1).page(0)
    child = made(broker, monkeypatch, page)
    child._news = threading.Event()  # nothing wakes its thread
    child.started(told(1), "lint")
    celery_events.closed("execution-1", "ready", "lost")
    celery_events.take_over(page.take())
    celery_events.flush()
    assert [e["type"] for e in broker.sent] == ["task-retried", "task-received", "task-started", "task-retried"]


def test_what_was_sent_is_taken_over_by_nobody(broker: Broker, monkeypatch: Any) -> None:
    unsent = Unsent(1)
    child = made(broker, monkeypatch, unsent.page(0))
    child.started(told(1), "lint")
    child.flush()
    until(lambda: len(broker.sent) == 2)
    until(lambda: not list(unsent.left(lambda _: False)))
    child.started(told(2), "lint")
    assert b"execution-2" in b"".join(unsent.left(lambda _: False))


@pytest.mark.process
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_no_fork_happens_while_a_message_is_on_its_way(celery_events: CeleryEvents, broker: Broker) -> None:
    """What holds a lock at a fork holds it in the child for ever: its executions would never be seen."""
    celery_events.hold_still_at_forks()
    broker.opens.clear()
    celery_events.started(told(1), "lint")
    until(lambda: bool(broker.threads))
    threading.Timer(0.2, broker.opens.set).start()
    child = os.fork()
    if not child:
        os._exit(0 if celery_events._sending.acquire(timeout=5) else 1)
    assert broker.sent, "the fork waited for it"
    assert os.waitpid(child, 0)[1] == 0
    celery_events.started(told(2), "lint")
    until(lambda: broker.sent[-1]["uuid"] == "execution-2")


def test_a_successor_never_writes_where_a_dead_child_left_something() -> None:
    unsent = Unsent(2)
    first, second = unsent.page(1), unsent.page(1)
    first.add(b"one")
    second = unsent.page(1)
    second.add(b"two")
    third = unsent.page(1)
    third.add(b"nobody else sees this")
    assert list(unsent.left(lambda _: False)) == [b"one", b"two"]
    assert unsent.page(1).is_clean
    assert unsent.page(7).is_clean, "more children than there are pages"


def test_a_receiver_of_celerys_hears_each_event() -> None:
    app = celery.Celery("x", broker="memory://", set_as_current=False)
    app.conf.worker_send_task_events = True
    app.conf.event_serializer = "yaml"  # whatever others send theirs as
    heard: list[str] = []
    connection = app.connection_for_read()
    receiver = EventReceiver(connection, {"*": lambda event: heard.append(event["type"])}, app=app)
    (consumer,) = receiver.get_consumers(partial(Consumer, connection.channel()), None)
    celery_events = CeleryEvents(app, "node")
    with consumer:
        celery_events.started(told(1), "lint")
        celery_events.ended(told(1), ENDED, "completed")
        celery_events.flush()
        while len(heard) < 3:
            connection.drain_events(timeout=10)
    assert heard == ["task-received", "task-started", "task-succeeded"]


def test_a_full_page_drops_the_oldest_and_counts_them() -> None:
    page = Unsent(1).page(0)
    note = b"x" * 1000
    dropped = [page.add(note) for _ in range(3000)]
    left = page.take()
    assert sum(dropped) + len(left) == 3000
    assert set(left) == {note}
    assert page.add(b"y" * 2_000_000) == 1
    assert page.is_clean
