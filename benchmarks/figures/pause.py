"""What a pause costs: to say it, to end it, and to everybody else while it holds; and many tasks at one word."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from statistics import median
from uuid import UUID

from benchmarks import shapes
from benchmarks.agents import NAP
from benchmarks.figure import Figure, Must
from benchmarks.processes import until
from benchmarks.run import drain_rate
from benchmarks.scripts import ScriptTimes
from benchmarks.stack import Stack
from benchmarks.turns import in_turns
from taskengine import BulkResult, Task


def measure(stack: Stack) -> Iterator[Figure]:
    """A paused capability, a paused run, a new priority and a cancel, with 100 000 READY tasks."""
    n, flat_n = stack.size(100_000, 500), stack.size(1000, 100)
    stack.fleet()
    about = stack.describe() | {"ready": n}
    stack.client.api.pause(capability=NAP)
    ids = stack.client.submit([_nap(i) for i in range(n)])
    yield _others(stack, flat_n, about)
    yield from _answers(stack, about)
    yield from _run(stack, ids[0], about)
    stack.client.api.pause(capability=NAP)
    yield _reorder(stack, ids[n // 2], about)
    yield from _cancel(stack, n, about)
    stack.client.api.resume(capability=NAP)


def _nap(number: int) -> Task:
    return Task(name=f"n{number}", capability=NAP, input={"seconds": 0})


def _others(stack: Stack, n: int, about: dict[str, object]) -> Figure:
    """In turns with a second server on which nothing waits: between two minutes a machine differs by more.

    The median of what neighbours in time make of each other: within minutes the rate of either side wanders by half,
    and the best of sixteen turns differed by 15 % between repetitions of the same measurement. 48 pairs gave 0.94,
    1.03 and 0.93, 128 pairs 1.01 and 0.97.
    """
    with stack.alone() as alone:
        sides = {"alone": partial(_drained, alone, n), "beside": partial(_drained, stack, n)}
        rates = in_turns(stack.size(32, 1) * stack.options.rounds, sides)
    ratio = median(beside / alone for beside, alone in zip(rates["beside"], rates["alone"], strict=True))
    config = about | {"tasks": n} | {name: [round(rate) for rate in rates[name]] for name in sides}
    return Figure("pause.others", ratio, "beside ÷ alone", must=Must("value", ">=", 0.95), config=config)


def _drained(stack: Stack, n: int) -> float:
    """Not while the server rewrites its file: that is a cost of what was submitted, and comes at any time."""
    stack.fleet()
    until(lambda: not stack.client.raw.info("persistence")["aof_rewrite_in_progress"], 60, "the file is written")
    return drain_rate(stack.client, stack.run(shapes.flat(n)))


def _timed(call: Callable[[], object]) -> float:
    """Milliseconds that *call* takes."""
    begin = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - begin)


def _answers(stack: Stack, about: dict[str, object]) -> Iterator[Figure]:
    """Everything is paused meanwhile, so that the capability's resume starts nothing."""
    api, must = stack.client.api, Must("value", "<=", 20)
    api.pause(everything=True)
    resumes, pauses = [], []
    for _ in range(10):
        resumes.append(_timed(lambda: api.resume(capability=NAP)))
        pauses.append(_timed(lambda: api.pause(capability=NAP)))
    api.resume(everything=True)
    yield Figure("pause.answer", max(pauses), "ms", must=must, config=about | {"of": 10})
    yield Figure("resume.answer", max(resumes), "ms", must=must, config=about | {"of": 10})


def _run(stack: Stack, id: UUID, about: dict[str, object]) -> Iterator[Figure]:
    """A run is paused by parking what is met, so its resume puts all of it back."""
    client = stack.client
    run_id = str(client.raw.hget(client.keys.of("task", id), "run"))
    park, ready = client.keys.of("park", f"pause:run:{run_id}"), client.keys.of("ready", NAP)
    client.api.pause(run_id=run_id)
    client.api.resume(capability=NAP)
    begin = time.perf_counter()
    until(lambda: not client.raw.zcard(ready), 120, "every task of the run is parked")
    parked, count = time.perf_counter() - begin, int(client.raw.zcard(park))
    client.api.pause(capability=NAP)
    begin = time.perf_counter()
    answered = _timed(lambda: client.api.resume(run_id=run_id))
    until(lambda: not client.raw.zcard(park), 120, "every task of the run is claimable again")
    seconds = time.perf_counter() - begin
    config = about | {"parked": count, "seconds_to_park": round(parked, 2), "answer_ms": round(answered, 2)}
    yield Figure("resume.claimable", seconds, "s", must=Must("value", "<=", 10), config=config)


def _reorder(stack: Stack, id: UUID, about: dict[str, object]) -> Figure:
    """From the call until the task stands in front of all others."""
    client = stack.client
    ready = client.keys.of("ready", NAP)

    def leads() -> bool:
        return str(client.raw.zrange(ready, 0, 0)[0]).endswith(str(id))

    begin = time.perf_counter()
    client.api.update_task(id, priority=5)
    until(leads, 10, "the task leads")
    return Figure(
        "reorder", 1000 * (time.perf_counter() - begin), "ms", must=Must("value", "<=", 100), config=about
    )


def _cancel(stack: Stack, n: int, about: dict[str, object]) -> Iterator[Figure]:
    """Beside each piece runs the script that does always the same; its time is none of the cancel's."""
    apart = 0.0

    def progress(_: BulkResult) -> None:
        nonlocal apart
        apart += _timed(scripts.fixed.run) / 1000

    with ScriptTimes(stack.client, stack.server.pid) as scripts:
        begin = time.perf_counter()
        done = stack.client.api.cancel_tasks(capability=NAP, progress=progress)
        seconds = time.perf_counter() - begin - apart
        slow = scripts.take()
    config = about | {"cancelled": done.done} | asdict(slow)
    yield Figure("cancel.many", seconds, "s", must=Must("value", "<=", 15 * n / 100_000), config=config)
    longest = max(slow.longest_ms.values(), default=0.0)
    yield Figure(
        "script.cancel", longest, "ms", slow.fixed_longest_ms, must=Must("value", "<=", 10),
        config=config | {"peer": "a fixed script"},
    )  # fmt: skip
