"""A result that does not fit the schema of its task is none, whatever type of agent made it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from taskengine import InvalidInputError, Outcome, PayloadTooLargeError, Spent, Task, agent
from taskengine.testing import Engine
from workers.invoke import classify
from workers.schema_check import fitted


class Line(BaseModel):
    number: int
    said: str = ""


class Review(BaseModel):
    verdict: str
    lines: list[Line]


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as made:
        yield made


def end(engine: Engine, returned: Any, schema: Any) -> Task:
    @agent
    def review(task: Task, context: Any) -> Any:
        return returned

    task = engine.submit(Task(name="r", capability="review", output_schema=schema))[0]
    engine.run_until_idle()
    return engine.task(task)


def test_a_result_that_fits_is_the_result(engine: Engine) -> None:
    done = end(engine, Review(verdict="ok", lines=[Line(number=3)]), Review)
    assert (done.status, done.result) == ("completed", {"verdict": "ok", "lines": [{"number": 3, "said": ""}]})


@pytest.mark.parametrize(
    ("schema", "fits", "not_this"),
    [
        ({"type": "array", "items": {"type": "integer"}}, [1, 2], ["x"]), ({"type": "string"}, "yes", 3),
        ({"enum": ["yes", "no"]}, "yes", "maybe"), ({"required": ["value"]}, {"value": 1}, {"values": 1}),
        ({"required": ["verdict"]}, {"verdict": 1}, "no idea"),
    ],
)  # fmt: skip
def test_a_schema_may_ask_for_what_is_no_object(schema: Any, fits: Any, not_this: Any) -> None:
    assert fitted(schema, classify(fits)).kind == "completed"
    assert fitted(schema, classify(not_this)).error_kind == "invalid_output"


def test_one_that_does_not_fails_without_another_attempt_and_is_kept(engine: Engine) -> None:
    done = end(engine, {"verdict": "ok", "lines": [{"number": "three"}]}, Review)
    assert (done.status, done.error_kind, done.attempt) == ("failed", "invalid_output", 1)
    assert "lines.0.number: 'three' is not of type 'integer'" in str(done.error_message)
    found = engine.api.get_task_execution(done.id)
    assert found is not None
    assert found.result == {"verdict": "ok", "lines": [{"number": "three"}]}


def test_an_agent_may_have_one_more_turn(engine: Engine) -> None:
    told: list[list[str]] = []

    class Reviews:
        def __call__(self, task: Task, context: Any) -> Outcome:  # noqa: ARG002  # as agents are called
            return Outcome("completed", output={"verdict": 1}, spent=(Spent("m", 1, 10),))

        async def repair(self, task: Task, *given: Any) -> Outcome:
            _, _, faults = given
            told.append(faults)
            return Outcome("completed", output={"verdict": "ok" if task.name == "mends" else 2})

    agent("reviews", capabilities={"reviews"})(Reviews())
    schema = {"type": "object", "properties": {"verdict": {"type": "string"}}}
    names = ("mends", "does not")
    tasks = engine.submit(*(Task(name=name, capability="reviews", output_schema=schema) for name in names))
    engine.run_until_idle()
    assert [engine.task(task).status for task in tasks] == ["completed", "failed"]
    assert told == [["verdict: 1 is not of type 'string'"]] * 2
    assert [(row.model, row.tokens) for row in engine.api.get_agent_usage("model")] == [("m", 20)]


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "nonsense"}, "output_schema.type"),
        ({"$ref": "https://example.com/s"}, "a reference is not followed"),
        ({"$ref": "#/$defs/gone"}, "#/\\$defs/gone is not there"),
        ({"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"}, "refers to itself"),
    ],
)
def test_what_is_no_schema_is_refused_at_submit(engine: Engine, schema: Any, why: str) -> None:
    with pytest.raises(InvalidInputError, match=why) as refused:
        engine.submit(Task(name="r", capability="review", output_schema=schema))
    assert refused.value.field == "output_schema"
    held = engine.submit(Task(name="r", capability="review", hold=True))[0]
    with pytest.raises(InvalidInputError, match=why):
        engine.api.update_task(held.id, output_schema=schema)


def test_a_schema_has_a_limit(engine: Engine) -> None:
    with pytest.raises(PayloadTooLargeError, match="output_schema"):
        engine.submit(Task(name="r", capability="review", output_schema={"description": "x" * 70_000}))
