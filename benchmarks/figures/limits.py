"""What a limit that is full costs everybody else, with ten thousand tasks READY behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from statistics import median

from benchmarks import shapes
from benchmarks.agents import NAP
from benchmarks.figure import Figure, Must
from benchmarks.processes import until
from benchmarks.run import drain_rate
from benchmarks.scripts import ScriptTimes
from benchmarks.stack import Stack
from benchmarks.turns import in_turns
from taskengine import Task

_AGENT, _LIMIT = "napper", "bench"


def measure(stack: Stack) -> Iterator[Figure]:
    """The rate of another capability, and the longest script meanwhile."""
    n, flat_n = stack.size(10_000, 300), stack.size(1000, 100)
    stack.fleet()
    about = stack.describe() | {"ready": n}
    _fill(stack, n)
    yield _others(stack, flat_n, about)
    yield _scripts(stack, flat_n, about)


def _fill(stack: Stack, n: int) -> None:
    """One task of the agent uses its day up, without holding a slot, and the others wait."""
    api = stack.client.api
    api.set_limit(_LIMIT, tokens_per_day=1)
    api.register_agent(_AGENT, "function", NAP, limits=_LIMIT)
    first, *_ = stack.client.submit([Task(name="nap", capability=NAP, input={"seconds": 0}) for _ in range(n + 1)])
    ready = stack.client.keys.of("ready", NAP)
    until(lambda: stack.client.raw.zcard(ready) == n, 60, f"{n} tasks wait behind the limit, {first} was the first")


def _others(stack: Stack, n: int, about: dict[str, object]) -> Figure:
    """In turns with a second server that knows no limit, as ``pause.others``."""
    with stack.alone() as alone:
        sides = {"alone": partial(_drained, alone, n), "beside": partial(_drained, stack, n)}
        rates = in_turns(stack.size(32, 1) * stack.options.rounds, sides)
    ratio = median(beside / alone for beside, alone in zip(rates["beside"], rates["alone"], strict=True))
    config = about | {"tasks": n} | {name: [round(rate) for rate in rates[name]] for name in sides}
    return Figure("limits.others", ratio, "beside ÷ alone", must=Must("value", ">=", 0.95), config=config)


def _drained(stack: Stack, n: int) -> float:
    stack.fleet()
    until(lambda: not stack.client.raw.info("persistence")["aof_rewrite_in_progress"], 60, "the file is written")
    return drain_rate(stack.client, stack.run(shapes.flat(n)))


def _scripts(stack: Stack, n: int, about: dict[str, object]) -> Figure:
    """The longest run of a script that meets the limit, beside the script that does always the same."""
    with ScriptTimes(stack.client, stack.server.pid) as scripts:
        with scripts.fixed:
            for _ in range(stack.options.rounds):
                stack.run(shapes.flat(n))
        slow = scripts.take()
    mine = ("claim", "report", "heartbeat", "grant", "fire_timers", "withdraw")
    longest = {name: ms for name, ms in slow.longest_ms.items() if name in mine}
    config = about | asdict(slow) | {"peer": "a fixed script"}
    return Figure(
        "limits.script", max(longest.values(), default=0.0), "ms", slow.fixed_longest_ms, Must("value", "<=", 2), config
    )
