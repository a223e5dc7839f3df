"""Runs through the clients: names, makers, counts, pages; and from what a person types to what is meant."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from taskengine import (
    AmbiguousIdError,
    BlockingTaskAPI,
    ConflictError,
    IdempotencyConflictError,
    InvalidInputError,
    NotFoundError,
    Run,
    Task,
    WaitTimeoutError,
)

from ..store.world import World


def lint(name: str = "a", **fields: Any) -> Task:
    return Task(**{"name": name, "capability": "lint", "created_by": "ann"} | fields)


def graph(api: Any, n: int = 2, name: str | None = None, **fields: Any) -> UUID:
    run: UUID = api.create_tasks([lint(f"t{i}", **fields) for i in range(n)], name=name)[0].run_id
    return run


def test_a_run_tells_its_name_its_maker_and_how_its_tasks_stand(api: Any, world: World) -> None:
    done, _, _, _ = api.create_tasks(
        [lint("done", created_by="zoe", priority="high"), lint("b"), lint("c", hold=True), lint("d", hold=True)],
        name="nightly",
    )
    world.finish(done)
    found = api.get_run(done.run_id)
    assert found == Run(
        id=done.run_id, name="nightly", created_by="zoe", created_at=found.created_at, total_tasks=4, open_tasks=3,
        counts={"completed": 1, "ready": 1, "pending": 2},
    )  # fmt: skip
    assert found.created_at >= api.get_task(done.id).created_at
    with pytest.raises(NotFoundError):
        api.get_run(uuid4())


def test_a_run_whose_tasks_are_over_is_finished_until_one_is_opened_again(api: Any, world: World) -> None:
    run = graph(api, name="nightly")
    world.finish(*api.list_tasks(run_id=run), disposition="failed")
    found = api.get_run(run)
    assert (found.open_tasks, found.counts, found.finished_at is None) == (0, {"failed": 2}, False)
    assert [one.id for one in api.list_runs(finished=True)] == [run]
    api.retry_tasks(run_id=run)
    assert api.get_run(run).finished_at is None
    assert [one.id for one in api.list_runs(finished=False)] == [run]


def test_a_run_is_awaited_until_its_last_task_is_over(api: Any, world: World) -> None:
    run = graph(api, 3)
    *others, first = api.list_tasks(run_id=run)
    world.finish(first)
    with ThreadPoolExecutor() as beside:
        waiting = beside.submit(api.wait_run, run, timeout=60)
        world.finish(*others, disposition="failed")
        found = waiting.result(60)
    assert (found, found.counts) == (api.get_run(run), {"completed": 1, "failed": 2})
    assert api.wait_run(run, timeout=0) == found


def test_a_run_that_does_not_end_in_time_says_how_many_tasks_are_open(api: Any, world: World) -> None:
    run = graph(api, 3)
    world.finish(api.list_tasks(run_id=run)[-1])
    with pytest.raises(WaitTimeoutError, match=f"2 of 3 tasks of run {run} did not end within 0.05 s") as late:
        api.wait_run(run, timeout=0.05)
    assert late.value.pending == (str(run),)
    with pytest.raises(NotFoundError):
        api.wait_run(uuid4(), timeout=1)


def test_runs_are_listed_newest_first_by_every_filter_and_lone_tasks_are_not(api: Any) -> None:
    nightly, other = graph(api, name="nightly"), graph(api, created_by="bob")
    lone = api.create_task(lint("lone"))
    again = graph(api, 1, name="nightly", created_by="bob")

    def ids(**filters: Any) -> set[UUID]:
        return {run.id for run in api.list_runs(**filters)}

    assert ids() == {nightly, other, again}
    assert ids(name="nightly") == {nightly, again}
    assert ids(created_by="bob") == {other, again}
    assert ids(name="nightly", created_by="ann", finished=False) == {nightly}
    assert ids(name="night") == ids(finished=True) == set()
    assert api.get_run(lone.run_id).model_dump(include={"name", "created_by", "total_tasks"}) == {
        "name": None, "created_by": "ann", "total_tasks": 1,
    }  # fmt: skip
    moments = [run.created_at for run in api.list_runs()]
    assert moments == sorted(moments, reverse=True)


def test_pages_of_runs_hold_everything_once(one: BlockingTaskAPI) -> None:
    made = {graph(one, name="x" if n % 2 else "y") for n in range(11)}
    for name, expected in ((None, 11), ("x", 5)):
        seen: list[UUID] = []
        cursor = None
        while True:
            page = one.list_runs(name=name, limit=2, cursor=cursor)
            seen += [run.id for run in page]
            cursor = page.cursor
            if cursor is None:
                break
            assert len(page) == 2
        assert len(seen) == len(set(seen)) == expected
        assert set(seen) <= made


def test_a_run_has_one_name_and_keeps_it(api: Any) -> None:
    run = graph(api)
    api.create_tasks([lint()], run_id=run, name="nightly")
    api.create_tasks([lint()], run_id=run, name="nightly")
    with pytest.raises(ConflictError, match="'nightly' and keeps that name"):
        api.create_tasks([lint()], run_id=run, name="daily")
    assert (api.get_run(run).name, api.get_run(run).total_tasks) == ("nightly", 4)


def test_a_graph_of_a_key_is_the_first_one_whatever_it_is_called_now(api: Any) -> None:
    tasks = [lint("a"), lint("b")]
    first = api.create_tasks(tasks, idempotency_key="k", name="nightly")
    assert api.create_tasks(tasks, idempotency_key="k", name="daily")[0].run_id == first[0].run_id
    assert [run.name for run in api.list_runs()] == ["nightly"]
    with pytest.raises(IdempotencyConflictError):
        api.create_tasks([lint("c")], idempotency_key="k", name="nightly")


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "x" * 501}, {"name": 5}, {"created_by": " "}, {"limit": 0}, {"limit": 1001},
     {"cursor": "5"}, {"cursor": "x.y"}, {"cursor": 7}],
)  # fmt: skip
def test_what_is_wrong_with_a_listing_is_named(one: BlockingTaskAPI, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError) as refused:
        one.list_runs(**wrong)
    assert refused.value.field == next(iter(wrong))
    if "name" in wrong:
        with pytest.raises(InvalidInputError, match="name"):
            one.create_tasks([lint()], name=wrong["name"])


def test_four_digits_of_an_id_are_enough_where_it_is_the_only_one(api: Any) -> None:
    first, second, third = (UUID(text + "0" * 24) for text in ("abcd1000", "abcd2000", "12345678"))
    api.create_tasks([lint("first", id=first), lint("second", id=second), lint("third", id=third)])
    assert api.find_task("1234") == third
    for typed in ("abcd1", "ABCD1", "abcd1000-", "abcd1000-0000", str(first), first.hex, first.hex[:31]):
        assert api.find_task(typed) == first
    with pytest.raises(AmbiguousIdError) as several:
        api.find_task("abcd")
    assert set(several.value.candidates) == {str(first), str(second)}
    for said in (f"{first} 'first' ready", f"{second} 'second' ready", "write more of it"):
        assert said in str(several.value)
    with pytest.raises(NotFoundError, match="no task whose id begins with abcd3"):
        api.find_task("abcd3")
    for wrong in ("abc", "", "wxyz", "abcd-e-", None, 1234):
        with pytest.raises((InvalidInputError, NotFoundError)):
            api.find_task(wrong)
    stranger = uuid4()
    with pytest.raises(InvalidInputError, match="too short a beginning of a UUID; write 4 or more of its digits"):
        api.find_task("f6")
    assert api.find_task(str(stranger)) == stranger


def test_a_run_is_found_by_its_name_or_by_a_beginning_of_its_id(api: Any, world: World) -> None:
    older, newer = graph(api, name="nightly"), graph(api, name="nightly")
    world.raw.zincrby(world.keys.fixed("graphs"), -60_000, str(older))
    other, lone = graph(api), api.create_task(lint("lone")).run_id
    assert api.find_run("nightly") == newer
    for run in (older, newer, other, lone):
        assert api.find_run(str(run)[:13]) == api.find_run(str(run)) == run
    with pytest.raises(NotFoundError, match="no run of the name 'weekly'"):
        api.find_run("weekly")
    named = graph(api, name=str(older)[:8])
    assert api.find_run(str(older)[:8]) == named
    alike = [UUID(f"abcd{n}000" + "0" * 24) for n in range(8)]
    for run in alike:
        api.create_tasks([lint(), lint()], run_id=run, name=f"n{run.hex[4]}")
    with pytest.raises(AmbiguousIdError, match=r"ids of several runs begin with abcd: .*, …; write") as found:
        api.find_run("abcd")
    assert set(found.value.candidates) < set(map(str, alike))
    assert api.find_run("abcd7") == alike[7]
