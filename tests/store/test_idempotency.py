"""The same submit twice is one task, however it is sent."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from taskengine.errors import ConflictError, IdempotencyConflictError
from taskengine.models import Task
from taskengine.settings import Settings
from taskengine.store import coordination, executions, graphs, retention, tasks
from taskengine.store.aio import AsyncStore
from taskengine.store.codec import digest
from taskengine.store.idempotency import owners
from taskengine.store.records import graph_digest, index_names
from taskengine.store.sync import SyncStore

from .world import ENVELOPE, World


def test_same_id_and_content_is_the_first_one(world: World) -> None:
    task = world.new("a", input={"x": 1})
    before = world.dump()
    assert world.create(task).word == "exists"
    assert world.dump() == before


def test_same_id_with_other_content_is_a_conflict(world: World) -> None:
    task = world.new("a")
    before = world.dump()
    answer = world.create(world.task("b", id=task.id))
    assert (answer.word, answer.text(0), answer.text(1)) == ("conflict", "id", str(task.id))
    assert world.dump() == before


def test_same_key_and_content_names_the_first_one(world: World) -> None:
    first = world.new("a", idempotency_key="k")
    before = world.dump()
    answer = world.create(world.task("a", idempotency_key="k"))
    assert (answer.word, answer.text()) == ("exists", str(first.id))
    assert world.dump() == before
    assert world.run(owners(world.keys, ["k", "other"])) == {"k": str(first.id)}


def test_same_key_with_other_content_is_a_conflict(world: World) -> None:
    first = world.new("a", idempotency_key="k")
    answer = world.create(world.task("b", idempotency_key="k"))
    assert (answer.word, answer.text(0), answer.text(1)) == ("conflict", "idempotency_key", str(first.id))


def test_repeated_submit_is_the_first_one_also_after_it_ended(world: World) -> None:
    task = world.new("a", idempotency_key="k")
    world.finish(task)
    assert world.create(world.task("a", idempotency_key="k")).text() == str(task.id)
    assert world.counts() == {"completed": 1}


@pytest.mark.parametrize("how", ["alone", "graph"])
def test_repeated_submit_leaves_a_large_input_where_it_is(world: World, how: str) -> None:
    """It lies for an hour until a task takes it over; the second submit takes nothing over."""
    task = world.task("a", input={"text": "x" * 300_000})
    for _ in range(2):
        world.create(task) if how == "alone" else world.submit(task)
        name = world.fields("task", task.id)["big"]
        assert world.raw.ttl(world.keys.of("payload", name)) == -1


def test_large_input_of_a_submit_that_died_goes_after_its_hour(world: World) -> None:
    name, text = world.record(world.task("a", input={"text": "x" * 300_000})).payload
    for _ in range(2):
        world.run(executions.put_payload(name, text))
        assert 3590 < world.raw.ttl(world.keys.of("payload", name)) <= 3600
    assert world.run(executions.payload(world.keys, name)) == text


def test_graph_that_names_a_key_again_depends_on_the_older_twin(world: World) -> None:
    twin = world.new("twin", idempotency_key="k")
    again = world.task("twin", idempotency_key="k")
    filler = [world.task(f"f{n}") for n in range(graphs.CHUNK)]
    same_chunk, later = world.task("same chunk", again), world.task("later chunk", again)
    records = [world.record(t) for t in (again, same_chunk, *filler, later)]
    stored = world.run(graphs.submit(str(uuid4()), records))
    assert stored[0] == str(twin.id)
    assert world.status(again.id) == ""
    assert [world.read(t.id).depends_on for t in (same_chunk, later)] == [{twin.id}] * 2
    world.finish(twin)
    assert world.statuses([same_chunk.id, later.id]) == ["ready"] * 2


def test_two_twins_in_one_graph_are_one_task(world: World) -> None:
    first, second = world.task("a", idempotency_key="k"), world.task("a", idempotency_key="k")
    last = world.task("last", first, second)
    stored = world.run(graphs.submit(str(uuid4()), [world.record(t) for t in (first, second, last)]))
    assert stored == [str(first.id), str(first.id), str(last.id)]
    world.finish(first)
    assert world.status(last.id) == "ready"


def test_key_of_an_uncommitted_graph_is_nobodys_yet(world: World) -> None:
    batch = world.staged(world.task("a", idempotency_key="k"))
    assert world.run(owners(world.keys, ["k"])) == {}
    new = world.task("other", idempotency_key="k")
    assert world.create(new).word == "ok"
    assert world.run(graphs.commit(batch)).word == "conflict"
    assert world.run(owners(world.keys, ["k"])) == {"k": str(new.id)}


def test_deleted_task_frees_its_key(world: World) -> None:
    task = world.new("a", idempotency_key="k")
    world.run(tasks.cancel(str(task.id), "no"))
    assert world.run(tasks.delete(str(task.id), "t:custom\np:2\nb:ann", world.since())).ok
    assert world.create(world.task("b", idempotency_key="k")).word == "ok"


def copies(world: World) -> list[Task]:
    return [world.task("a", idempotency_key="k") for _ in range(50)]


def test_fifty_submits_at_once_from_threads_make_one_task(real: World) -> None:
    store = SyncStore(getattr(real.store, "where"), Settings(namespace="te"), ENVELOPE)  # noqa: B009
    records = [real.record(task) for task in copies(real)]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda new: store.run(tasks.create(str(uuid4()), new)), records))
    store.close()
    assert sorted(answer.word for answer in found) == ["exists"] * 49 + ["ok"]
    assert len({answer.text() for answer in found}) == 1
    assert real.counts() == {"ready": 1}


def test_fifty_submits_at_once_on_one_loop_make_one_task(real: World, loop: asyncio.AbstractEventLoop) -> None:
    store = AsyncStore(getattr(real.store, "where"), Settings(namespace="te"), ENVELOPE)  # noqa: B009

    async def all_at_once() -> set[str]:
        records = [real.record(task) for task in copies(real)]
        found = await asyncio.gather(*(store.run(tasks.create(str(uuid4()), new)) for new in records))
        await store.close()
        return {answer.text() for answer in found}

    assert len(loop.run_until_complete(all_at_once())) == 1
    assert real.counts() == {"ready": 1}


def test_graphs_with_the_same_ids_at_once_make_one_graph(real: World) -> None:
    """Each takes the other's ids over or is refused: whoever commits has all of it."""
    a = [real.task(f"t{n}") for n in range(300)]
    records = [real.record(task) for task in a]
    where = getattr(real.store, "where")  # noqa: B009

    def submit(_: int) -> str:
        store = SyncStore(where, Settings(namespace="te"), ENVELOPE)
        try:
            store.run(graphs.submit(str(uuid4()), records))
        except Exception as exc:
            return type(exc).__name__
        finally:
            store.close()
        return "ok"

    with ThreadPoolExecutor(4) as pool:
        words = set(pool.map(submit, range(4)))
    assert words <= {"ok", "ConflictError"}
    if "ok" in words:
        assert real.counts() == {"ready": 300}
    else:
        assert real.counts() == {}
    real.elect()
    assert real.run(coordination.abandoned(real.keys, 0)) == []


