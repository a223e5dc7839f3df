"""What every agent type keeps, on the double of its service; what only one has is in the tests of that type."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from taskengine import AgentError
from taskengine.agents import Reference
from taskengine.models import Outcome
from taskengine.models.question import Answer

from ...doubles.context import FakeContext, FakeSecrets
from .contract_types import KEY, SECRET, TYPES, TypeUnderTest, with_more_config, without_secret


def marks(kind: type[TypeUnderTest]) -> tuple[pytest.MarkDecorator, ...]:
    return (pytest.mark.process,) if kind.name == "command" else ()


def each_that_has(*situations: str) -> pytest.MarkDecorator:
    """All types that know each of these situations."""
    kinds = [kind for kind in TYPES if set(situations) <= kind.situations.keys()]
    assert len(kinds) > 1, "a law of one type is no law of all"
    return pytest.mark.parametrize(
        "under", [pytest.param(kind, id=kind.name, marks=marks(kind)) for kind in kinds], indirect=True
    )


@pytest.fixture
def under(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[TypeUnderTest]:
    made: TypeUnderTest = request.param()
    for name, value in made.variables().items():
        monkeypatch.setenv(name, value)
    yield made
    made.close()


@asynccontextmanager
async def opened(under: TypeUnderTest, key: str = KEY) -> AsyncIterator[Any]:
    executor = under.kind(under.record(), FakeSecrets({SECRET: key}))
    await executor.open()
    try:
        yield executor
    finally:
        await executor.close()


async def come_to(under: TypeUnderTest, situation: str, key: str = KEY) -> tuple[Outcome, FakeContext]:
    """One attempt, and what it left."""
    task, prompt = under.task(situation)
    context = FakeContext(prompt)
    async with opened(under, key) as executor:
        return await under.attempt(executor, task, context), context


async def until(ask: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not ask():
        assert time.monotonic() < end, "not in time"
        await asyncio.sleep(0.01)


@each_that_has("done")
async def test_what_was_done_is_completed_with_an_output(under: TypeUnderTest) -> None:
    outcome, _ = await come_to(under, "done")
    assert (outcome.kind, outcome.error) == ("completed", None)
    assert outcome.output is not None
    assert under.requests() == 1


@each_that_has("limited")
async def test_a_limit_is_not_now_and_says_for_how_long(under: TypeUnderTest) -> None:
    outcome, _ = await come_to(under, "limited")
    assert outcome.kind == "not_now"
    assert outcome.delay is not None
    assert 0 < outcome.delay <= 3
    assert outcome.scope == (None if under.name == "command" else "credential"), "all that share a key wait"


@each_that_has("limited", "unpaid")
async def test_what_was_limited_is_done_by_the_next_attempt_once(under: TypeUnderTest) -> None:
    task, prompt = under.task("limited")
    context = FakeContext(prompt)
    async with opened(under) as executor:
        for _ in range(4):  # one that posts looks twice whether its first try came after all
            outcome = await under.attempt(executor, task, context)
            if outcome.kind == "completed":
                break
            context = context.again()
    assert outcome.kind == "completed"
    assert under.requests() == 1


@pytest.mark.parametrize(
    ("situation", "error_kind"), [("refused", "invalid_request"), ("unpaid", "billing")], ids=["refused", "unpaid"]
)
@each_that_has("refused", "unpaid")
async def test_what_the_service_refuses_is_a_failure_that_no_retry_mends(
    under: TypeUnderTest, situation: str, error_kind: str
) -> None:
    outcome, _ = await come_to(under, situation)
    assert (outcome.kind, outcome.error_kind, outcome.retryable) == ("failed", error_kind, False)
    assert outcome.error
    assert under.requests() == 0


@each_that_has("broken")
async def test_what_went_wrong_there_may_be_tried_again(under: TypeUnderTest) -> None:
    outcome, _ = await come_to(under, "broken")
    assert (outcome.kind, outcome.retryable) == ("failed", True)
    assert outcome.error_kind in ("network", "remote_failed", "crash")
    assert outcome.error


@each_that_has("misfits")
async def test_an_answer_that_cannot_be_used_is_a_failure_of_its_kind(under: TypeUnderTest) -> None:
    outcome, _ = await come_to(under, "misfits")
    assert (outcome.kind, outcome.error_kind, outcome.retryable) == ("failed", "invalid_output", False)


@each_that_has("mended")
async def test_an_answer_that_does_not_fit_is_sent_back_once_and_the_next_one_counts(under: TypeUnderTest) -> None:
    outcome, _ = await come_to(under, "mended")
    assert (outcome.kind, outcome.output) == ("completed", {"n": 2})


@each_that_has("hangs")
async def test_a_cancel_ends_the_work_there_within_a_second(under: TypeUnderTest) -> None:
    task, prompt = under.task("hangs")
    context = FakeContext(prompt)
    async with opened(under) as executor:
        running = asyncio.create_task(under.attempt(executor, task, context))
        await until(lambda: asks_for_something(under))
        ordered = time.monotonic()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await until(under.has_stopped)
    assert time.monotonic() - ordered < 1


@each_that_has("hangs", "lost")
async def test_what_is_about_to_be_asked_for_is_written_down_before(under: TypeUnderTest) -> None:
    task, prompt = under.task("hangs")
    seen: list[tuple[str, bool]] = []

    class Noting(FakeContext):
        def checkpoint(self, reference: Reference) -> None:
            seen.append((reference.state, asks_for_something(under)))

    async with opened(under) as executor:
        running = asyncio.create_task(under.attempt(executor, task, Noting(prompt)))
        await until(lambda: asks_for_something(under))
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert seen[0] == ("intent", False)


@each_that_has("hangs", "lost")
async def test_a_lost_reply_is_asked_for_again_and_the_work_is_done_once(under: TypeUnderTest) -> None:
    task, prompt = under.task("lost")
    context = FakeContext(prompt)
    async with opened(under) as executor:
        first = await under.attempt(executor, task, context)
        assert first.kind in ("failed", "not_now")
        assert first.kind == "not_now" or first.retryable
        second = await under.attempt(executor, task, context.again())
    assert second.kind == "completed"
    assert under.requests() == 1


@each_that_has("done", "unpaid")
async def test_an_end_that_was_not_reported_is_found_again_and_not_paid_twice(under: TypeUnderTest) -> None:
    task, prompt = under.task("done")
    context = FakeContext(prompt)
    async with opened(under) as executor:
        first = await under.attempt(executor, task, context)
        second = await under.attempt(executor, task, context.again())
    assert second.output == first.output
    assert under.requests() == 1


@each_that_has("asks")
async def test_a_question_ends_the_attempt_and_its_answer_goes_on_there(under: TypeUnderTest) -> None:
    task, prompt = under.task("asks")
    context = FakeContext(prompt)
    async with opened(under) as executor:
        asked = await under.attempt(executor, task, context)
        assert asked.kind == "needs_input"
        assert asked.question is not None
        assert asked.question.text == "which branch?"
        paid = under.requests()
        answer = Answer(question_id=asked.question.id, value="main", by="ann")
        done = await under.attempt(executor, task, context.again(answer=answer))
    assert done.kind == "completed"
    assert under.requests() == paid + (under.name == "claude"), "a turn of a conversation, or the same run"


@pytest.mark.parametrize("situation", ["done", "limited", "broken"])
@each_that_has("done", "limited", "broken")
async def test_a_secret_is_in_nothing_that_an_attempt_leaves(under: TypeUnderTest, situation: str) -> None:
    outcome, context = await come_to(under, situation)
    assert KEY not in repr(outcome)
    assert KEY not in repr(context)


@each_that_has("done", "unpaid", "asks")
async def test_a_key_that_is_refused_is_a_failure_that_says_it_and_shows_it_not(under: TypeUnderTest) -> None:
    outcome, _ = await come_to(under, "done", key="another-key-0123456789")
    assert (outcome.kind, outcome.error_kind, outcome.retryable) == ("failed", "auth", False)
    assert "another-key" not in repr(outcome)
    assert under.requests() == 0


@each_that_has("done")
async def test_a_secret_that_is_not_here_is_named_before_anything_runs(under: TypeUnderTest) -> None:
    with pytest.raises(AgentError, match=SECRET):
        under.kind.check(under.record(), without_secret(under.record()))


@each_that_has("done")
async def test_a_word_that_a_config_does_not_know_is_named_before_anything_runs(under: TypeUnderTest) -> None:
    with pytest.raises(AgentError, match="pollseconds"):
        under.kind.check(with_more_config(under.record(), pollseconds=3), FakeSecrets({SECRET: KEY}))
    under.kind.check(under.record(), FakeSecrets({SECRET: KEY}))


@each_that_has("done")
async def test_health_says_a_sentence_and_asks_for_no_work(under: TypeUnderTest) -> None:
    async with opened(under) as executor:
        health = await executor.health()
    assert health.ok
    assert health.text
    assert under.requests() == 0


def asks_for_something(under: TypeUnderTest) -> bool:
    """Whether the service has its request."""
    if under.name == "http":
        return under.service.endpoint.requests.total() > 0  # type: ignore[attr-defined]  # its double
    return under.requests() > 0
