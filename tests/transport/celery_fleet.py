"""A tiny Celery app on the engine's options, and real ``celery worker`` processes of it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import redis

from taskengine.transport import queue_key, template

ROOT = Path(__file__).parents[2]
PREFIX = "t:q:"
T = TypeVar("T")

TINY = """
import os, json, time
from celery import Celery, bootsteps
from kombu import Consumer, Queue
from taskengine.settings import Settings
from taskengine.transport import celery_options, install
import redis

url = os.environ["TINY_URL"]
install()
app = Celery("tiny")
app.conf.update(celery_options(Settings(namespace="t"), url))
store = redis.Redis(unix_socket_path=os.environ["TINY_SOCKET"])

@app.task(name="taskengine.slot", bind=True)
def slot(self):
    request = self.request
    info = dict(request.delivery_info)
    store.rpush("ran", json.dumps({"id": request.id, "token": request.te_token, "queue": info["routing_key"]}))
    store.blpop("go-" + request.id, timeout=20) if store.sismember("hold", request.id) else None

@app.task(name="own")
def own(value):
    store.rpush("ran", json.dumps(value))

class Mail(bootsteps.ConsumerStep):
    def get_consumers(self, channel):
        return [Consumer(channel, queues=[Queue("mail")], callbacks=[self.read], accept=["json"])]

    def read(self, body, message):
        store.rpush("mail", json.dumps(body))
        message.ack()

app.steps["consumer"].add(Mail)
"""


def until(ask: Callable[[], T], seconds: float = 60.0) -> T:
    """The first truthy answer; AssertionError when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {ask}"
        time.sleep(0.02)
    return answer


def wake(execution: str, queue: str = "lint", token: str = "7", priority: int = 2) -> str:
    """The message that a script would push, completed by plain substitution as it does."""
    values = {"@ID@": execution, "@TOKEN@": token, "@TAG@": f"tag-{execution}", "@QUEUE@": queue}
    text = template().replace("@PRIORITY@", str(priority))
    for name, value in values.items():
        text = text.replace(name, value)
    return text


class Fleet:
    """Worker processes of the tiny app on one server."""

    def __init__(self, folder: Path, client: redis.Redis, socket: Path, url: str) -> None:
        self.client = client
        self.folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        (folder / "tiny.py").write_text(TINY)
        tiny = {"TINY_URL": url, "TINY_SOCKET": str(socket)}
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), **tiny}

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """One more worker, ready."""
        name = f"w{len(self.workers)}"
        worker = self.launch(*options)
        until(lambda: " ready." in self.log(name) or worker.poll() is not None, 30)
        assert worker.poll() is None, self.log(name)
        return worker

    def launch(self, *options: str) -> subprocess.Popen[bytes]:
        """One more worker, not waited for."""
        name = f"w{len(self.workers)}"
        command = [sys.executable, "-m", "celery", "-A", "tiny", "worker", "-n", name, "-l", "INFO", *options]
        with (self.folder / f"{name}.log").open("wb") as log:
            worker = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        self.workers.append(worker)
        return worker

    def log(self, name: str = "w0") -> str:
        return (self.folder / f"{name}.log").read_text()

    def push(self, raw: str | bytes, queue: str = "lint", priority: int = 2) -> None:
        """What a script does with a completed message."""
        self.client.lpush(PREFIX + queue_key(queue, priority), raw)

    def ran(self) -> list[bytes]:
        answer: Any = self.client.lrange("ran", 0, -1)
        return list(answer)

    def quarantine(self) -> list[bytes]:
        answer: Any = self.client.lrange("t:quarantine", 0, -1)
        return list(answer)

    def close(self) -> None:
        """End all of them and their children at once."""
        for worker in self.workers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)  # the group is the worker's own, see launch
            worker.wait()
