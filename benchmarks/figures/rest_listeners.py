"""Five hundred listeners of one run whose tasks start and end at a pace: what each hears, and what the server takes."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from uuid import UUID

import psutil

from benchmarks.agents import COUNT
from benchmarks.figure import Figure, Must
from benchmarks.processes import ROOT, Process, until
from benchmarks.stack import Stack
from taskengine import Task
from taskengine.settings import environment

_PER_SECOND, _LISTENERS = 200, 500
_START_SECONDS = 60.0


def measure(stack: Stack) -> Iterator[Figure]:
    """Megabytes of the server while all hear all events in their order; RuntimeError where one did not."""
    stack.fleet()
    seconds = stack.size(10, 3)
    n = _PER_SECOND * seconds
    tasks = stack.client.api.create_tasks([Task(name=f"t{at}", capability=COUNT, hold=True) for at in range(n)])
    run = tasks[0].run_id
    port = _free_port()
    words = ("taskengine.cli", "server", "--no-login", "--port", str(port))
    server = Process.python(*words, variables={"TASKENGINE_REDIS_URL": stack.server.url})
    try:
        until(lambda: _listens(server, port), _START_SECONDS, "the server listens")
        found, spent = _heard(f"/api/v1/runs/{run}/events", port, stack, server, [task.id for task in tasks])
        memory = psutil.Process(server.pid).memory_info().rss / 2**20
    finally:
        server.stop()
    about = stack.describe() | found | {"tasks_a_second": _PER_SECOND, "seconds": seconds}
    # created; released, ready, started, completed; and the end of the run. A machine that is busy adds some.
    if not (found["in_order"] and found["heard_all"] == _LISTENERS and int(str(found["events"])) >= 5 * n + 1):
        raise RuntimeError(f"not all was heard: {found}")
    yield Figure("rest.listeners", memory, "MiB", must=Must("value", "<=", 250), config=about)
    yield Figure("rest.listeners.core", spent, "% of a core", config=about)


def _heard(path: str, port: int, stack: Stack, server: Process, ids: Sequence[UUID]) -> tuple[dict[str, object], float]:
    """Return what the listeners found, and what the server was busy with while the tasks ran.

    All have heard that the tasks were created before the first one is released.
    """
    words = [sys.executable, "-m", "benchmarks.listeners", str(port), path, str(_LISTENERS), str(len(ids))]
    listeners = subprocess.Popen(
        words, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert listeners.stdout is not None
    try:
        process = psutil.Process(server.pid)
        if listeners.stdout.readline() != "ready\n":
            raise RuntimeError("the listeners did not hear what there was")
        begin, used = time.perf_counter(), sum(process.cpu_times()[:2])
        for at, id in enumerate(ids):
            time.sleep(max(0.0, begin + at / _PER_SECOND - time.perf_counter()))
            stack.client.api.release_task(id)
        released = time.perf_counter() - begin
        stack.client.see_the_end(ids)
        said, _ = listeners.communicate(f"{_last(stack, path.split('/')[-2])}\n", timeout=600)
        needed = time.perf_counter() - begin
        spent = 100 * (sum(process.cpu_times()[:2]) - used) / needed
    finally:
        listeners.kill()
    if listeners.returncode:
        raise RuntimeError(f"the listeners ended with exit code {listeners.returncode}")
    found: dict[str, object] = json.loads(said)
    return found | {"seconds_released": round(released, 2), "seconds_needed": round(needed, 2)}, spent


def _last(stack: Stack, run: str) -> int:
    """Return the number of the latest event of a run that is over."""
    until(lambda: stack.client.api.get_run(run).finished_at, _START_SECONDS, "the run is over")
    about = stack.client.raw.xinfo_stream(stack.client.keys.of("events", run))
    return int(str(about["last-generated-id"]).partition("-")[2])


def _listens(server: Process, port: int) -> bool:
    server.require_alive()
    with socket.socket() as found:
        return found.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
