"""Tokens by agent, model and day, and what is left beside a result."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taskengine import ArtifactKind, InvalidInputError, NotFoundError, Outcome, Spent, Task, agent
from taskengine.testing import Engine


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine(start=datetime(2030, 1, 1, 23, tzinfo=UTC)) as made:
        yield made


def test_what_was_used_is_told_by_agent_model_and_day(engine: Engine) -> None:
    @agent("ann", capabilities={"one"})
    def one(task: Task, context: Any) -> Outcome:
        context.spent(Spent("large", 1, 100, 10))
        return Outcome("completed", spent=(Spent("large", 1, 100, 10), Spent("small", 2, 5)))

    @agent("bo", capabilities={"two"})
    async def two(task: Task, context: Any) -> None:
        await context.aio.spent(Spent("small", 1, 1, 0, 3, 4))

    engine.submit(Task(name="a", capability="one"))
    engine.run_until_idle()
    engine.clock.advance(timedelta(hours=2))
    engine.submit(Task(name="b", capability="two"), Task(name="c", capability="one"))
    engine.run_until_idle()
    by_agent = [(row.agent, row.requests, row.tokens) for row in engine.api.get_agent_usage()]
    assert by_agent == [("ann", 6, 230), ("bo", 1, 8)]
    by_model = {row.model: (row.input_tokens, row.cache_read_tokens) for row in engine.api.get_agent_usage("model")}
    assert by_model == {"large": (200, 0), "small": (11, 3)}
    by_day = [(str(row.day), row.tokens) for row in engine.api.get_agent_usage("day")]
    assert by_day == [("2030-01-01", 115), ("2030-01-02", 123)]
    assert [row.tokens for row in engine.api.get_agent_usage("day", days=1)] == [123]
    with pytest.raises(InvalidInputError, match="agent, model, day"):
        engine.api.get_agent_usage("week")  # type: ignore[arg-type]


def test_a_lost_attempt_counts_with_what_it_noted_and_a_repeat_counts_nothing(engine: Engine) -> None:
    @agent
    def think(task: Task, context: Any) -> Outcome:
        context.spent(Spent("m", 1, 10))
        if context.attempt == 1:
            engine.lose_worker()
        return Outcome("completed", spent=(Spent("m", 1, 10),))

    task = engine.submit(Task(name="a", capability="think"))[0]
    engine.run_until_done(task)
    assert [row.tokens for row in engine.api.get_agent_usage("model")] == [20]


def test_a_task_at_its_cap_ends_as_limit_and_is_not_attempted(engine: Engine) -> None:
    seen: list[int | None] = []

    @agent
    def think(task: Task, context: Any) -> Outcome:
        seen.append(context.tokens_left)
        context.spent(Spent("m", 1, 60))
        return Outcome("failed", error="boom")

    task = engine.submit(Task(name="a", capability="think", max_retries=5, max_total_tokens=100))[0]
    engine.run_until_done(task)
    done = engine.task(task)
    assert (done.status, done.error_kind) == ("failed", "limit")
    assert "used 120 tokens, and its max_total_tokens is 100" in str(done.error_message)
    assert seen == [100, 40]
    engine.api.retry_task(task.id, wait=False)
    engine.api.update_task(task.id, max_total_tokens=50)
    engine.run_until_done(task)
    assert seen == [100, 40, 50]


def test_artifacts_are_listed_and_read(engine: Engine) -> None:
    @agent
    def write(task: Task, context: Any) -> None:
        context.artifact("a.diff", f"attempt {context.attempt}", ArtifactKind.DIFF)
        path = context.workdir / "f.txt"
        path.write_text("here")
        context.artifact("f.txt", path)
        context.log(str(context.workdir))
        if context.attempt == 1:
            raise ValueError

    @agent
    async def draw(task: Task, context: Any) -> None:
        await context.aio.artifact("picture", b"\0\1", "file")

    task, other = engine.submit(Task(name="a", capability="write"), Task(name="b", capability="draw"))
    engine.run_until_done(task, other)
    found = engine.api.list_artifacts(task.id)
    assert [(one.name, one.kind.value, one.size) for one in found] == [("a.diff", "diff", 9), ("f.txt", "file", 4)] * 2
    assert engine.api.get_artifact(task.id, "a.diff") == b"attempt 2"
    assert engine.api.get_artifact(task.id, "a.diff", found[0].execution_id) == b"attempt 1"
    assert engine.api.get_artifact(other.id, "picture") == b"\0\1"
    with pytest.raises(NotFoundError, match=r"'x' of task .* \(there are: a.diff, f.txt\)"):
        engine.api.get_artifact(task.id, "x")
    assert engine.api.list_artifacts(engine.submit(Task(name="c", hold=True))[0].id) == []
