"""What Celery's worker is asked for: which queues it consumes."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from kombu import Connection, Consumer, Queue

from workers.host import Host


@pytest.fixture
def consumer() -> Iterator[Consumer]:
    """Made, as Celery makes it seconds before its loop begins to consume."""
    with Connection("memory://") as connection:
        yield Consumer(connection.channel(), [Queue("work"), Queue("play")])


def host_of(consumer: Consumer | None) -> Host:
    return Host(SimpleNamespace(consumer=SimpleNamespace(task_consumer=consumer)))


def test_a_worker_that_does_not_consume_yet_does_not_say_that_it_consumes_nothing(consumer: Consumer) -> None:
    host = host_of(consumer)
    assert host_of(None).consumed() is None
    assert host.consumed() is None
    consumer.consume()
    assert host.consumed() == {"work", "play"}


def test_a_worker_that_loses_its_broker_does_not_say_so_either(consumer: Consumer) -> None:
    consumer.consume()
    consumer.cancel()
    assert host_of(consumer).consumed() is None


def test_a_worker_that_was_told_to_consume_nothing_says_so(consumer: Consumer) -> None:
    consumer.consume()
    consumer.cancel_by_queue("work")
    assert host_of(consumer).consumed() == {"play"}
    consumer.cancel_by_queue("play")
    assert host_of(consumer).consumed() == frozenset()
