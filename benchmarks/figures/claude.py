"""Tasks on Claude: how many stream at once in one worker process, and what the engine adds to a call.

The service is a double in a process of its own, so that the worker's memory and processor are the worker's.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import urlopen

import anthropic
import psutil

from benchmarks.figure import Figure, Must
from benchmarks.processes import ROOT, Process, until
from benchmarks.stack import Stack
from taskengine import Task

_AGENT, _MODEL = "claude_bench", "claude-bench"


def measure(stack: Stack) -> Iterator[Figure]:
    """Memory and start of many streams in one process; milliseconds of a task over the bare call."""
    slots, seconds = stack.size(1000, 20), stack.size(15.0, 1.0)
    with _service() as url, _fleet(stack, url, slots) as worker:
        yield from _streams(stack, url, worker, slots, seconds)
        yield from _overhead(stack, url)


def _streams(stack: Stack, url: str, worker: Process, n: int, seconds: float) -> Iterator[Figure]:
    reply = {"text": "word " * 200, "pieces": 60, "seconds": seconds}
    tasks = [_task(f"stream-{at}", reply) for at in range(n)]
    client = stack.client
    begin, peak = time.monotonic(), 0.0
    ids = client.submit(tasks)
    until(lambda: _counts(url)["paid"] >= n or _failed(stack), 300, f"{n} streams began")
    if _failed(stack):
        client.read(ids)  # which says why
    started = time.monotonic() - begin
    while (open_now := _counts(url)["open"]) > 0:
        peak = max(peak, psutil.Process(worker.pid).memory_info().rss / 2**20)
        time.sleep(0.5)
    client.see_the_end(ids)
    over = time.monotonic() - begin
    client.read(ids)
    counts = _counts(url)
    about = stack.describe() | {
        "pool": f"threads {n}", "streams": n, "stream_seconds": seconds, "at_once": counts["peak"], "over": open_now,
        "seconds": round(over, 1), "requests": counts["paid"], "paid_twice": counts["paid_twice"],
    }  # fmt: skip
    yield Figure("claude.memory", peak, "MB", must=Must("value", "<=", 350), config=about)
    yield Figure("claude.started", started, "s until all streamed", must=Must("value", "<=", 15), config=about)
    yield Figure("claude.at_once", counts["peak"], "streams", must=Must("value", ">=", n), config=about)


def _failed(stack: Stack) -> int:
    return int(stack.client.raw.hget(stack.client.keys.fixed("counts"), "failed") or 0)


def _overhead(stack: Stack, url: str) -> Iterator[Figure]:
    rounds = stack.size(200, 5)
    reply = {"text": "ok"}
    engine = []
    for at in range(rounds):
        begin = time.perf_counter()
        ids = stack.client.submit([_task(f"one-{at}", reply)])
        stack.client.see_the_end(ids)
        engine.append(1000 * (time.perf_counter() - begin))
    bare = asyncio.run(_bare(url, rounds, reply))
    added = statistics.median(engine) - statistics.median(bare)
    about = stack.describe() | {
        "rounds": rounds, "task_p50_ms": round(statistics.median(engine), 1),
        "call_p50_ms": round(statistics.median(bare), 1), "task_p99_ms": round(sorted(engine)[-1 - rounds // 100], 1),
    }  # fmt: skip
    yield Figure("claude.overhead", added, "ms over the bare call, p50", must=Must("value", "<=", 25), config=about)


async def _bare(url: str, rounds: int, reply: dict[str, Any]) -> list[float]:
    """Milliseconds of the same calls by the client alone."""
    took = []
    async with anthropic.AsyncAnthropic(api_key="k", base_url=url, max_retries=0) as client:
        for at in range(rounds):
            begin = time.perf_counter()
            said: Any = [{"role": "user", "content": _prompt(f"bare-{at}", reply)}]
            stream = await client.messages.create(model=_MODEL, max_tokens=100, messages=said, stream=True)
            async for _ in stream:
                pass
            took.append(1000 * (time.perf_counter() - begin))
    return took


def _task(name: str, reply: dict[str, Any]) -> Task:
    return Task(name=name, capability=_AGENT, description=_prompt(name, reply), max_retries=0)


def _prompt(name: str, reply: dict[str, Any]) -> str:
    return f"Do it. [double {json.dumps({'task': name, 'replies': [reply]})}]"


def _counts(url: str) -> dict[str, Any]:
    with urlopen(f"{url}/double") as answer:
        found: dict[str, Any] = json.load(answer)
    return found


@contextmanager
def _service() -> Iterator[str]:
    script = ROOT / "tests" / "doubles" / "anthropic.py"
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield f"http://127.0.0.1:{child.stdout.readline().strip()}"
        finally:
            child.kill()


@contextmanager
def _fleet(stack: Stack, url: str, slots: int) -> Iterator[Process]:
    """A coordinator and one worker for the agent."""
    api = stack.client.api
    api.register_agent(
        _AGENT, "claude", {_AGENT}, secret="ANTHROPIC_API_KEY", config={"model": _MODEL, "max_tokens": 1000}
    )
    variables = {
        "TASKENGINE_REDIS_URL": str(stack.client.settings.redis_url), "TASKENGINE_AGENT": _AGENT,
        "ANTHROPIC_API_KEY": "key-of-the-bench", "ANTHROPIC_BASE_URL": url,
    }  # fmt: skip
    words = f"celery -A workers worker -P threads -c {slots} -n claude@bench"
    made = [Process.python(*module.split(), variables=variables) for module in ("taskengine.coordinator", words)]
    try:
        until(lambda: _offers(made, api), 60, "a worker serves the agent")
        yield made[1]
    finally:
        for process in reversed(made):
            process.stop()


def _offers(made: list[Process], api: Any) -> bool:
    for process in made:
        process.require_alive()
    return any(_AGENT in node["agents"] for node in api.list_workers() if node["alive"])
