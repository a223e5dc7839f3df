"""Laws of thinking: what a failure closes, a reopening opens, and what happens to a question with no answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from taskengine import Workflow, WorkflowStep
from taskengine.api.context import OperationContext
from taskengine.api.operations.workflow_start import Order, start_workflow
from taskengine.coordinator import HookedStore, poison_tracking
from taskengine.coordinator.duties import Decisions, Releases
from taskengine.coordinator.poison_tracking import MOST_ENDS, MOST_RAISES
from taskengine.core.instructions import CloseTask
from taskengine.errors import StoreError, StoreUnavailableError
from taskengine.models import Task, TaskStatus
from taskengine.store import coordination, decisions, tasks
from taskengine.store.call import Call
from taskengine.store.codec import loads

from .bench import Bench, lint, until


def tree() -> list[Task]:
    """a -> b -> d, a -> c -> d, and e alone."""
    a = lint("a")
    b, c = lint("b", a), lint("c", a)
    return [a, b, c, lint("d", b, c), lint("e")]


def of(bench: Bench, ids: list[str]) -> dict[str, tuple[str, str | None, UUID | None]]:
    found = [bench.task(id) for id in ids]
    return {task.name: (task.status.value, task.reason, task.closed_by) for task in found}


def test_a_decision_is_heard_while_a_grant_is_put_off(bench: Bench) -> None:
    wake, listened = bench.keys.fixed("wake"), []

    def hint(call: Call[Any]) -> None:
        if call.name == "XREAD":
            listened.append("both" if wake in call.args else "decisions")
            bench.server.client.xadd(wake, {"q": "lint"})  # so a grant is due within ten milliseconds, always

    bench.submit(*tree())
    bench.node().work({"a": "failed"})
    with bench.coordinated("c1", HookedStore(bench.new_store(), before=hint)):
        until(lambda: bench.fleet.counts.get("cancelled") == 3)
        until(lambda: "decisions" in listened)


def test_a_map_of_more_pieces_than_a_turn_puts_is_put_without_a_pause(bench: Bench) -> None:
    item = WorkflowStep(name="x", task_template={"capability": "lint"})
    each = WorkflowStep(kind="map", name="each", items=list(range(1280)), steps=[item])
    context = OperationContext(bench.keys, bench.settings, time.monotonic)
    bench.store.run(start_workflow(context, Order(Workflow(name="w", steps=[each]))))
    duty, pauses = Decisions(), []
    turn = bench.run_duty(duty)
    while bench.fleet.counts.get("ready", 0) < 1280:
        pauses.append(duty.run_once(turn))
        assert len(pauses) < 10
    assert len(pauses) > 1
    assert set(pauses[:-1]) == {0.0}


def test_a_failure_closes_the_whole_subtree_and_each_names_its_culprit(bench: Bench) -> None:
    graph = tree()
    ids = bench.submit(*graph)
    bench.node().work({"a": "failed"})
    with bench.coordinated():
        until(lambda: bench.fleet.counts.get("cancelled") == 3)
        until(lambda: bench.fleet.decisions == 0)
    found = of(bench, ids)
    a, b, c, _, _ = (task.id for task in graph)
    assert found.pop("d") in {
        ("cancelled", "dependency b could not start because of a failure", b),
        ("cancelled", "dependency c could not start because of a failure", c),
    }
    assert found == {
        "a": ("failed", None, None),
        "b": ("cancelled", "dependency a failed", a),
        "c": ("cancelled", "dependency a failed", a),
        "e": ("completed", None, None),
    }


def test_a_cancelled_task_closes_its_dependents(bench: Bench) -> None:
    a = lint("a", hold=True)
    ids = bench.submit(a, lint("b", a))
    bench.run(tasks.cancel(ids[0], "not wanted"))
    bench.run_duty(Decisions())
    assert of(bench, ids) == {
        "a": ("cancelled", "not wanted", None),
        "b": ("cancelled", "dependency a was cancelled", a.id),
    }


def test_reopening_the_culprit_reopens_what_it_closed_and_all_of_it_completes(bench: Bench) -> None:
    ids = bench.submit(*tree())
    node = bench.node()
    node.work({"a": "failed"})
    with bench.coordinated():
        until(lambda: bench.fleet.counts.get("cancelled") == 3)
        assert bench.run(tasks.reopen(ids[0])).ok
        until(lambda: node.work() is not None and set(bench.statuses(ids)) == {"completed"})
    assert of(bench, ids) == dict.fromkeys("abcde", ("completed", None, None))


def test_reopening_one_of_two_culprits_opens_nothing_that_the_other_still_closes(bench: Bench) -> None:
    a, b = lint("a"), lint("b")
    ids = bench.submit(a, b, lint("c", a, b))
    bench.node().work({"a": "failed", "b": "failed"})
    bench.run_duty(Decisions())
    closer = str(bench.task(ids[2]).closed_by)
    other = next(id for id in ids[:2] if id != closer)
    for opened in (closer, other):
        assert bench.statuses(ids[2:]) == ["cancelled"]
        bench.run(tasks.reopen(opened))
        bench.run_duty(Decisions())
    assert bench.statuses(ids[2:]) == ["pending"]
    bench.node().work()
    assert bench.statuses(ids) == ["completed"] * 3


def test_a_graph_on_a_task_that_already_failed_is_closed_at_commit(bench: Bench) -> None:
    a = lint("a")
    bench.create(a)
    bench.node().work({"a": "failed"})
    with bench.coordinated():
        b = lint("b", a)
        ids = bench.submit(b, lint("c", b))
        bench.until_status(ids, TaskStatus.CANCELLED)
    assert of(bench, ids) == {
        "b": ("cancelled", "dependency a failed", a.id),
        "c": ("cancelled", "dependency b could not start because of a failure", b.id),
    }


def test_the_culprit_is_found_behind_hundreds_of_good_dependencies(bench: Bench) -> None:
    many = sorted((lint(f"p{i}") for i in range(700)), key=lambda task: str(task.id))
    bench.submit(*many)
    bench.node().work({many[-1].name: "failed"})
    last = bench.create(lint("last", *many))
    bench.run_duty(Decisions())
    assert of(bench, [last]) == {
        "last": ("cancelled", f"dependency {many[-1].name} failed", many[-1].id)
    }


def test_a_fan_wider_than_a_script_is_closed_to_the_last(bench: Bench) -> None:
    a = lint("a")
    ids = bench.submit(a, *(lint(f"b{i}", a) for i in range(1000)))
    bench.node().work({"a": "failed"})
    with bench.coordinated():
        bench.until_status(ids[1:], TaskStatus.CANCELLED, 60.0)
        assert bench.run(tasks.reopen(ids[0])).ok
        bench.until_status(ids[1:], TaskStatus.PENDING, 60.0)
    assert len(bench.node().work()) == 1001


def test_a_task_that_changed_after_its_snapshot_is_decided_anew(bench: Bench) -> None:
    a, b = lint("a"), lint("b")
    ids = bench.submit(a, b, lint("c", a, b))
    node = bench.node()
    both_fail = {"a": "failed", "b": "failed"}  # both were granted in one moment: either may come first
    node.work(both_fail, most=1)
    changed: list[str] = []

    def change(call: Call[Any]) -> None:
        if call.name == "close_by_rule" and not changed:
            changed.extend(node.work(both_fail))

    bench.run_duty(Decisions(), store=HookedStore(bench.store, before=change))
    assert changed
    assert bench.statuses(ids) == ["failed", "failed", "cancelled"]
    assert bench.fleet.decisions == 0


def test_a_task_reopened_between_snapshot_and_close_is_not_closed(bench: Bench) -> None:
    a = lint("a")
    ids = bench.submit(a, lint("b", a))
    bench.node().work({"a": "failed"})
    done: list[bool] = []

    def reopen(call: Call[Any]) -> None:
        if call.name == "close_by_rule" and not done:
            done.append(bench.run(tasks.reopen(ids[0])).ok)

    bench.run_duty(Decisions(), store=HookedStore(bench.store, before=reopen))
    assert done == [True]
    assert bench.statuses(ids)[1] == "pending"
    bench.node().work()
    assert bench.statuses(ids) == ["completed", "completed"]


def test_a_reopening_waits_for_what_its_task_still_tells(bench: Bench) -> None:
    """b closed 300 others and has not told them all when its own culprit is opened again."""
    a = lint("a")
    b = lint("b", a)
    ids = bench.submit(a, b, *(lint(f"c{i}", b) for i in range(300)))
    bench.node().work({"a": "failed"})
    term = bench.elect()
    (decision,) = bench.run(decisions.decisions(bench.keys))
    (seen,) = bench.run(decisions.snapshots([decision]))
    assert seen is not None
    closed = CloseTask(seen.task_id, "dependency a failed", ids[0], failed_before=True)
    assert bench.run(decisions.close_by_rule(term, decision.entry, seen, closed)).ok
    bench.run(tasks.reopen(ids[0]))
    duty = Decisions()
    bench.run_duty(duty, term)
    assert bench.statuses(ids[1:2]) == ["cancelled"]
    for _ in range(4):
        bench.run_duty(Releases(), term)
        bench.run_duty(duty, term)
    assert bench.fleet.decisions == 0
    assert len(bench.node().work()) == 302


def broken(bench: Bench, **fields: str) -> str:
    """Write a decision that cannot be made; its entry."""
    entry: bytes = bench.server.client.xadd(bench.keys.fixed("decisions"), fields or {"x": "y"})
    return entry.decode()


def ruined_task(bench: Bench) -> dict[str, str]:
    """A task that no snapshot can be taken of."""
    bench.server.client.set(bench.keys.of("task", "ruined"), "not a hash")
    return {"k": "ruined", "b": "", "h": "counters"}


@pytest.mark.parametrize(
    "fields",
    [lambda _: {"k": "t", "b": ""}, lambda _: {"x": "y"}, ruined_task],
    ids=["without a word", "empty", "unreadable"],
)
def test_a_decision_that_always_raises_is_put_aside_and_nobody_waits_for_it(
    bench: Bench, fields: Callable[[Bench], dict[str, str]]
) -> None:
    entry = broken(bench, **fields(bench))
    graph = tree()
    ids = bench.submit(*graph)
    bench.node().work({"a": "failed"})
    with bench.coordinated():
        bench.until_status(ids[1:4], TaskStatus.CANCELLED)
        until(lambda: bench.fleet.poison_decisions == 1)
        until(lambda: bench.fleet.decisions == 0)
    (kept,) = bench.server.client.lrange(bench.keys.fixed("poison"), 0, -1)
    story = loads(kept)
    assert story["entry"] == entry
    assert story["error"]


def test_a_decision_is_put_aside_only_after_it_raised_five_times(bench: Bench) -> None:
    broken(bench)
    duty, term = Decisions(), bench.elect()
    for _ in range(MOST_RAISES):
        assert bench.fleet.poison_decisions == 0
        with pytest.raises(ValueError) as caught:  # noqa: PT012
            bench.run_duty(duty, term)
            bench.run_duty(duty, term)  # the pass that began behind it ended; the next one meets it again
        duty.blame(caught.value)
    bench.run_duty(duty, term)
    assert (bench.fleet.poison_decisions, bench.fleet.decisions) == (1, 0)


def test_the_next_leader_goes_on_counting(bench: Bench) -> None:
    broken(bench)
    for _ in range(MOST_RAISES):
        duty, term = Decisions(), bench.elect()
        with pytest.raises(ValueError) as caught:
            bench.run_duty(duty, term)
        duty.blame(caught.value)
        assert bench.fleet.poison_decisions == 0
        bench.run_duty(duty, term)  # tells Redis
    for _ in range(2):
        bench.run_duty(duty, term)
    assert (bench.fleet.poison_decisions, bench.fleet.decisions) == (1, 0)
    assert not bench.server.client.exists(bench.keys.fixed("poison_counts"))


class Ended(BaseException):
    """What ends a process."""


def ends(duty: Decisions, bench: Bench, deadly: str) -> bool:
    """Whether a coordinator ends at that task's decision; another process goes on."""

    def end(call: Call[Any]) -> None:
        if call.name == "close_by_rule" and deadly in call.args:
            raise Ended

    try:
        for _ in range(3):
            bench.run_duty(duty, bench.elect(), store=HookedStore(bench.store, before=end))
    except Ended:
        poison_tracking._ME = uuid4().hex
        return True
    return False


