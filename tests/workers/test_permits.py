"""What a run uses beyond its first request, what a provider says, and how a wait for it is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from taskengine import ConflictError, InvalidInputError, NotNow, Outcome, Task, agent
from taskengine.models.spent import Spent
from taskengine.testing import Engine
from workers.disposition import disposition
from workers.permits import ProviderNews


@pytest.fixture
def engine() -> Any:
    with Engine() as made:
        yield made


def bound(engine: Engine, name: str, **bounds: int) -> None:
    """Give an agent a limit of its own key."""
    engine.api.set_limit("key", **bounds)
    engine.api.register_agent(name, "function", name, limits="key")


def test_a_further_request_waits_until_its_limits_allow_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    really = asyncio.sleep

    @agent
    async def chat(task: Task, context: Any) -> Outcome:
        chatting = asyncio.current_task()

        async def sleep(seconds: float) -> None:
            if asyncio.current_task() is chatting:
                waited.append(seconds)
            else:  # a server of other tests, in another thread
                await really(seconds)

        monkeypatch.setattr(asyncio, "sleep", sleep)
        for _ in range(3):
            await context.aio.permit(input_tokens=10)
        monkeypatch.undo()
        return Outcome("completed", output={}, spent=(Spent("m", requests=4, input_tokens=40, output_tokens=7),))

    bound(engine, "chat", requests_per_minute=60)
    engine.run_until_done(*engine.submit(Task(name="a", capability="chat")))
    assert len(waited) == 3
    assert waited[0] == 0  # a tenth of a minute's may come at once
    (found,) = engine.api.list_limits()
    assert (found.in_flight, found.tokens_today) == (0, 47)


def test_a_function_in_a_thread_waits_as_well(engine: Engine) -> None:
    @agent
    def chat(task: Task, context: Any) -> None:
        context.permit()

    bound(engine, "chat", requests_per_minute=6000)
    engine.run_until_done(*engine.submit(Task(name="a", capability="chat")))
    assert engine.api.list_limits()[0].in_flight == 0


def test_an_attempt_that_is_over_gets_no_permit(engine: Engine) -> None:
    refused: list[bool] = []

    @agent
    def chat(task: Task, context: Any) -> None:
        if context.attempt == 1:
            engine.lose_worker()
            with pytest.raises(ConflictError, match="is over"):
                context.permit()
            refused.append(True)

    bound(engine, "chat", requests_per_minute=6000)
    engine.submit(Task(name="a", capability="chat"))
    engine.run_until_idle()
    assert refused == [True]


def test_a_permit_of_less_than_nothing_is_refused(engine: Engine) -> None:
    @agent
    def chat(task: Task, context: Any) -> None:
        with pytest.raises(InvalidInputError, match="input_tokens"):
            context.permit(input_tokens=-1)

    assert engine.run_until_done(*engine.submit(Task(name="a", capability="chat")))


def test_what_a_provider_says_is_told_once_a_second_by_agent() -> None:
    now = [0.0]
    news = ProviderNews(lambda: now[0])
    assert news.worth("a", {"requests": 5.0, "reset_seconds": 3}) is not None
    assert news.worth("a", {"requests": 4.0}) is None
    assert news.worth("b", {"input_tokens": 4.0}) is not None
    now[0] = 1.0
    assert news.worth("a", {}) is None
    assert news.worth("a", {"requests": 3.0}) is not None


def test_a_provider_that_says_later_is_told_to_all_that_share_its_credential() -> None:
    task, delays = Task(name="a", capability="x"), set()
    for _ in range(50):
        found = disposition(task, Outcome.not_now(10, "429", scope="credential"))
        assert found.word == "credential_not_now"
        assert found.delay_ms is not None
        assert 10_000 <= found.delay_ms <= 12_000
        delays.add(found.delay_ms)
    assert len(delays) > 5, "they would come back all at once"
    assert disposition(task, Outcome.not_now(10, scope="agent")) == ("agent_not_now", 10_000)


def test_a_raised_not_now_may_name_the_credential(engine: Engine) -> None:
    calls: list[str] = []

    @agent
    def chat(task: Task, context: Any) -> None:
        calls.append(task.name)
        if len(calls) == 1:
            raise NotNow(30, "429", scope="credential")

    bound(engine, "chat", in_flight=5)
    first, second = engine.submit(Task(name="a", capability="chat"), Task(name="b", capability="chat"))
    engine.run_until_idle()
    (found,) = engine.api.list_limits()
    assert found.closed is not None
    assert (found.closed.bound, found.closed.why, found.in_flight) == ("paused", "429", 0)
    assert len(calls) == 1
    engine.run_until_done(first, second)
    assert {engine.task(id).retry_count for id in (first, second)} == {0}