def test_conflict_inside_a_graph_names_the_field(world: World) -> None:
    world.new("a", idempotency_key="k")
    with pytest.raises(IdempotencyConflictError) as refused:
        world.submit(world.task("b", idempotency_key="k"))
    assert refused.value.field == "idempotency_key"


def hour(world: World, seconds: float = 3600) -> World:
    """The same namespace for a client whose keys count *seconds*."""
    settings = world.store.settings.model_copy(update={"idempotency_seconds": seconds})
    return World(world.other(settings), world.raw, world.other)


def gone(world: World, kind: str, key: str) -> bool:
    """Let the time of a key be over."""
    name = world.keys.of(kind, digest(key))
    world.raw.pexpire(name, 1)
    deadline = time.monotonic() + 5
    while world.raw.exists(name):
        assert time.monotonic() < deadline
        time.sleep(0.001)
    return True


def test_keys_count_as_long_as_their_task_unless_the_settings_say_otherwise(world: World) -> None:
    world.new("a", idempotency_key="k")
    assert world.raw.ttl(world.keys.of("idem", digest("k"))) == -1
    hour(world).new("b", idempotency_key="l")
    assert 3590 < world.raw.ttl(world.keys.of("idem", digest("l"))) <= 3600


def test_a_key_whose_time_is_over_names_the_next_task(world: World) -> None:
    short = hour(world)
    first = short.new("a", idempotency_key="k")
    assert short.create(short.task("a", idempotency_key="k")).text() == str(first.id)
    assert gone(world, "idem", "k")
    world.raw.hset(world.keys.of("task", first.id), "kx", 1)
    second = short.new("b", idempotency_key="k")  # other content: it is nobody's
    world.check()
    assert short.create(short.task("b", idempotency_key="k")).text() == str(second.id)
    assert first.id != second.id
    world.finish(first)
    assert world.run(tasks.delete(str(first.id), index_names(first), world.since())).ok
    assert short.create(short.task("b", idempotency_key="k")).text() == str(second.id)


