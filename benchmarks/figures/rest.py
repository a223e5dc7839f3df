"""What a way over HTTP costs: a graph at once, beside the same one given to the store, and single tasks at a pace."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from statistics import quantiles

import httpx2

from benchmarks.figure import Figure, Must
from benchmarks.stack import Stack
from taskengine import BlockingTaskAPI, Task

#: Nobody works on it: what is measured is the way in.
_CAPABILITY = "nobody_serves_this"
_PER_SECOND = 100


def measure(stack: Stack) -> Iterator[Figure]:
    """Tasks a second of one batch, and the milliseconds of single creates, against one server process."""
    n, singles = stack.size(5000, 500), stack.size(1000, 30)
    with (
        stack.served() as server, BlockingTaskAPI(stack.server.url) as direct, BlockingTaskAPI(server.url) as remote,
        httpx2.Client(base_url=server.url, trust_env=False, timeout=120) as plain_client,
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
        spans = _paced(server.url, singles)
        about |= {"tasks": singles, "a_second": _PER_SECOND}
        yield Figure("rest.create.p50", _quantile(spans, 50), "ms", config=about)
        yield Figure("rest.create.p99", _quantile(spans, 99), "ms", must=Must("value", "<=", 15), config=about)


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
