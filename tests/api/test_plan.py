"""Graphs, plans and histories of what is stored."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from taskengine import BlockingTaskAPI, InvalidInputError, NotFoundError, Task

from ..store.world import World


def lint(name: str, *on: Task, **fields: Any) -> Task:
    return Task(name=name, capability="lint", depends_on={task.id for task in on}, **fields)


def diamond() -> list[Task]:
    a = lint("a")
    b, c = lint("b", a), lint("c", a, estimated_seconds=9)
    return [a, b, c, lint("d", b, c)]


def test_graph_of_a_run_has_its_nodes_and_edges(api: Any, world: World) -> None:
    tasks = diamond()
    run = api.create_tasks(tasks)[0].run_id
    api.create_task(lint("other"))
    world.finish(tasks[0])
    graph = api.get_dependency_graph(run)
    by_id = {node["id"]: node["name"] for node in graph["nodes"]}
    assert [node["status"] for node in graph["nodes"]] == ["completed", "ready", "ready", "pending"]
    edges = sorted((by_id[edge["source"]], by_id[edge["target"]]) for edge in graph["edges"])
    assert edges == [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]
    assert json.loads(json.dumps(graph)) == graph


def test_graph_shows_what_a_run_needs_from_others(api: Any) -> None:
    outside = api.create_task(lint("outside"))
    inside = api.create_task(lint("inside", outside))
    graph = api.get_dependency_graph(inside.run_id)
    assert [node["name"] for node in graph["nodes"]] == ["inside", "outside"]
    assert graph["edges"] == [{"source": str(outside.id), "target": str(inside.id)}]


def test_graph_of_everything(api: Any) -> None:
    api.create_tasks(diamond())
    api.create_task(lint("other"))
    assert [node["name"] for node in api.get_dependency_graph()["nodes"]] == ["a", "b", "c", "d", "other"]


def test_graph_of_thousands(one: Any) -> None:
    tasks = [lint("0")]
    for n in range(1, 1000):
        tasks.append(lint(str(n), tasks[-1]))
    run = one.create_tasks(tasks)[0].run_id
    graph = one.get_dependency_graph(run)
    assert (len(graph["nodes"]), len(graph["edges"])) == (1000, 999)


def test_everything_has_a_limit(one: Any, settings: Any) -> None:
    one.create_tasks(lint(str(n)) for n in range(5))
    few = settings.model_copy(update={"max_graph": 4})
    with BlockingTaskAPI(settings=few) as api, pytest.raises(InvalidInputError, match="ask for one run"):
        api.get_dependency_graph()


def test_plan_has_waves_and_the_critical_path(api: Any) -> None:
    a, b, c, d = (str(task.id) for task in api.create_tasks(diamond()))
    plan = api.get_execution_plan([a, b, c, d])
    assert plan["waves"] == [[a], [b, c], [d]]
    assert (plan["critical_path"], plan["critical_path_seconds"]) == ([a, c, d], 11)


def test_plan_brings_what_is_open_and_leaves_out_what_is_over(api: Any, world: World) -> None:
    tasks = diamond()
    api.create_tasks(tasks)
    world.finish(tasks[0])
    names = {str(task.id): task.name for task in tasks}
    plan = api.get_execution_plan(tasks[3].id)
    assert [sorted(names[id] for id in wave) for wave in plan["waves"]] == [["b", "c"], ["d"]]


def test_events_tell_what_happened_without_gaps(api: Any, world: World) -> None:
    task = api.create_task(lint("a"))
    world.finish(task)
    events = api.get_events(task.run_id)
    told = [(event.sequence, event.what) for event in events]
    assert told == [(1, "created"), (2, "ready"), (3, "started"), (4, "completed"), (5, "run_finished")]
    assert [event.task_id for event in events] == [task.id] * 4 + [None]
    assert api.get_events(task.run_id, after=2, limit=2) == events[2:4]
    assert api.get_events(task.run_id, after=5) == []


def test_unknown_runs_and_tasks_are_not_found(api: Any) -> None:
    for call in (api.get_events, api.get_dependency_graph, api.get_execution_plan):
        with pytest.raises(NotFoundError):
            call(uuid4())


@pytest.mark.parametrize(("field", "value"), [("after", -1), ("limit", 0), ("limit", 10_001)])
def test_wrong_piece_of_history_is_refused(one: Any, field: str, value: int) -> None:
    with pytest.raises(InvalidInputError) as refused:
        one.get_events(uuid4(), **{field: value})
    assert refused.value.field == field