def test_a_decision_that_ends_every_coordinator_is_put_aside_and_the_others_are_made(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poison_tracking, "_ME", "first")
    a = lint("a")
    ids = bench.submit(a, *(lint(f"b{i}", a) for i in range(40)))
    bench.node().work({"a": "failed"})
    deadly, ended = ids[20], 0
    while ends(Decisions(), bench, deadly):
        ended += 1
        assert ended < 2 * MOST_ENDS
    assert MOST_ENDS <= ended <= MOST_ENDS + 3
    (story,) = bench.server.client.lrange(bench.keys.fixed("poison"), 0, -1)
    assert loads(story)["task"] == deadly
    assert "10 coordinators ended while they had it in hand" in loads(story)["error"]
    assert set(bench.statuses([id for id in ids[1:] if id != deadly])) == {"cancelled"}
    assert bench.fleet.decisions == 0


def test_a_term_that_lapses_with_a_decision_in_hand_accuses_nobody(bench: Bench) -> None:
    a = lint("a")
    ids = bench.submit(a, lint("b", a))
    bench.node().work({"a": "failed"})

    def away(call: Call[Any]) -> None:
        if call.name == "close_by_rule":
            raise StoreUnavailableError

    for _ in range(2 * MOST_ENDS):
        with pytest.raises(StoreUnavailableError):
            bench.run_duty(Decisions(), bench.elect(), store=HookedStore(bench.store, before=away))
    bench.run_duty(Decisions(), bench.elect())
    assert bench.statuses(ids) == ["failed", "cancelled"]
    assert bench.fleet.poison_decisions == 0


