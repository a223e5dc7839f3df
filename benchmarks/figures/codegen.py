"""Runs at Codegen: thousands in flight by one poller within what the service allows, while its poller is killed.

The service is a double in a process of its own, with the documented limit of looks; new runs it takes as they come, for
ten a minute would be eight hours. Two workers serve the agent, so that one stands by: whoever polls is killed every ten
seconds once all runs are under way, and started again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from benchmarks.figure import Figure, Must
from benchmarks.processes import ROOT, Process, until
from benchmarks.stack import Stack
from taskengine import Task

_AGENT, _ORG, _READS = "codegen_bench", 7, 60
_TOKEN = "codegen-canary-token-1234567890"


def measure(stack: Stack) -> Iterator[Figure]:
    """Seconds from the end of the last run at the service until all tasks are over; memory of the poller's process."""
    n, seconds = stack.size(5000, 10), stack.size(150.0, 4.0)
    apart = stack.size(10.0, 2.0)  # seconds between two kills
    with _service() as service, _Workers(stack, service.url) as workers:
        began, before = time.monotonic(), _over(stack)
        ids = stack.client.submit([_task(at, seconds) for at in range(n)])
        until(lambda: _detached(stack) + _over(stack) - before >= n, 300, "all runs are under way")
        posted = time.monotonic() - began
        in_flight, kills = _detached(stack), 0
        ends, peak = time.monotonic() + seconds, 0.0
        next_kill = time.monotonic() + apart
        while _over(stack) - before < n and time.monotonic() < ends + 300:
            peak = max(peak, workers.peak_mb())
            if time.monotonic() >= next_kill:
                next_kill += apart
                kills += workers.kill_poller()
            time.sleep(0.5)
        late = time.monotonic() - ends
        stack.client.see_the_end(ids)
        stack.client.read(ids)
        about = stack.describe() | {
            "pool": "threads 8, two workers", "runs": n, "in_flight": in_flight, "posted_in_s": round(posted, 1),
            "run_seconds": seconds, "poller_killed": kills, "reads_per_30_s": _READS, **(paid := service.counts()),
        }  # fmt: skip
    yield Figure("codegen.memory", peak, "MB", must=Must("value", "<=", 150), config=about)
    yield Figure("codegen.all_over", late, "s behind the last run's end", must=Must("value", "<=", 180), config=about)
    yield Figure("codegen.posted_twice", paid["twice"], "tasks", must=Must("value", "<=", 0), config=about)


def _task(at: int, seconds: float) -> Task:
    return Task(name=f"run-{at}", capability=_AGENT, description=f"[run={seconds:g}]", max_retries=0)


def _detached(stack: Stack) -> int:
    return int(stack.client.raw.hlen(stack.client.keys.of("slots", "~")))


def _over(stack: Stack) -> int:
    counts = stack.client.raw.hgetall(stack.client.keys.fixed("counts"))
    return sum(int(counts.get(status, 0)) for status in ("completed", "failed", "cancelled"))


class _Service:
    def __init__(self, child: subprocess.Popen[str]) -> None:
        assert child.stdout is not None
        assert child.stdin is not None
        self._in, self._out = child.stdin, child.stdout
        self.url = self._out.readline().strip()

    def counts(self) -> dict[str, Any]:
        """Runs made, tasks with more than one, looks that were refused."""
        self._in.write("\n")
        self._in.flush()
        found: dict[str, Any] = json.loads(self._out.readline())
        return found


@contextmanager
def _service() -> Iterator[_Service]:
    words = [sys.executable, "-m", "tests.doubles.codegen", str(_READS)]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield _Service(child)
        finally:
            child.kill()


class _Workers:
    """A coordinator and two workers for the agent."""

    def __init__(self, stack: Stack, url: str) -> None:
        self._stack = stack
        self._variables = {
            "TASKENGINE_REDIS_URL": str(stack.client.settings.redis_url), "TASKENGINE_AGENT": _AGENT,
            "CODEGEN_TOKEN": _TOKEN, "TASKENGINE_ALLOWED_HOSTS": url.removeprefix("http://"),
        }  # fmt: skip
        config = {"org_id": _ORG, "base_url": url}
        stack.client.api.register_agent(_AGENT, "codegen", {_AGENT}, secret="CODEGEN_TOKEN", config=config)
        self._coordinator = Process.python("taskengine.coordinator", variables=self._variables)
        self._living = [self._worker(), self._worker()]
        self._made = 2

    def __enter__(self) -> _Workers:
        until(lambda: self._serving() == 2, 90, "two workers serve the agent")
        return self

    def __exit__(self, *exc_info: object) -> None:
        for process in (*self._living, self._coordinator):
            process.stop()

    def peak_mb(self) -> float:
        """Memory of the larger worker."""
        found = [0.0]
        for process in self._living:
            try:
                found.append(psutil.Process(process.pid).memory_info().rss / 2**20)
            except psutil.NoSuchProcess:
                continue
        return max(found)

    def kill_poller(self) -> int:
        """kill -9 of who polls, and start another worker; how many that were."""
        keys, raw = self._stack.client.keys, self._stack.client.raw
        said = str(raw.hget(keys.fixed("pollers"), _AGENT) or "")
        for process in self._living:
            if f"#{process.pid}-" in said:
                psutil.Process(process.pid).kill()
                self._living.remove(process)
                self._living.append(self._worker())
                return 1
        return 0

    def _worker(self) -> Process:
        self._made = getattr(self, "_made", 0) + 1
        words = f"celery -A workers worker -P threads -c 8 -n codegen{self._made}@bench --without-mingle"
        return Process.python(*words.split(), variables=self._variables)

    def _serving(self) -> int:
        return sum(_AGENT in node["agents"] for node in self._stack.client.api.list_workers() if node["alive"])
