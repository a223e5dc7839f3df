"""Five hundred listeners of one run whose tasks start and end at a pace: what each hears, and what the server takes."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil

from benchmarks.agents import COUNT
from benchmarks.figure import Figure, Must
from benchmarks.processes import ROOT, Process, until
from benchmarks.stack import Stack
from taskengine import BlockingTaskAPI, Task
from taskengine.settings import environment

_PER_SECOND, _LISTENERS = 200, 500
_START_SECONDS = 60.0


def measure(stack: Stack) -> Iterator[Figure]:
    """Megabytes of the server while all hear all events in their order; RuntimeError where one did not."""
    stack.fleet()
    seconds = stack.size(10, 3)
    n = _PER_SECOND * seconds
    api = stack.client.api
    tasks = api.create_tasks([Task(name=f"t{at}", capability=COUNT, hold=True) for at in range(n)])
    run = tasks[0].run_id
    port = _free_port()
    words = ("taskengine.cli", "server", "--no-login", "--port", str(port))
    server = Process.python(*words, variables={"TASKENGINE_REDIS_URL": stack.server.url})
    try:
        until(lambda: _listens(server, port), _START_SECONDS, "the server listens")
        # created; released, ready, started, completed; and the end of the run.
        found, spent = _heard(f"/api/v1/runs/{run}/events", port, 5 * n + 1, server, api, [t.id for t in tasks])
        memory = psutil.Process(server.pid).memory_info().rss / 2**20
    finally:
        server.stop()
    about = stack.describe() | found | {"tasks_a_second": _PER_SECOND, "seconds": seconds}
    if not (found["in_order"] and found["alike"] and found["events"] == _LISTENERS * (5 * n + 1)):
        raise RuntimeError(f"not all was heard: {found}")
    yield Figure("rest.listeners", memory, "MiB", must=Must("value", "<=", 250), config=about)
    yield Figure("rest.listeners.core", spent, "% of a core", config=about)


def _heard(
    path: str, port: int, last: int, server: Process, api: BlockingTaskAPI, ids: list[object]
) -> tuple[dict[str, object], float]:
    """Return what the listeners found, and what the server was busy with while the tasks ran."""
    words = [sys.executable, "-m", "benchmarks.listeners", str(port), path, str(_LISTENERS), str(last)]
    listeners = subprocess.Popen(words, cwd=ROOT, env=environment(), stdout=subprocess.PIPE)
    try:
        process = psutil.Process(server.pid)
        until(lambda: _streams(process) >= _LISTENERS, _START_SECONDS, "all listen")
        begin, used = time.perf_counter(), sum(process.cpu_times()[:2])
        for at, id in enumerate(ids):
            time.sleep(max(0.0, begin + at / _PER_SECOND - time.perf_counter()))
            api.release_task(str(id))
        said, _ = listeners.communicate(timeout=600)
        spent = 100 * (sum(process.cpu_times()[:2]) - used) / (time.perf_counter() - begin)
    finally:
        listeners.kill()
    if listeners.returncode:
        raise RuntimeError(f"the listeners ended with exit code {listeners.returncode}")
    found: dict[str, object] = json.loads(said)
    return found | {"seconds_needed": round(time.perf_counter() - begin, 2)}, spent


def _streams(process: psutil.Process) -> int:
    return sum(each.status == psutil.CONN_ESTABLISHED for each in process.net_connections("tcp"))


def _listens(server: Process, port: int) -> bool:
    server.require_alive()
    with socket.socket() as found:
        return found.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
