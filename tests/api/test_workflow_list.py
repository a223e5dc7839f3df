"""list_workflows: every page is bounded, whatever it looks for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from taskengine import BlockingTaskAPI, Workflow
from taskengine.api.context import OperationContext
from taskengine.api.operations.workflow_list import list_workflows
from taskengine.models import TaskStep
from taskengine.store.fields import TaskField

from ..store.world import World, steps


def flow() -> Workflow:
    return Workflow(name="w", steps=[TaskStep(name="a", task_template={"capability": "lint"})])


def test_a_search_that_took_long_ends_a_page_and_says_where_to_go_on(one: BlockingTaskAPI, world: World) -> None:
    """What is looked for was started first, and 12 000 others since: no page looks through all of them."""
    ids = [one.start_workflow(flow()) for _ in range(3)]
    status = one.get_workflow(ids[0]).status
    with world.raw.pipeline() as trip:
        for n in range(12_000):
            id = str(UUID(int=n))
            trip.hset(world.keys.of("task", id), mapping={"st": "completed", "run": id, TaskField.queue: "%workflow"})
            trip.zadd(world.keys.fixed("workflows"), {id: 10**13 + n // 100})
        trip.execute()
    sent: list[str] = []

    def send(call: Any) -> Any:
        sent.append(call.name)
        return world.run(call)

    context = OperationContext(world.keys, world.store.settings, lambda: 0.0)
    first = steps(list_workflows(context, name=None, status=status, created_by=None, limit=5, after=None), send)
    assert (first, first.cursor is None) == ([], False)
    assert sent == ["find_workflows"] * 10
    pages = [first]
    while pages[-1].cursor:
        pages.append(one.list_workflows(status=status, limit=2, cursor=pages[-1].cursor))
    assert {each.id for page in pages for each in page} == set(ids)
    assert max(map(len, pages)) == 2


def test_a_page_reads_its_workflows_together_and_each_definition_once(one: BlockingTaskAPI, world: World) -> None:
    ids = [one.start_workflow(flow()) for _ in range(70)]
    sent: list[str] = []

    def send(call: Any) -> Any:
        sent.append(call.name)
        return world.run(call)

    context = OperationContext(world.keys, world.store.settings, lambda: 0.0)
    page = steps(list_workflows(context, name="w", status=None, created_by=None, limit=70, after=None), send)
    assert ({each.id for each in page}, page.cursor) == (set(ids), None)
    assert sent == ["find_workflows", "read_workflows", "read_workflows", "GET"]
