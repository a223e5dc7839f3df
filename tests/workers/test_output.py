"""What an agent may be and may return: whatever pydantic makes JSON of is a result, and what it cannot is named."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial, wraps
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from taskengine import AgentError, InvalidInputError, Task, agent
from taskengine.agent import Agent
from taskengine.models import Outcome
from taskengine.testing import Engine
from workers.invoke import classify, encode
from workers.output import encoded

from ..cases import each


class Colour(Enum):
    RED = "red"


class Model(BaseModel):
    name: str = Field("a", alias="Name")
    at: datetime = datetime(2030, 1, 2, tzinfo=UTC)


@dataclass
class Point:
    x: int = 1
    model: Model = field(default_factory=Model)


class Scalar:
    """As numpy has them."""

    shape = ()

    def item(self) -> float:
        return 2.5


class Array:
    shape = (2,)

    def item(self) -> float:
        raise ValueError("can only convert an array of size 1 to a Python scalar")


class Secretive(dict):  # type: ignore[type-arg]
    """A dict whose own methods raise."""

    def items(self) -> Any:
        raise SystemExit("no comment")


Pair = namedtuple("Pair", "left right")
ID = UUID(int=7)
MADE: list[tuple[Any, Any]] = [
    (Point(), {"x": 1, "model": {"name": "a", "at": "2030-01-02T00:00:00Z"}}),
    (Model(), {"name": "a", "at": "2030-01-02T00:00:00Z"}),
    (datetime(2030, 1, 2, 3, tzinfo=UTC), {"value": "2030-01-02T03:00:00Z"}),
    ({"day": date(2030, 1, 2), "took": timedelta(seconds=90)}, {"day": "2030-01-02", "took": "PT1M30S"}),
    (ID, {"value": str(ID)}),
    ({"ids": {ID}}, {"ids": [str(ID)]}),
    ({ID: Decimal("1.10")}, {str(ID): "1.10"}),
    ({1: 2, "a": 3}, {"1": 2, "a": 3}),
    ({"of": frozenset({1}), "t": (1, 2), "pair": Pair(1, 2)}, {"of": [1], "t": [1, 2], "pair": [1, 2]}),
    ((1, Colour.RED), {"value": [1, "red"]}),
    (Path("a/b"), {"value": "a/b"}),
    (Scalar(), {"value": 2.5}),
    ({"scores": [Scalar(), {"x": Scalar()}]}, {"scores": [2.5, {"x": 2.5}]}),
    (OrderedDict(b=1, a=2), {"a": 2, "b": 1}),
    (Secretive(a=1), {"a": 1}),
    (b"text", {"value": "text"}),
    (None, {"value": None}),
    ([1], {"value": [1]}),
    (Outcome("completed", {"at": date(2030, 1, 2)}), {"at": "2030-01-02"}),
]


@each(("value", "stored"), MADE)
def test_result_is_json_as_pydantic_makes_it(value: Any, stored: Any) -> None:
    outcome, text, _ = encode(classify(value))
    assert (outcome.kind, json.loads(text or "null")) == ("completed", stored), outcome


def circle() -> dict[str, Any]:
    made: dict[str, Any] = {"a": 1}
    made["self"] = made
    return made


@each(
    ("value", "told"),
    [
        ({"a": [1, {"b": object()}]}, "result.a[1].b is not JSON: object has no JSON form; return plain JSON values"),
        ({"a": {"x": float("nan")}}, "result.a.x is not JSON: Out of range float values are not JSON compliant"),
        ({"a": Array()}, "result.a is not JSON: Array has no JSON form"),
        ({"a": b"\xff"}, "result.a is not JSON: "),
        ({"p": Point(x=object())}, "result.p.x is not JSON: "),  # type: ignore[arg-type]
        ({"name": "\udce9"}, "result.name is not JSON: "),
        ({"s": {"\udce9"}}, "result.s[0] is not JSON: "),
        (circle(), "result"),
    ],
)
def test_what_has_no_json_form_is_named_by_its_key(value: Any, told: str) -> None:
    outcome, _, _ = encode(classify(value))
    assert (outcome.kind, outcome.error_kind, outcome.retryable) == ("failed", "invalid_output", False)
    assert told in (outcome.error or "")


def test_plain_result_is_written_the_plain_way() -> None:
    assert encoded({"b": [1, 2.5, None, True], "a": "é"}) == '{"a":"é","b":[1,2.5,null,true]}'
    with pytest.raises(InvalidInputError) as refused:
        encoded({"a": object()})
    assert refused.value.field == "result"


async def slow(task: Task, context: Any) -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"by": "a coroutine"}


def hands_on(task: Task, context: Any) -> Any:
    return slow(task, context)


@wraps(hands_on)
def wrapped(*args: Any) -> Any:
    return hands_on(*args)


class Called:
    async def __call__(self, task: Task, context: Any) -> dict[str, Any]:
        return await slow(task, context)

    async def method(self, task: Task, context: Any) -> dict[str, Any]:
        return await slow(task, context)


class Later:
    """Awaitable, and no coroutine."""

    def __await__(self) -> Any:
        return slow(Task(name="x"), None).__await__()


@each(
    "function",
    [slow, hands_on, wrapped, Called(), Called().method, partial(slow), lambda *_: Later()],
)
def test_whatever_can_be_awaited_is(function: Any) -> None:
    with Engine([Agent("awaited", frozenset({"await"}), function)]) as engine:
        (task,) = engine.submit(Task(capability="await", max_retries=0))
        engine.run_until_idle()
        assert engine.task(task).result == {"by": "a coroutine"}, engine.task(task)


def test_agent_without_arguments_is_called_like_its_function_and_offers_that() -> None:
    with Engine() as engine:

        @agent
        def lint_all(task: Task, context: Any) -> dict[str, Any]:
            return {"by": "lint_all"}

        @agent()
        def build(task: Task, context: Any) -> dict[str, Any]:
            return {"by": "build"}

        @agent("named")
        def other(task: Task, context: Any) -> dict[str, Any]:
            return {"by": "named"}

        @agent(capabilities={"c"})
        def several(task: Task, context: Any) -> dict[str, Any]:
            return {"by": "several"}

        tasks = engine.submit(*(Task(capability=one) for one in ("lint_all", "build", "named", "c")))
        engine.run_until_idle()
        assert [engine.task(one).result for one in tasks] == [
            {"by": one} for one in ("lint_all", "build", "named", "several")
        ]


def test_function_without_a_name_of_its_own_is_refused_without_one_for_the_agent() -> None:
    with pytest.raises(AgentError, match="<lambda>"):
        agent(lambda *_: {})