def test_nothing_is_written_about_decisions_that_make_no_trouble(bench: Bench) -> None:
    duty, term, trips = Decisions(), bench.elect(), []
    bench.run_duty(duty, term)
    for name in ("a", "c"):
        task = lint(name)
        bench.submit(task, *(lint(f"{name}{i}", task) for i in range(3)))
        bench.node().work({name: "failed"})
        bench.run_duty(duty, term, store=HookedStore(bench.store, before=trips.append))
        assert bench.fleet.decisions == 0
        wrote = [call.name for call in trips if call.command and call.name.startswith("H")]
        assert wrote == (["HSET", "HDEL"] if name == "a" else [])
        trips.clear()


def test_one_unreadable_task_costs_its_neighbours_one_turn(bench: Bench) -> None:
    a = lint("a")
    ids = bench.submit(a, *(lint(f"b{i}", a) for i in range(100)))
    bench.node().work({"a": "failed"})
    broken(bench, **ruined_task(bench))
    duty, term = Decisions(), bench.elect()
    for _ in range(20):
        try:
            bench.run_duty(duty, term)
        except StoreError as exc:
            duty.blame(exc)
        if set(bench.statuses(ids[1:])) == {"cancelled"}:
            break
    assert set(bench.statuses(ids[1:])) == {"cancelled"}


