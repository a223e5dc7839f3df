"""A task that cannot meet its deadline is flagged before it is late, once, and told from one that can."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from taskengine.coordinator.duties import Deadlines
from taskengine.core.estimates import kind_of
from taskengine.models import Task
from taskengine.store import deadlines, estimates, history, tasks
from taskengine.store.records import index_names, record

from .bench import Bench, lint, until


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def look(bench: Bench) -> None:
    """Look at every deadline now, due or not."""
    key = bench.keys.fixed("deadlines")
    for id in bench.server.client.zrange(key, 0, -1):
        bench.server.client.zadd(key, {id: 1})
    bench.run_duty(Deadlines())


def is_flagged(bench: Bench, id: str) -> bool:
    task = bench.task(id)
    told = [e for e in bench.run(history.events(bench.keys, str(task.run_id), 0, 1000)) if e.what == "deadline_at_risk"]
    flags = [e for e in told if str(e.task_id) == id]
    assert len(flags) <= 1
    assert bool(flags) == (task.deadline_at_risk_since is not None)
    return bool(flags)


@pytest.fixture
def taught(bench: Bench) -> Bench:
    """Tasks called long take a minute, others of the queue a second."""
    bench.run(estimates.update_estimates({"lint": 1.0, kind_of("lint", "long 1"): 60.0}))
    return bench


def test_task_that_takes_longer_than_is_left_is_flagged_before_it_is_late(taught: Bench) -> None:
    tight, loose = taught.submit(lint("long 7", deadline=soon(50)), lint("long 8", deadline=soon(70)))
    look(taught)
    assert (is_flagged(taught, tight), is_flagged(taught, loose)) == (True, False)
    late = next(e for e in taught.run(history.events(taught.keys, str(taught.task(tight).run_id), 0, 99))
                if e.what == "deadline_at_risk")  # fmt: skip
    assert 8_000 < int(late.note) < 13_000


def test_what_it_waits_for_counts(taught: Bench) -> None:
    first = lint("long 1")
    second = lint("short", first, deadline=soon(50))
    third = lint("short", first, deadline=soon(70))
    ids = taught.submit(first, second, third)
    look(taught)
    assert [is_flagged(taught, id) for id in ids] == [False, True, False]


def test_what_its_client_said_wins(taught: Bench) -> None:
    quick, slow = taught.submit(
        lint("long 1", deadline=soon(30), estimated_seconds=5), lint("x", deadline=soon(30), estimated_seconds=90)
    )
    look(taught)
    assert (is_flagged(taught, quick), is_flagged(taught, slow)) == (False, True)


def test_place_in_the_queue_counts(taught: Bench) -> None:
    taught.node(slots=1)
    ids = taught.submit(*(lint(f"t{n}", deadline=soon(30)) for n in range(60)))
    look(taught)
    flagged = [is_flagged(taught, id) for id in ids]
    assert 10 < flagged.count(True) < 50
    assert sorted(flagged) == flagged


def test_task_that_nobody_knows_is_not_flagged_out_of_ignorance(bench: Bench) -> None:
    (id,) = bench.submit(lint("new", deadline=soon(3)))
    with bench.coordinated():
        until(lambda: bench.task(id).deadline_at_risk_since is not None, what="flagged when it is late")
    since = bench.task(id).deadline_at_risk_since
    deadline = bench.task(id).deadline
    assert since is not None
    assert deadline is not None
    assert -1 <= (since - deadline).total_seconds() < 30


def test_looks_are_few_and_end_with_the_task(taught: Bench) -> None:
    node = taught.node()
    taught.submit(lint("short", deadline=soon(3600)))
    key = taught.keys.fixed("deadlines")
    taught.run_duty(Deadlines())
    [(_, at)] = taught.server.client.zrange(key, 0, -1, withscores=True)
    assert 1500 < at / 1000 - datetime.now(UTC).timestamp() < 1800
    node.work()
    look(taught)
    assert taught.server.client.zcard(key) == 0


def test_new_deadline_is_judged_anew(taught: Bench) -> None:
    (id,) = taught.submit(lint("long 1", deadline=soon(30)))
    look(taught)
    assert is_flagged(taught, id)
    change_deadline(taught, id, soon(300))
    assert taught.task(id).deadline_at_risk_since is None
    look(taught)
    assert taught.task(id).deadline_at_risk_since is None
    change_deadline(taught, id, None)
    assert taught.server.client.zcard(taught.keys.fixed("deadlines")) == 0


def change_deadline(bench: Bench, id: str, deadline: datetime | None) -> None:
    before = bench.task(id)
    new = record(before.model_copy(update={"deadline": deadline}), 60.0)
    rev = bench.run(tasks.fields(bench.keys, id, "rev"))["rev"] or "0"
    change = {"before_first_run": False, "edges": tasks.EdgeChange()}
    assert bench.run(tasks.update(id, rev, new, int(new.row["score"]), index_names(before), **change)).ok


def test_finding_about_an_older_deadline_changes_nothing(taught: Bench) -> None:
    (id,) = taught.submit(lint("long 1", deadline=soon(30)))
    [weight] = taught.run(deadlines.read_weights([id]))
    assert weight is not None
    old = deadlines.Finding(id, (weight.deadline or 0) - 5, "risk", 1)
    assert taught.run(deadlines.note(taught.elect(), [old])).number() == 0
    assert not is_flagged(taught, id)


def test_task_without_a_deadline_is_not_looked_at(taught: Bench) -> None:
    taught.submit(lint("long 1"), Task(name="x", capability="other"))
    assert not taught.server.client.exists(taught.keys.fixed("deadlines"))


def test_many_deadlines_are_looked_at_in_one_turn(taught: Bench) -> None:
    ids = taught.submit(*(lint("long 1", deadline=soon(30)) for _ in range(500)))
    look(taught)
    assert all(taught.task(id).deadline_at_risk_since for id in ids)