def named(world: World, *new: Task, key: str = "g", run: str = "") -> str:
    run = run or str(uuid4())
    name = graphs.Name(digest(key), graph_digest(new), [str(task.id) for task in new])
    world.run(graphs.submit(run, [world.record(task) for task in new], name))
    return run


def test_name_of_a_graph_is_free_again_when_its_run_is_pruned(world: World) -> None:
    run = named(world, world.task("a"))
    found = world.run(graphs.named(digest("g")))
    assert found is not None
    assert found.run_id == run
    world.finish(*(world.read(id) for id in found.ids))
    world.elect()
    for now in world.run(retention.expired(world.keys, -1)):
        assert world.run(retention.prune_range(world.term, now))[0] == "ok"
    assert world.run(graphs.named(digest("g"))) is None
    assert not {name for name in world.key_names() if name.split(":")[1] in ("graph", "order", "named")}
    assert named(world, world.task("b")) != run


def test_a_name_whose_time_is_over_is_not_taken_from_the_next_graph(world: World) -> None:
    short = hour(world)
    task = world.task("a")
    named(short, task)
    assert 3590 < world.raw.ttl(world.keys.of("graph", digest("g"))) <= 3600
    assert gone(world, "graph", "g")
    second = named(short, world.task("b"))
    world.finish(task)
    world.elect()
    (now,) = world.run(retention.expired(world.keys, -1))
    assert world.run(retention.prune_range(world.term, now))[0] == "ok"
    found = world.run(graphs.named(digest("g")))
    assert found is not None
    assert found.run_id == second


def test_a_run_with_very_many_names_is_pruned_in_pieces(real: World) -> None:
    run = named(real, real.task("a"))
    for n in range(150):
        named(real, real.task("a"), key=f"g{n}", run=run)
    while real.counts().get("ready"):
        real.report(real.start())
    real.elect()
    for _ in range(3):
        (now,) = real.run(retention.expired(real.keys, -1))
        while not now.over:
            _, now = real.run(retention.prune_range(real.term, now))
        real.check()
    assert real.run(retention.expired(real.keys, -1)) == []
    assert not {name for name in real.key_names() if name.split(":")[1] in ("graph", "order", "named", "run")}


def test_the_second_of_two_commits_under_one_name_leaves_nothing(world: World) -> None:
    """Both looked the name up before either had it."""
    first = named(world, world.task("a"))
    before = world.dump()
    with pytest.raises(ConflictError):
        named(world, world.task("a"))
    after = world.dump()
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert {name.split(":")[1] for name in changed} <= {"arrivals", "order", "ids", "codes"}
    found = world.run(graphs.named(digest("g")))
    assert found is not None
    assert found.run_id == first
