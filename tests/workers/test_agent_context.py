"""What an agent type gets beside the task, in functions and in coroutines alike."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from taskengine import ConflictError, Outcome, Task, agent
from taskengine.agents import Reference
from taskengine.testing import Engine


@pytest.fixture
def engine() -> Any:
    with Engine() as made:
        yield made


def test_an_attempt_after_a_loss_finds_what_the_one_before_left(engine: Engine) -> None:
    seen: list[Reference | None] = []

    @agent
    def post(task: Task, context: Any) -> None:
        seen.append(context.previous)
        context.checkpoint(Reference("mine", "posted", "run-7"))
        if len(seen) == 1:
            engine.lose_worker()

    task = engine.submit(Task(name="a", capability="post"))[0]
    engine.run_until_idle()
    assert engine.task(task).status == "completed"
    assert seen[0] is None
    assert seen[1] is not None
    assert (seen[1].id, seen[1].at_ms > 0) == ("run-7", True)


def test_a_coroutine_has_the_same_to_await(engine: Engine) -> None:
    seen: list[Reference | None] = []

    @agent
    async def post(task: Task, context: Any) -> Outcome | None:
        seen.append(context.previous)
        await context.aio.checkpoint(Reference("mine", "intent"))
        await context.aio.checkpoint(Reference("mine", "posted", "run-7"))
        return Outcome.not_now(1) if len(seen) == 1 else None

    engine.run_until_done(*engine.submit(Task(name="a", capability="post")))
    assert [each and each.id for each in seen] == [None, "run-7"]


def test_an_attempt_that_is_over_is_told_so_when_it_checkpoints(engine: Engine) -> None:
    raised: list[BaseException] = []

    @agent
    def post(task: Task, context: Any) -> None:
        if context.attempt == 1:
            engine.lose_worker()
            with pytest.raises(ConflictError, match="is over") as refused:
                context.checkpoint(Reference("mine", "posted", "run-7"))
            raised.append(refused.value)
        else:
            assert context.previous is None

    task = engine.submit(Task(name="a", capability="post"))[0]
    engine.run_until_idle()
    assert raised
    assert engine.task(task).status == "completed"


def test_a_coroutine_awaits_a_large_result_and_is_told_how(engine: Engine) -> None:
    seen: dict[str, Any] = {}

    @agent
    def make(task: Task, context: Any) -> dict[str, str]:
        return {"text": "x" * 100_000}

    @agent
    async def read(task: Task, context: Any) -> None:
        try:
            context.results["big"]
        except Exception as exc:
            seen["refusal"] = f"{type(exc).__name__}: {exc}"
        seen["size"] = len((await context.aio.result("big"))["text"])
        seen["again"] = len(context.results["big"]["text"])

    first = Task(name="big", capability="make")
    engine.submit(first, Task(name="b", capability="read", depends_on={first.id}))
    engine.run_until_idle()
    assert seen["size"] == seen["again"] == 100_000
    assert seen["refusal"].startswith("AgentError: context.results['big'] is fetched")
    assert "await context.aio.result('big')" in seen["refusal"]


def test_a_coroutine_that_would_hold_up_the_loop_is_told_what_to_await(engine: Engine) -> None:
    @agent
    async def post(task: Task, context: Any) -> None:
        await asyncio.sleep(0)
        context.checkpoint(Reference("mine", "intent"))

    task = engine.submit(Task(name="a", capability="post", max_retries=0))[0]
    engine.run_until_idle()
    assert "await context.aio.checkpoint(reference)" in str(engine.task(task).error_message)
