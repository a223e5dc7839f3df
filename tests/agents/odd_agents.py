"""Agents that do everything that an agent should not."""

import asyncio
import concurrent.futures
import math

from taskengine.agent import agent
from taskengine.models import Outcome, Usage


class Stop(BaseException):
    """Such as pytest.fail raises: no Exception."""


async def coroutine():
    return {}


def throw(exc):
    raise exc


DO = {
    "stop": lambda _: throw(Stop("enough")),
    "interrupt": lambda _: throw(KeyboardInterrupt()),
    "cancelled": lambda _: throw(asyncio.CancelledError()),
    "future cancelled": lambda _: throw(concurrent.futures.CancelledError()),
    "undecodable error": lambda _: throw(ValueError("no file \udce9t\udce9")),
    "long error": lambda _: throw(ValueError("x" * 1_000_000)),
    "undecodable result": lambda _: {"name": "\udce9"},
    "nan": lambda _: {"x": math.nan},
    "mixed keys": lambda _: {1: 2, "a": 3},
    "forgotten await": lambda _: _closed(coroutine()),
    "kind": lambda _: Outcome("nonsense"),
    "output": lambda _: Outcome("completed", output=[1]),
    "error": lambda _: Outcome("failed", error=5),
    "error_classes": lambda _: Outcome("failed", error="x", error_classes="ValueError"),
    "usage": lambda _: Outcome("completed", usage=None),
    "custom": lambda _: Outcome("completed", usage=Usage(custom={"tokens": math.nan})),
    "no reason": lambda _: Outcome("failed"),
    "level": lambda context: context.log("x", "loud"),
    "metadata": lambda context: context.log("x", data=object()),
    "long metadata": lambda context: context.log("x", data="x" * 300_000),
    "fraction": lambda context: context.progress("half"),
    "no fraction": lambda context: context.progress(math.nan),
    "dependency": lambda context: context.results["parse"],
}


def _closed(forgotten):
    forgotten.close()
    return {"x": forgotten}


@agent("odd", capabilities={"odd", "peculiar"})
def odd(task, context):
    return DO[task.input["do"]](context)


@agent("strange", capabilities={"strange", "weird"})
async def strange(task, context):
    return DO[task.input["do"]](context)


@agent("talker", capabilities={"talk", "chat"})
def talk(task, context):
    """Says what is hard to say, and goes on."""
    context.log("caf\udce9", name="x")
    context.progress(2, "caf\udce9")
    return Outcome("completed", output={"said": True}, usage=Usage(custom={"tokens": 5, "usd": 0.25}))
