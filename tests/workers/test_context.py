"""What an agent can ask about the tasks before its own, and about its run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from taskengine import BlockingTaskAPI, Dependency, NoResultError, Outcome, Task, agent
from taskengine.testing import Engine


def declare() -> dict[str, Any]:
    """An agent that ends as its task is called, and one that looks at what came before; what that one saw."""
    seen: dict[str, Any] = {}

    @agent
    def end(task: Task, context: Any) -> Any:
        if task.name == "bad":
            raise ValueError("no luck")
        return Outcome("completed", {"n": 1, "text": "x" * (300_000 if task.name == "large" else 1)})

    @agent
    def look(task: Task, context: Any) -> None:
        seen["run"] = context.run_id
        seen["dependencies"] = context.dependencies
        seen["results"] = {context_name(context, id): result["n"] for id, result in context.results.items()}
        seen["count"] = len(context.results)
        seen["has"] = [name in context.results for name in ("good", "bad", "gone")]
        seen["get"] = context.results.get("bad", "nothing")
        with pytest.raises(NoResultError) as refused:
            context.results["bad"]
        seen["refusal"] = refused.value

    return seen


def context_name(context: Any, id: str) -> str:
    return next(one.name for one in context.dependencies if str(one.id) == id)


@pytest.mark.parametrize("others", [0, 80])
def test_agent_behind_all_done_sees_how_each_dependency_ended(others: int) -> None:
    """With more of them than come with the claim, too."""
    with Engine() as engine:
        seen = declare()
        before = [Task(name=name, capability="end", max_retries=0) for name in ("good", "bad", "large")]
        before += [Task(name=f"t{n}", capability="end") for n in range(others)]
        never = Task(name="never", capability="end", depends_on={before[1].id})
        last = Task(
            name="last", capability="look", trigger_rule="all_done", max_retries=0,
            depends_on={task.id for task in (*before, never)},
        )  # fmt: skip
        engine.submit(*before, never, last)
        engine.run_until_idle()
        assert engine.task(last).status == "completed", engine.task(last)
        found = {one.name: one for one in seen["dependencies"]}
        assert len(found) == 4 + others
        assert found["good"] == Dependency(before[0].id, "good", "completed", None)
        assert (found["bad"].status, found["never"].status) == ("failed", "cancelled")
        assert "ValueError: no luck" in (found["bad"].error or "")
        assert seen["results"].keys() == found.keys() - {"bad", "never"}
        assert seen["count"] == 2 + others
        assert (seen["has"], seen["get"]) == ([True, False, False], "nothing")
        assert (seen["refusal"].id, seen["refusal"].status) == (str(before[1].id), "failed")
        assert str(seen["refusal"]).startswith(f"dependency 'bad' ({before[1].id}) has no result, it is failed: Value")
        assert seen["run"] == engine.task(last).run_id


def test_agent_without_dependencies_has_none() -> None:
    with Engine() as engine:

        @agent
        def alone(task: Task, context: Any) -> dict[str, Any]:
            return {"dependencies": context.dependencies, "results": dict(context.results)}

        (task,) = engine.submit(Task(capability="alone"))
        engine.run_until_idle()
        assert engine.task(task).result == {"dependencies": [], "results": {}}


def test_agent_submits_into_its_own_run() -> None:
    with Engine() as engine:

        @agent
        def part(task: Task, context: Any) -> dict[str, Any]:
            return {"size": task.input["size"]}

        @agent
        def split(task: Task, context: Any) -> dict[str, Any]:
            api: BlockingTaskAPI = engine.api
            parts = [Task(name=f"part {n}", capability="part", input={"size": n}) for n in range(3)]
            api.create_tasks(parts, run_id=context.run_id)
            return {"parts": [one.id for one in parts]}

        (first,) = engine.submit(Task(capability="split", max_retries=0))
        engine.run_until_idle()
        done = engine.task(first)
        assert done.status == "completed", done
        made = [engine.task(str(id)) for id in (done.result or {})["parts"]]  # type: ignore[union-attr]
        assert {one.run_id for one in made} == {done.run_id}
        assert [one.result for one in made] == [{"size": n} for n in range(3)]


def test_coroutine_agent_submits_with_the_async_door() -> None:
    with Engine() as engine:

        @agent
        async def split(task: Task, context: Any) -> dict[str, Any]:
            await asyncio.sleep(0)
            made = await engine.aio.create_task(Task(capability="elsewhere"), run_id=context.run_id)
            return {"run": made.run_id}

        (first,) = engine.submit(Task(capability="split", max_retries=0))
        engine.run_until_idle()
        assert engine.task(first).result == {"run": str(engine.task(first).run_id)}
