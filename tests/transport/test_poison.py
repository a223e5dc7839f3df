"""Row by row: a real ``celery worker`` meets messages that end a stock one, and goes on."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from .celery_fleet import Fleet, until, wake
from .poison import SHAPES, altered, pickled


@pytest.mark.matrix
def test_no_poison_ends_a_worker_and_the_next_message_runs(any_fleet: Fleet) -> None:
    fleet = any_fleet
    workers = [fleet.start("-Q", "lint", "-c", "1"), fleet.start("-Q", "lint", "-c", "1", "-P", "threads")]

    for raw, _ in SHAPES.values():
        fleet.push(raw)
    until(lambda: len(fleet.quarantine()) == len(SHAPES), 5 + len(SHAPES) / 20)
    fleet.push(wake("good"))
    until(fleet.ran)

    assert [worker.poll() for worker in workers] == [None, None]
    entries = [json.loads(entry) for entry in fleet.quarantine()]
    told = [entry["reason"] for entry in entries]
    assert [name for name, (_, reason) in SHAPES.items() if not any(reason in text for text in told)] == []
    assert {entry["queue"] for entry in entries} == {"lint"}
    assert all(abs(entry["at"] - time.time()) < 60 for entry in entries)
    assert [json.loads(ran)["id"] for ran in fleet.ran()] == ["good"]
    for name in ("w0", "w1"):
        assert "Trying to re-establish" not in fleet.log(name)
        assert "passed the screening and raised" not in fleet.log(name)


def test_quarantine_keeps_what_a_message_was(fleet: Fleet) -> None:
    fleet.start("-Q", "lint,mail", "-c", "1")
    fleet.push("hëllo")
    fleet.push(b"\xff\x00", priority=0)
    fleet.push("x" * 100_000)
    until(lambda: len(fleet.quarantine()) == 3)

    entries = [json.loads(entry) for entry in fleet.quarantine()]
    kept = {(entry["size"], entry["encoding"], entry["raw"]) for entry in entries}
    assert kept == {(6, "utf-8", "hëllo"), (2, "base64", "/wA="), (100_000, "utf-8", "x" * 65_536)}


def test_pickle_leaves_no_trace_on_disk(fleet: Fleet, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    fleet.start("-Q", "lint", "-c", "1")
    fleet.push(pickled(str(trace)))
    until(fleet.quarantine)
    fleet.push(wake("good"))
    until(fleet.ran)
    assert not trace.exists()


def test_message_of_an_unknown_task_is_put_aside(fleet: Fleet) -> None:
    worker = fleet.start("-Q", "lint", "-c", "1")
    fleet.push(altered("headers", "task", to="somebody.elses"))
    (entry,) = until(fleet.quarantine)
    assert json.loads(entry)["reason"] == "no task 'somebody.elses' in this worker"
    assert json.loads(entry)["queue"] == "lint"
    assert worker.poll() is None


def test_quarantine_is_bounded(fleet: Fleet) -> None:
    fleet.start("-Q", "lint", "-c", "1")
    fleet.client.rpush("t:quarantine", *["old"] * 10_000)
    fleet.push("no message")
    until(lambda: fleet.quarantine()[0] != b"old")
    assert len(fleet.quarantine()) == 10_000


def test_full_server_costs_the_copy_and_not_the_worker(fleet: Fleet) -> None:
    worker = fleet.start("-Q", "lint", "-c", "1")
    fleet.push("no message" * 10)
    until(lambda: len(fleet.quarantine()) == 1)
    used = int(fleet.client.info("memory")["used_memory"])  # type: ignore[index]  # a blocking client's reply
    fleet.push("no message")
    until(lambda: len(fleet.quarantine()) == 2)
    with fleet.client.pipeline() as pipe:  # BRPOP is admitted when memory is short, LPUSH is not
        pipe.lpush("t:q:lint\x06\x162", "no message").config_set("maxmemory", used // 2)
        pipe.execute()
    until(lambda: "Redis did not take it" in fleet.log())
    fleet.client.config_set("maxmemory", 0)
    fleet.push(wake("good"))
    until(fleet.ran)
    assert worker.poll() is None


def test_own_celery_task_and_own_consumer_are_let_through(fleet: Fleet) -> None:
    fleet.start("-Q", "lint", "-c", "1")
    fleet.push(
        json.dumps(
            {
                "body": '{"any": "thing"}',
                "content-type": "application/json",
                "properties": {"delivery_tag": "a", "delivery_info": {"exchange": "", "routing_key": "mail"}},
            }
        ),
        queue="mail",
        priority=0,
    )
    until(lambda: fleet.client.lrange("mail", 0, -1) == [b'{"any": "thing"}'])
    assert not fleet.quarantine()


@pytest.mark.matrix
@pytest.mark.parametrize("exchange", ["celery.pidbox", "celeryev/worker.heartbeat", "celeryev/worker.elect"])
def test_poison_broadcast_ends_no_worker(fleet: Fleet, exchange: str) -> None:
    workers = [fleet.start("-Q", "lint", "-c", "1"), fleet.start("-Q", "lint", "-c", "1")]
    topic = f"t:q:/0.{exchange}"
    event = {"type": "worker-elect", "hostname": "x", "clock": 1, "timestamp": 1.0, "utcoffset": 0, "pid": 1}
    bodies: list[Any] = [
        None, 5, "x", [], [1], {}, {"type": 5}, {"method": []}, {"method": "no such"},
        {"method": "ping", "arguments": 5},
        {**event, "clock": "x"}, {**event, "id": []}, {**event, "timestamp": "x"}, {**event, "pid": {}},
        {**event, "hostname": []}, {"method": "ping", "reply_to": 5}, {"method": "ping", "destination": 5},
    ]  # fmt: skip
    until(lambda: fleet.client.publish(topic, "first") == 2)
    for raw, _ in SHAPES.values():
        fleet.client.publish(topic, raw)
    for body in bodies:
        routing_key = exchange.partition("/")[2]
        message = json.loads(altered("properties", "delivery_info", "routing_key", to=routing_key))
        message.update(body=json.dumps(body))
        message["properties"]["body_encoding"] = None
        fleet.client.publish(topic, json.dumps(message))

    last = " " * 70 + "last"  # its reason names the place, so a log shows that all before it were read
    until(
        lambda: (
            fleet.client.publish(topic, last) == 2 and all("char 70" in fleet.log(n) for n in ("w0", "w1"))
        )
    )
    fleet.push(wake("one"))
    fleet.push(wake("two"))
    until(lambda: len(fleet.ran()) == 2)
    assert [worker.poll() for worker in workers] == [None, None]
    assert not fleet.quarantine()
    assert not any("Trying to re-establish" in fleet.log(name) for name in ("w0", "w1"))
