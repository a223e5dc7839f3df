"""What is refused, with its reason, and that nothing that Celery sends is."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from celery import Celery, chain, chord, group
from celery.exceptions import InvalidTaskError, Retry
from celery.worker.strategy import default
from hypothesis import given, settings
from hypothesis import strategies as st
from kombu import Connection
from kombu.transport import virtual
from kombu.utils.json import dumps, loads

from taskengine.transport.screening import message_fault, task_fault

from ..cases import each
from .celery_fleet import wake
from .poison import SHAPES


@each("name", SHAPES)
def test_unreadable_message_is_refused_with_what_is_wrong(name: str) -> None:
    raw, reason = SHAPES[name]
    fault = task_fault(raw)
    assert fault is not None
    assert reason in fault
    assert len(fault) < 500


def test_wake_up_is_readable() -> None:
    assert task_fault(wake("e1").encode()) is None
    assert message_fault(wake("e1").encode()) is None


class _Sent(virtual.Channel):
    messages: list[bytes] = []  # noqa: RUF012  # emptied by the fixture

    def _put(self, _queue: str, message: Any, **_: Any) -> None:
        self.messages.append(dumps(message).encode())


class _CaptureChannel(virtual.Transport):
    Channel = _Sent


@pytest.fixture
def sent() -> tuple[Celery, list[bytes]]:
    """An app whose messages stay in a list."""
    app = Celery("sent", set_as_current=False, broker="memory://", backend="cache+memory://")
    app.conf.broker_transport = _CaptureChannel
    _Sent.messages = []
    return app, _Sent.messages


def test_everything_that_celery_sends_is_readable(sent: tuple[Celery, list[bytes]]) -> None:
    app, messages = sent

    @app.task(name="own")
    def own(*args: Any, **kwargs: Any) -> None: ...

    later = datetime.now(UTC) + timedelta(days=400)
    own.delay(1, "ü", None, [1.5, float("nan")], {"a": later}, b=b"\xff", u="\udcff")
    own.apply_async((1,), countdown=5, expires=60, priority=9, retries=2, time_limit=5, soft_time_limit=2.5)
    own.apply_async(eta=later, expires=later.replace(tzinfo=None), headers={"mine": {"a": [1]}})
    own.apply_async(link=own.s(1), link_error=[own.s(2), own.si()], shadow="other", compression="gzip")
    own.apply_async(compression="bzip2", ignore_result=True, reply_to="q", queue="other")
    own.apply_async(compression="lzma", task_id="any text", argsrepr="<secret>", serializer="json")
    chain(own.s(1), own.s(2), group(own.s(3), own.s(4)), own.s(5)).apply_async()
    chord([own.s(1), chain(own.s(2), own.s(3))], own.s(4)).apply_async()
    group(own.s(n) for n in range(3)).apply_async()
    stamped = own.s(1)
    stamped.stamp(monitor=["a", "b"], run="r")
    stamped.apply_async()
    own.push_request(id="a", args=[], kwargs={}, called_directly=False, retries=1, is_eager=False)
    with pytest.raises(Retry):
        own.retry(countdown=1)

    assert len(messages) >= 14
    assert [fault for fault in map(task_fault, messages) if fault] == []


PLACES = [
    ("body",), ("content-type",), ("content-encoding",), ("properties",), ("headers",), ("x",),
    *(("properties", name) for name in json.loads(wake("e"))["properties"]),
    *(("headers", name) for name in json.loads(wake("e"))["headers"]),
    ("headers", "x"), ("headers", "group"), ("headers", "compression"), ("headers", "chord"),
    ("properties", "delivery_info", "exchange"), ("properties", "delivery_info", "routing_key"),
]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


class _Consumer:
    """As much of a worker's consumer as Celery's strategy asks for."""

    hostname = "host"
    connection_errors = ()
    disable_rate_limits = True
    apply_eta_task = _limit_task = _limit_post_eta = None

    def __init__(self) -> None:
        self.timer = self.qos = Mock()
        self.task_buckets: dict[str, Any] = {}
        self.controller = Mock()
        self.controller.state.revoked = set()
        self.event_dispatcher = Mock(send=lambda _, **fields: dumps(fields))
        self.pool = Mock()

    def on_task_request(self, request: Any) -> None:
        request.execute_using_pool(self.pool)
        request.on_accepted(1, 0.0)
        dumps([request.info(), request.request_dict, str(request), repr(request)])
        assert request._context.errbacks in (None, [])


_APP = Celery("oracle", set_as_current=False)


@_APP.task(name="taskengine.slot")
def _slot() -> None: ...


def _take_in(raw: bytes) -> None:
    """What a worker's parent does with a message up to its pool, by Celery's own code."""
    consumer = _Consumer()
    strategy = default(_APP.tasks["taskengine.slot"], _APP, consumer)
    with Connection("memory://") as connection:
        channel = connection.default_channel
        message = channel.Message(loads(raw), channel=channel)
        message.accept = {"application/json"}
        assert not message.errors
        assert hash(message.headers["task"])
        channel.qos.append(message, message.delivery_tag)
        with contextlib.suppress(InvalidTaskError):  # Celery discards these by itself
            strategy(message, None, Mock(), Mock(), [])


def _check(*changes: tuple[tuple[str, ...], Any]) -> None:
    message: Any = json.loads(wake("e1"))
    for path, value in changes:
        place = message
        for name in path[:-1]:
            place = place[name] if isinstance(place, dict) and name in place else {}
        if isinstance(place, dict):
            place[path[-1]] = value
    raw = json.dumps(message).encode()
    if task_fault(raw) is None:
        _take_in(raw)


@settings(max_examples=20, deadline=None)
@given(value=VALUES)
def test_what_is_admitted_can_be_taken_in_by_celery(value: Any) -> None:
    """At each place the same value."""
    for place in PLACES:
        _check((place, value))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=2, max_size=4))
def test_what_is_admitted_with_several_oddities_can_be_taken_in(
    changes: list[tuple[tuple[str, ...], Any]],
) -> None:
    _check(*changes)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_get_an_answer(raw: bytes) -> None:
    assert isinstance(task_fault(raw), str)
    assert message_fault(raw) is None or isinstance(message_fault(raw), str)
