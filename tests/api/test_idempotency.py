"""The same id or key and the same content mean the first one's record; other content is refused."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from taskengine import (
    BlockingTaskAPI,
    IdempotencyConflictError,
    InvalidInputError,
    NotFoundError,
    Task,
    TaskCreateRequest,
)

from ..coordinator.bench import until
from ..store.world import World


def keyed(key: str = "k", **fields: Any) -> Task:
    return Task(**{"name": "a", "capability": "lint", "idempotency_key": key} | fields)


def test_same_id_and_content_is_the_first_ones_record(api: Any, world: World) -> None:
    task = Task(name="a", capability="lint")
    first = api.create_task(task)
    world.finish(task)
    for again in (api.create_task(task), api.create_tasks([task])[0]):
        assert (again.id, again.run_id, again.status) == (first.id, first.run_id, "completed")
    assert world.counts() == {"completed": 1}


def test_answer_of_a_submit_may_be_submitted_again(api: Any, world: World) -> None:
    (task,) = api.create_tasks([Task(name="a")])
    assert api.create_task(task).id == task.id
    assert world.counts() == {"ready": 1}


def test_same_id_with_other_content_is_refused(api: Any) -> None:
    task = Task(name="a")
    api.create_task(task)
    other = Task(id=task.id, name="b")
    for submit in (lambda: api.create_task(other), lambda: api.create_tasks([Task(name="x"), other])):
        with pytest.raises(IdempotencyConflictError) as refused:
            submit()
        assert (refused.value.field, refused.value.existing_id) == ("id", str(task.id))
        assert str(task.id) in str(refused.value)


def test_same_key_and_content_is_the_first_ones_record(api: Any, world: World) -> None:
    first = api.create_task(keyed())
    assert api.create_task(keyed()).id == first.id
    assert [task.id for task in api.create_tasks([Task(name="x"), keyed()])][1] == first.id
    assert world.counts() == {"ready": 2}


def test_same_key_with_other_content_names_key_and_task(api: Any) -> None:
    first = api.create_task(keyed("nightly"))
    other = keyed("nightly", input={"x": 1})
    for submit in (lambda: api.create_task(other), lambda: api.create_tasks([Task(name="x"), other])):
        with pytest.raises(IdempotencyConflictError, match="'nightly'") as refused:
            submit()
        assert (refused.value.field, refused.value.existing_id) == ("idempotency_key", str(first.id))
    assert len(api.list_tasks()) == 1


def build() -> list[Task]:
    """A graph as a script builds it anew at every start."""
    a = keyed("a", name="a")
    b = keyed("b", name="b", depends_on={a.id})
    return [b, a, keyed("c", name="c", depends_on={a.id, b.id})]


def test_graph_built_again_under_the_same_keys_is_the_first_one(api: Any, world: World) -> None:
    first = api.create_tasks(build())
    again = api.create_tasks(build())
    assert [task.id for task in again] == [task.id for task in first]
    assert {task.run_id for task in again} == {first[0].run_id}
    assert world.counts() == {"pending": 2, "ready": 1}


def test_graph_that_grew_depends_on_the_first_ones_tasks(api: Any) -> None:
    first = {task.name: task.id for task in api.create_tasks(build())}
    grown = build()
    grown.append(Task(name="d", depends_on={grown[1].id}))
    stored = api.create_tasks(grown)
    assert api.get_task(stored[-1].id).depends_on == {first["a"]}


def test_update_does_not_change_what_a_resubmit_means(api: Any) -> None:
    task = Task(name="a")
    api.create_task(task)
    api.update_task(task.id, priority=5, description="urgent now")
    again = api.create_task(task)
    assert (again.id, again.priority, again.description) == (task.id, 5, "urgent now")


def test_added_dependency_does_not_change_what_a_resubmit_means(api: Any) -> None:
    a, b = Task(name="a"), Task(name="b")
    api.create_tasks([a, b])
    api.add_dependency(b.id, a.id)
    assert api.create_task(b).depends_on == {a.id}


def test_two_tasks_of_one_call_need_ids_and_keys_of_their_own(api: Any) -> None:
    task = Task(name="a")
    with pytest.raises(InvalidInputError, match=r"tasks\[0\] and tasks\[1\]") as refused:
        api.create_tasks([task, task])
    assert refused.value.field == "id"
    with pytest.raises(InvalidInputError) as refused:
        api.create_tasks([keyed(), keyed()])
    assert refused.value.field == "idempotency_key"


def together(work: list[Any]) -> list[Any]:
    """Results of calls made at the same moment."""
    gate, found = threading.Barrier(len(work)), [None] * len(work)

    def run(at: int) -> None:
        gate.wait()
        found[at] = work[at]()

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_fifty_at_once_are_one_task(one: BlockingTaskAPI, world: World) -> None:
    stored = together([lambda: one.create_task(keyed())] * 50)
    assert len({task.id for task in stored}) == 1
    assert world.counts() == {"ready": 1}


def test_one_graph_submitted_by_many_at_once_is_one_graph(one: BlockingTaskAPI, world: World) -> None:
    stored = together([lambda: one.create_tasks(build())] * 6)
    assert len({tuple(task.id for task in graph) for graph in stored}) == 1
    assert world.counts() == {"pending": 2, "ready": 1}


def test_keys_of_others_are_not_content(api: Any) -> None:
    first = api.create_task(Task(id=uuid4(), name="a"))
    second = api.create_task(Task(id=first.id, name="a", idempotency_key="later"))
    assert second.id == first.id


def test_a_repeat_whose_deadline_passed_since_is_still_the_first_ones_record(api: Any) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=2)
    by_id, by_key = Task(name="a", deadline=soon), keyed(deadline=soon)
    stored = [api.create_task(by_id), api.create_task(by_key)]
    until(lambda: datetime.now(UTC) > soon + timedelta(seconds=0.1))
    assert [api.create_task(by_id).id, api.create_task(keyed(deadline=soon)).id] == [task.id for task in stored]
    assert [task.id for task in api.create_tasks([by_id, keyed(deadline=soon)])] == [task.id for task in stored]
    with pytest.raises(InvalidInputError, match="deadline"):
        api.create_tasks([by_id, Task(name="new", deadline=soon)])


def plain(*names: str) -> list[Task]:
    """A chain without keys of its own, built anew with new ids."""
    chain: list[Task] = []
    for name in names:
        chain.append(Task(name=name, capability="lint", depends_on={chain[-1].id} if chain else set()))
    return chain


def test_graph_under_a_key_of_its_own_is_the_first_one_when_it_is_built_again(api: Any, world: World) -> None:
    first = api.create_tasks(plain("a", "b", "c"), idempotency_key="nightly")
    again = api.create_tasks(plain("a", "b", "c"), idempotency_key="nightly")
    assert [(task.id, task.name, task.depends_on) for task in again] == [
        (task.id, task.name, task.depends_on) for task in first
    ]
    assert {task.run_id for task in again} == {first[0].run_id}
    assert world.counts() == {"ready": 1, "pending": 2}
    assert [task.id for task in api.create_tasks(first, idempotency_key="nightly")] == [task.id for task in first]


def test_answer_of_a_named_graph_tells_how_its_tasks_stand_now(api: Any, world: World) -> None:
    (first,) = api.create_tasks(plain("a"), idempotency_key="nightly")
    world.finish(first)
    (again,) = api.create_tasks(plain("a"), idempotency_key="nightly")
    assert (again.id, again.status) == (first.id, "completed")


@pytest.mark.parametrize("other", [["a"], ["a", "b", "c"], ["b", "a"], ["a", "x"]])
def test_another_graph_under_the_same_key_is_refused_and_names_the_run(
    api: Any, world: World, other: list[str]
) -> None:
    first = api.create_tasks(plain("a", "b"), idempotency_key="nightly")
    before = world.dump()
    with pytest.raises(IdempotencyConflictError, match="'nightly' already names run") as refused:
        api.create_tasks(plain(*other), idempotency_key="nightly")
    assert (refused.value.field, refused.value.existing_id) == ("idempotency_key", str(first[0].run_id))
    assert world.dump() == before


def test_edges_are_content_of_a_named_graph(api: Any) -> None:
    api.create_tasks(plain("a", "b"), idempotency_key="nightly")
    with pytest.raises(IdempotencyConflictError):
        api.create_tasks([*plain("a"), *plain("b")], idempotency_key="nightly")
    outside = api.create_task(Task(name="o"))
    api.create_tasks([Task(name="a", depends_on={outside.id})], idempotency_key="outside")
    api.create_tasks([Task(name="a", depends_on={outside.id})], idempotency_key="outside")
    with pytest.raises(IdempotencyConflictError):
        api.create_tasks([Task(name="a", depends_on={api.create_task(Task(name="p")).id})], idempotency_key="outside")


def test_key_of_a_graph_and_key_of_a_task_are_two(api: Any) -> None:
    (first,) = api.create_tasks(plain("a"), idempotency_key="k")
    assert api.create_task(keyed("k", name="a")).id != first.id


def test_graph_added_to_a_run_may_have_a_key(api: Any) -> None:
    (first,) = api.create_tasks(plain("a"))
    (second,) = api.create_tasks(plain("b"), run_id=first.run_id, idempotency_key="more")
    assert second.run_id == first.run_id
    (again,) = api.create_tasks(plain("b"), run_id=first.run_id, idempotency_key="more")
    assert again.id == second.id


def test_keyed_tasks_of_a_named_graph_are_found_under_their_older_ids(api: Any) -> None:
    older = api.create_task(keyed("k", name="a"))
    first = api.create_tasks([keyed("k", name="a"), Task(name="x")], idempotency_key="g")
    again = api.create_tasks([keyed("k", name="a"), Task(name="x")], idempotency_key="g")
    assert [task.id for task in again] == [task.id for task in first]
    assert again[0].id == older.id


def test_a_wide_named_graph_is_answered_whole_and_in_order(one: BlockingTaskAPI, world: World) -> None:
    wide = [Task(name=f"t{n}", capability="lint") for n in range(2500)]
    first = one.create_tasks(wide, idempotency_key="wide")
    again = one.create_tasks([Task(name=f"t{n}", capability="lint") for n in range(2500)], idempotency_key="wide")
    assert [task.id for task in again] == [task.id for task in first] == [task.id for task in wide]


def test_one_named_graph_submitted_by_many_at_once_is_one_graph(one: BlockingTaskAPI, world: World) -> None:
    stored = together([lambda: one.create_tasks(plain("a", "b"), idempotency_key="nightly")] * 6)
    assert len({tuple(task.id for task in graph) for graph in stored}) == 1
    assert world.counts() == {"pending": 1, "ready": 1}


def test_a_named_graph_whose_task_was_deleted_says_so(api: Any, world: World) -> None:
    (first,) = api.create_tasks(plain("a"), idempotency_key="nightly")
    world.finish(first)
    assert api.delete_task(first.id)
    with pytest.raises(NotFoundError, match=str(first.id)):
        api.create_tasks(plain("a"), idempotency_key="nightly")


@pytest.mark.parametrize("key", ["", "x" * 513, "ü" * 257, 5, "\udce9"])
def test_a_key_that_is_none_is_refused_by_name(api: Any, world: World, key: Any) -> None:
    for submit in (
        lambda: api.create_tasks(plain("a"), idempotency_key=key),
        lambda: api.create_task(Task(name="a", idempotency_key=key)),
        lambda: api.create_task(TaskCreateRequest(name="a", idempotency_key=key)),
    ):
        with pytest.raises(InvalidInputError) as refused:
            submit()
        assert refused.value.field == "idempotency_key"
    assert world.counts() == {}


@pytest.mark.parametrize("key", ["x" * 512, "ü" * 256])
def test_a_key_of_512_bytes_is_one(api: Any, key: str) -> None:
    assert api.create_task(keyed(key)).id == api.create_task(keyed(key)).id
    first = api.create_tasks(plain("a"), idempotency_key=key)
    assert api.create_tasks(plain("a"), idempotency_key=key)[0].id == first[0].id
