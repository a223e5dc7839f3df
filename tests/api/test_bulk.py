"""One call for many tasks: exactly those of the filter, in pieces, safe to repeat, and never everything by mistake."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from taskengine import BulkResult, InvalidInputError, Task

from ..store.world import World


def lint(name: str = "a", **fields: Any) -> Task:
    return Task(**{"name": name, "capability": "lint"} | fields)


@pytest.fixture
def many(api: Any) -> list[Task]:
    """300 tasks of one run, a third of them for another capability, and one of another run."""
    new = [lint(f"t{n}", capability="test" if n % 3 == 0 else "lint", metadata={"n": n % 2}) for n in range(300)]
    api.create_task(lint("other"))
    return list(api.create_tasks(new))


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"capability": "test"}, 100), ({"capability": "lint"}, 201), ({"metadata": {"n": 1}}, 150),
        ({"capability": "lint", "metadata": {"n": 1}}, 100), ({"status": "ready"}, 301), ({"priority": 5}, 0),
        ({"created_by": "nobody"}, 0), ({"task_type": "custom"}, 301),
    ],
)  # fmt: skip
def test_dry_run_counts_and_names_and_changes_nothing(
    api: Any, many: list[Task], filters: dict[str, Any], count: int
) -> None:
    found = api.cancel_tasks(dry_run=True, **filters)
    assert (found.matched, found.done, found.dry_run, len(found.ids)) == (count, count, True, min(count, 20))
    assert api.get_queue_statistics()["cancelled_tasks"] == 0


def test_run_is_cancelled_with_progress_and_again_does_nothing(api: Any, many: list[Task], world: World) -> None:
    seen: list[BulkResult] = []
    run = many[0].run_id
    done = api.cancel_tasks(run_id=run, reason="wrong branch", progress=seen.append)
    assert (done.matched, done.done, done.skipped) == (300, 300, {})
    assert seen[-1] == done
    assert [each.done for each in seen] == sorted(each.done for each in seen)
    assert len(seen) >= 3
    again = api.cancel_tasks(run_id=run)
    assert (again.matched, again.done, again.skipped) == (300, 0, {"cancelled": 300})
    assert api.get_task(many[5].id).reason == "wrong branch"
    assert api.get_queue_statistics()["ready_tasks"] == 1
    world.check()


def test_interrupted_call_goes_on_when_it_is_made_again(api: Any, many: list[Task]) -> None:
    def stop(so_far: BulkResult) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        api.cancel_tasks(capability="lint", progress=stop)
    done = api.cancel_tasks(capability="lint")
    # Over HTTP the server may be done before it hears that nobody waits any more.
    assert 0 < done.skipped["cancelled"] <= 201
    assert done.done + done.skipped["cancelled"] == 201


def test_pause_resume_hold_and_release(api: Any, many: list[Task], world: World) -> None:
    assert api.pause_tasks(capability="test", reason="look").done == 100
    assert api.get_queue_statistics()["paused_tasks"] == 100
    assert api.resume_tasks(status="paused").done == 100
    assert api.hold_tasks(capability="test").done == 100
    assert api.get_queue_statistics()["pending_tasks"] == 100
    assert api.release_tasks(capability="test").done == 100
    assert api.get_queue_statistics()["ready_tasks"] == 301
    world.check()


def test_reprioritised_tasks_start_next_in_their_order(api: Any, many: list[Task], world: World) -> None:
    done = api.update_tasks(5, run_id=many[0].run_id, metadata={"n": 1})
    assert done.done == 150
    assert api.update_tasks(5, run_id=many[0].run_id, metadata={"n": 1}).skipped == {"same": 150}
    assert {task.name for task in api.list_tasks(priority=5, limit=1000)} == {f"t{n}" for n in range(1, 300, 2)}
    assert [world.start(world.slot(f"s{n}")).name for n in range(3)] == ["t1", "t5", "t7"]
    world.check()


def test_retry_opens_what_failed_and_what_that_closed(api: Any, world: World) -> None:
    failed = [lint(f"f{n}") for n in range(3)]
    api.create_tasks([*failed, lint("after", depends_on={failed[0].id})])
    world.finish(*failed, disposition="failed")
    world.think()
    done = api.retry_tasks(capability="lint")
    assert (done.done, done.skipped) == (3, {"blocked": 1})
    world.think()
    assert api.get_queue_statistics()["open_tasks"] == 4
    world.check()


def test_delete_leaves_what_open_tasks_need(api: Any, world: World) -> None:
    a, b, c = lint("a"), lint("b"), lint("c")
    later = lint("later", depends_on={a.id}, hold=True)
    api.create_tasks([a, b, c, later])
    world.finish(a, b)
    world.finish(c, disposition="failed")
    done = api.delete_tasks(capability="lint")
    assert (done.matched, done.done, done.skipped) == (4, 2, {"waited": 1, "pending": 1})
    assert {task.name for task in api.list_tasks()} == {"a", "later"}
    world.check()


def test_graph_is_deleted_whole(api: Any, world: World) -> None:
    chain = [lint("t0")]
    for n in range(1, 200):
        chain.append(lint(f"t{n}", depends_on={chain[-1].id}))
    (run,) = {task.run_id for task in api.create_tasks(chain)}
    api.cancel_tasks(run_id=run)
    world.think()
    assert api.delete_tasks(run_id=run).done == 200
    assert api.list_tasks() == []


VERBS = ("cancel", "pause", "resume", "hold", "release", "retry", "delete")


@pytest.mark.parametrize("verb", VERBS)
def test_no_filter_is_refused_unless_everything_is_meant(one: Any, verb: str) -> None:
    one.create_task(lint())
    for nothing in ({}, {"status": None}, {"metadata": {}}):
        with pytest.raises(InvalidInputError) as refused:
            getattr(one, f"{verb}_tasks")(**nothing)
        assert refused.value.field == "everything"
    assert one.get_queue_statistics()["ready_tasks"] == 1
    assert getattr(one, f"{verb}_tasks")(everything=True).matched == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"nonsense": 1}, "nonsense"), ({"status": "odd"}, "status"), ({"capability": "two words"}, "capability"),
        ({"run_id": "7"}, "run_id"), ({"priority": 9}, "priority"), ({"metadata": 5}, "metadata"),
    ],
)  # fmt: skip
def test_wrong_filter_is_named_and_does_nothing(one: Any, wrong: dict[str, Any], field: str) -> None:
    one.create_task(lint())
    with pytest.raises(InvalidInputError) as refused:
        one.cancel_tasks(**wrong)
    assert refused.value.field == field
    assert one.get_queue_statistics()["ready_tasks"] == 1


def test_list_finds_by_run_and_capability(api: Any, many: list[Task]) -> None:
    assert len(api.list_tasks(run_id=many[0].run_id, limit=1000)) == 300
    assert [task.name for task in api.list_tasks(run_id=many[0].run_id, capability="test", limit=2)] == ["t297", "t294"]
    pinned = api.create_task(lint("pinned", capability="test", assigned_to="bot"))
    assert api.list_tasks(capability="test", limit=1)[0].id == pinned.id


def test_what_is_paused_takes_the_terms_of_another_pause(api: Any, many: list[Task], world: World) -> None:
    api.pause_tasks(capability="test", reason="first")
    assert api.pause_tasks(capability="test", reason="second", dry_run=True).done == 100
    done = api.pause_tasks(capability="test", reason="second")
    assert (done.done, done.skipped) == (100, {})
    assert "second" in world.fields("task", many[0].id)["pz"]
    world.check()


def test_resume_takes_back_a_pause_that_was_asked_of_what_runs(api: Any, many: list[Task], world: World) -> None:
    running = [UUID(world.start(world.slot(f"s{n}")).task_id) for n in range(2)]
    api.pause_task(running[0])
    for dry_run in (True, False):
        done = api.resume_tasks(capability="lint", dry_run=dry_run)
        assert (done.done, done.ids) == (1, (running[0],))
        assert done.skipped == {"ready": 199, "running": 1}
    assert not api.get_task(running[0]).pause_requested
    world.check()
