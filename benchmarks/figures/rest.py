"""What a way over HTTP costs: a graph at once, beside the same one given to the store, and single tasks at a pace."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import quantiles

import httpx2

from benchmarks.figure import Figure, Must
from benchmarks.processes import Process, until
from benchmarks.stack import Stack
from taskengine import BlockingTaskAPI, Task

#: Nobody works on it: what is measured is the way in.
_CAPABILITY = "nobody_serves_this"
_PER_SECOND = 100
_START_SECONDS = 180.0


def measure(stack: Stack) -> Iterator[Figure]:
    """Tasks a second of one batch, and the milliseconds of single creates, against one server process."""
    n, singles = stack.size(5000, 500), stack.size(1000, 100)
    with (
        served(stack.server.url) as url, BlockingTaskAPI(stack.server.url) as direct, BlockingTaskAPI(url) as remote,
        httpx2.Client(base_url=url, trust_env=False, timeout=120) as plain_client,
    ):  # fmt: skip
        about = stack.describe() | {"tasks": n, "server": "taskengine server --no-login, one process"}
        rounds = range(stack.options.rounds)
        ours = max(n / _seconds(_posted(plain_client, n)) for _ in rounds)
        plain = max(n / _seconds(lambda: direct.create_tasks(_tasks(n))) for _ in rounds)
        yield Figure(
            "rest.batch", ours, "tasks/s", peer=plain, must=Must("ratio", ">=", 0.6),
            config=about | {"peer": "create_tasks, its models made in the call as the server makes them"},
        )  # fmt: skip
        whole = max(n / _seconds(lambda: remote.create_tasks(_tasks(n))) for _ in rounds)
        yield Figure("rest.batch.client", whole, "tasks/s", peer=plain, config=about)
        spans = _paced(url, singles)
        about |= {"tasks": singles, "a_second": _PER_SECOND}
        yield Figure("rest.create.p50", _quantile(spans, 50), "ms", config=about)
        yield Figure("rest.create.p99", _quantile(spans, 99), "ms", must=Must("value", "<=", 15), config=about)


@contextmanager
def served(store: str) -> Iterator[str]:
    """A server of REST on the store of that URL; its own URL."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    words = ("taskengine.cli", "server", "--no-login", "--port", str(port))
    process = Process.python(*words, variables={"TASKENGINE_REDIS_URL": store})
    try:
        until(lambda: _lives(process, url), _START_SECONDS, f"{url} answers")
        yield url
    finally:
        process.stop()


def _lives(process: Process, url: str) -> bool:
    process.require_alive()
    try:
        return httpx2.get(f"{url}/readyz", trust_env=False).is_success
    except httpx2.TransportError:
        return False


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _tasks(n: int) -> list[Task]:
    return [Task(name=f"t{at}", capability=_CAPABILITY, input={"at": at}) for at in range(n)]


def _seconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def _posted(client: httpx2.Client, n: int) -> Callable[[], object]:
    """Return the sending of a batch whose body is made already, as by a client in another language.

    The client is there already too: to make one of httpx2 reads all certificates that it trusts, of no use here.
    """
    tasks = [{"name": f"t{at}", "capability": _CAPABILITY, "input": {"at": at}} for at in range(n)]
    body = json.dumps({"tasks": tasks})
    headers = {"Content-Type": "application/json"}

    def send() -> None:
        client.post("/api/v1/tasks:batch", content=body, headers=headers).raise_for_status()

    return send


def _paced(url: str, count: int) -> list[float]:
    """Return the milliseconds of each create, from when it was due: one that waits for the one before counts so."""
    spans = []
    with httpx2.Client(base_url=url, trust_env=False) as client:
        begin = time.perf_counter()
        for at in range(count):
            due = begin + at / _PER_SECOND
            time.sleep(max(0.0, due - time.perf_counter()))
            task = {"name": f"s{at}", "capability": _CAPABILITY}
            client.post("/api/v1/tasks", json=task).raise_for_status()
            spans.append(1000 * (time.perf_counter() - due))
    return spans


def _quantile(values: list[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]
