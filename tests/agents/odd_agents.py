"""Agents that do everything that an agent should not."""

import asyncio
import concurrent.futures
import math
from dataclasses import dataclass

from taskengine.agent import NotNow, agent
from taskengine.models import Outcome, Usage


class Stop(BaseException):
    """Such as pytest.fail raises: no Exception."""


class Unshowable:
    """Nothing can be asked of it."""

    def fail(self, *_):
        raise RuntimeError("no comment")

    __str__ = __repr__ = __iter__ = __len__ = __bool__ = __eq__ = __hash__ = __format__ = fail


class Hidden(type):
    """Of whose classes nothing is as it seems."""

    @property
    def __mro__(cls):
        raise RuntimeError("no comment")

    __name__ = __mro__


class UnshowableError(Exception, metaclass=Hidden):
    @property
    def __traceback__(self):
        raise KeyboardInterrupt("no comment")

    __cause__ = __notes__ = __traceback__

    def __str__(self):
        raise SystemExit(self)


class Secretive(dict):
    """A dict that tells nothing."""

    def fail(self, *_):
        raise SystemExit("no comment")

    items = keys = values = __iter__ = __getitem__ = fail


class Loud(str):
    """Text that is not what it seems."""

    def fail(self, *_):
        raise RuntimeError("no comment")

    __getitem__ = encode = isascii = __radd__ = fail


class Countless(float):
    def fail(self, *_):
        raise RuntimeError("no comment")

    __round__ = __rmul__ = __mul__ = __float__ = __repr__ = fail


@dataclass(frozen=True)
class Distorted(Outcome):
    """An Outcome that passes no check."""

    def __post_init__(self):
        pass


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
    "unshowable error": lambda _: throw(UnshowableError()),
    "unshowable reason": lambda _: throw(ValueError(Unshowable())),
    "unshowable exit": lambda _: throw(SystemExit(Unshowable())),
    "unshowable not now": lambda _: throw(NotNow(5, Unshowable(), scope=Unshowable())),
    "no delay": lambda _: throw(NotNow(Unshowable())),
    "unshowable result": lambda _: {"a": [1, {"b": Unshowable()}]},
    "unshowable key": lambda _: {"a": {object(): 1}},
    "secretive usage": lambda _: Distorted("completed", {}, usage=uncounted(Secretive(a=1))),
    "distorted kind": lambda _: Distorted(Unshowable()),
    "distorted error": lambda _: Distorted("failed", error=5),
    "distorted classes": lambda _: Distorted("failed", error="x", error_classes=(5,)),
    "distorted delay": lambda _: Distorted("not_now", delay="soon"),
    "countless usage": lambda _: Outcome("completed", {}, usage=Usage(custom=many())),
    "bare result": lambda _: object(),
    "undecodable result": lambda _: {"name": "\udce9"},
    "nan": lambda _: {"x": math.nan},
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


def uncounted(custom):
    """A Usage that did not look at what it counts."""
    made = Usage()
    object.__setattr__(made, "custom", custom)
    return made


def many():
    return {f"{n:0200}": n for n in range(2000)}


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
    print(Loud("half a"), end="")
    print(Loud(" line"))
    print(Loud("the end"), end="")
    context.progress(2, Loud("caf\udce9"))
    count = {"tokens": 5, Loud("usd"): Countless(0.25), "caf\udce9": 1}
    return Outcome("completed", output={Loud("said"): True}, usage=Usage(custom=count))