def test_the_same_decision_twice_changes_nothing_the_second_time(bench: Bench) -> None:
    a = lint("a")
    ids = bench.submit(a, lint("b", a))
    bench.node().work({"a": "failed"})
    (decision,) = bench.run(decisions.decisions(bench.keys))
    bench.run_duty(Decisions())
    before = bench.task(ids[1])
    broken(bench, k=decision.task_id, b=decision.because, h=decision.how)
    bench.run_duty(Decisions())
    assert bench.task(ids[1]) == before
    assert bench.fleet.decisions == 0


def test_a_decision_about_a_deleted_task_is_dropped(bench: Bench) -> None:
    broken(bench, k="11111111-1111-4111-8111-111111111111", b="", h="counters")
    bench.run_duty(Decisions())
    assert bench.fleet.decisions == 0


def test_a_thousand_decisions_take_little_more_than_a_trip_each(bench: Bench) -> None:
    a = lint("a")
    ids = bench.submit(a, *(lint(f"b{i}", a) for i in range(1000)))
    bench.node().work({"a": "failed"})
    term, trips = bench.elect(), []
    while bench.run(coordination.continue_releases(term)).number():
        pass
    bench.run_duty(Decisions(), term, store=HookedStore(bench.store, before=trips.append))
    assert set(bench.statuses(ids[1:])) == {"cancelled"}
    assert len(trips) < 1100


def test_a_word_of_a_newer_version_is_left_to_it_and_delays_nobody(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    a = lint("a")
    ids = bench.submit(a, lint("b", a))
    for _ in range(3):
        bench.server.client.xadd(bench.keys.fixed("decisions"), {"k": ids[0], "b": "", "h": "of tomorrow"})
    bench.node().work({"a": "failed"})
    duty = Decisions()
    for _ in range(MOST_RAISES + 1):
        bench.run_duty(duty)
    assert bench.statuses(ids) == ["failed", "cancelled"]
    assert (bench.fleet.poison_decisions, bench.fleet.decisions) == (0, 3)
    assert not duty.left_some
    assert caplog.text.count("of tomorrow") == 1
