"""Claim, report and pull: the path of every task, and what keeps a second runner out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from taskengine.models import ExecutionStatus
from taskengine.store import coordination, executions, nodes, tasks

from .world import World, eid


def execution(world: World, id: str) -> dict[str, str]:
    return world.fields("exec", id)


def test_one_task_through_everything(world: World) -> None:
    world.beat()
    task = world.new("a", input={"x": 1})
    assert world.status(task.id) == "ready"
    assert [m["id"] for m in world.messages()] == [eid(task)]
    answer = world.claim(world.slot(), eid(task))
    assert answer.assignment is not None
    assert (answer.assignment.task_id, answer.assignment.attempt, answer.assignment.queue) == (str(task.id), 1, "lint")
    assert world.report(answer.assignment, output='{"n":1}').word == "ok"
    assert world.status(task.id) == "completed"
    assert world.happened(task.id) == ["created", "ready", "started", "completed"]
    assert world.counts() == {"completed": 1}


def test_execution_keeps_its_outcome(world: World) -> None:
    world.new("a")
    told = world.start()
    world.report(told, output='{"n":1}', usage='{"cpu_percent":3.5}')
    found = world.run(executions.read(world.keys, told.execution_id))
    assert found is not None
    assert (found.status, found.result, found.executor_id, found.node) == ("completed", {"n": 1}, "lint", "n1")
    assert found.resource_usage.cpu_percent == 3.5
    assert found.started_at is not None
    assert found.completed_at is not None
    assert world.run(executions.of_task(told.task_id)) == [found]


def test_claim_with_the_same_request_returns_the_same_execution(world: World) -> None:
    world.beat(slots=0)
    world.new("a")
    world.new("b")
    first = world.claim(world.slot(), request="r1")
    assert first.assignment is not None
    assert world.claim(world.slot(), request="r1") == first
    assert world.counts() == {"ready": 1, "running": 1}


def test_claim_under_another_request_ends_what_the_slot_held_as_lost(world: World) -> None:
    world.beat()
    a = world.new("a")
    first = world.claim(world.slot(), eid(a), request="r1")
    assert first.assignment is not None
    second = world.claim(world.slot(), eid(a), request="r2")
    assert second.assignment is not None
    assert second.assignment.attempt == 2
    assert execution(world, eid(a, 1))["st"] == "lost"
    assert execution(world, eid(a, 2))["st"] == "running"
    assert world.read(a.id).lost_count == 1


@pytest.mark.parametrize("ended", ["reported", "going on"])
def test_late_copy_of_an_answered_claim_changes_nothing(world: World, ended: str) -> None:
    """A server that thaws finds the first copy of a claim in its socket after the second one was answered."""
    world.beat(slots=0)
    for name in "abc":
        world.new(name)
    slot = world.slot()
    first = world.claim(slot, "none", request="r1")
    assert first.assignment is not None
    pulled = world.report(first.assignment, slot, pull=ended == "going on")
    before = world.dump()
    late = world.claim(slot, "none", request="r1")
    assert late.assignment == pulled.assignment
    assert world.dump() == before


def test_late_copy_of_a_claim_that_got_nothing_gets_nothing(world: World) -> None:
    world.beat(slots=0)
    assert world.claim(world.slot(), request="r1").word == "nothing"
    world.new("a")
    assert world.claim(world.slot(), request="r1").word == "nothing"
    assert world.counts() == {"ready": 1}


@pytest.mark.parametrize("state", ["draining", "silent"])
def test_claim_repeated_after_its_node_drains_or_fell_silent_gets_its_execution(world: World, state: str) -> None:
    """Its first copy was answered, the reply lost: what it took would be lost with the slot, and run twice."""
    world.beat(slots=0)
    world.new("a")
    first = world.claim(world.slot(), request="r1")
    assert first.assignment is not None
    if state == "draining":
        world.run(nodes.drain("n1", "SIGTERM"))
    else:
        world.age(60)
        # The deadline that counts is the stored one, a minute nearer now.
        first = replace(first, batch=(replace(first.assignment, deadline_ms=first.assignment.deadline_ms - 60_000),))
    assert world.claim(world.slot(), request="r1") == first


def test_late_copy_of_a_refused_claim_gets_nothing(world: World) -> None:
    """Nobody waits for its answer any more."""
    assert world.claim(world.slot(), request="r1").word == "refused"
    world.beat(slots=0)
    world.new("a")
    assert world.claim(world.slot(), request="r1").word == "nothing"
    assert world.counts() == {"ready": 1}


def test_repeated_report_gets_the_same_reply_and_the_same_next_execution(world: World) -> None:
    world.beat(slots=0)
    for name in "abc":
        world.new(name)
    slot = world.slot()
    first = world.claim(slot).assignment
    assert first is not None
    answer = world.report(first, slot, pull=True)
    assert answer.assignment is not None
    before = world.dump()
    assert world.report(first, slot, pull=True) == answer
    assert world.dump() == before


def test_report_repeated_after_the_next_one_ended_starts_nothing(world: World) -> None:
    world.beat(slots=0)
    for name in "abc":
        world.new(name)
    slot = world.slot()
    first = world.claim(slot).assignment
    assert first is not None
    second = world.report(first, slot, pull=True).assignment
    assert second is not None
    world.report(second, slot)
    before = world.dump()
    assert world.report(first, slot, pull=True).assignment is None
    assert world.dump() == before


def fence_by_lost_lease(world: World, id: str) -> None:
    world.elect()
    world.age(60)
    assert world.run(coordination.rescue(world.term)).number() == 1


def fence_by_time_out(world: World, id: str) -> None:
    assert world.run(executions.time_out(id, 1, retry_ms=None, error="too long")).ok


def fence_by_cancel(world: World, id: str) -> None:
    task = execution(world, id)["task"]
    assert world.run(tasks.cancel(task, "no more")).word == "asked"
    assert world.run(executions.end_cancelled(id, 1)).ok


def fence_by_hand_back(world: World, id: str) -> None:
    assert world.run(executions.hand_back([(id, 1)], "the node stops"))[0].ok


@pytest.mark.parametrize("fence", [fence_by_lost_lease, fence_by_time_out, fence_by_cancel, fence_by_hand_back])
def test_report_after_the_execution_was_ended_changes_nothing(world: World, fence: object) -> None:
    world.new("a")
    told = world.start()
    fence(world, told.execution_id)  # type: ignore[operator]  # one of the four above
    status, counts, ended = world.status(told.task_id), world.counts(), execution(world, told.execution_id)
    answer = world.report(told, output='{"late":true}', pull=True)
    assert answer.word == "fenced"
    assert answer.detail == ended["st"]
    assert answer.assignment is None
    late = {"late": "completed", "late_out": '{"late":true}', "late_err": ""}
    assert execution(world, told.execution_id) == ended | late
    assert (world.status(told.task_id), world.counts()) == (status, counts)
    found = world.run(executions.read(world.keys, told.execution_id))
    assert found is not None
    assert found.late_outcome == {"disposition": "completed", "output": {"late": True}, "error": ""}


def test_report_after_the_deadline_is_kept_and_not_applied(world: World) -> None:
    """Whether a result counts does not depend on a beat that was faster or slower."""
    task, other = world.new("a", timeout=10), world.new("b")
    told = world.start()
    world.age(11)
    world.beat()
    late = {"output": '{"late":true}', "deadline_ms": told.deadline_ms - 11_000}
    for _ in range(2):
        answer = world.report(told, pull=True, **late)
        assert (answer.word, answer.assignment) == ("overdue", None)
        assert world.statuses([task.id, other.id]) == ["running", "ready"]
    assert world.run(executions.time_out(told.execution_id, 1, retry_ms=None, error="too long")).ok
    assert world.report(told, pull=True, **late).word == "fenced"
    assert world.read(task.id).error_kind == "timeout"
    found = world.run(executions.read(world.keys, told.execution_id))
    assert found is not None
    assert found.late_outcome == {"disposition": "completed", "output": {"late": True}, "error": ""}


def test_report_before_a_deadline_that_was_moved_counts(world: World) -> None:
    world.new("a", timeout=10)
    told = world.start()
    assert world.report(told, deadline_ms=told.deadline_ms - 11_000).word == "ok"


def test_report_after_the_deadline_of_a_cancelled_attempt_has_the_grace_of_the_cancel(world: World) -> None:
    task = world.new("a", timeout=10)
    told = world.start()
    world.run(tasks.cancel(str(task.id), "no more"))
    world.age(11)
    assert world.report(told, deadline_ms=told.deadline_ms - 11_000).word == "ok"
    assert world.status(task.id) == "cancelled"


def test_fenced_report_is_recorded_once(world: World) -> None:
    world.new("a")
    told = world.start()
    fence_by_time_out(world, told.execution_id)
    world.report(told)
    before = world.dump()
    assert world.report(told).word == "fenced"
    assert world.dump() == before
    assert world.happened(told.task_id)[-1] == "fenced"


def test_report_of_a_slot_that_does_not_hold_the_execution_is_fenced(world: World) -> None:
    """A server that lost its last second grants the same attempt again: who ran it before has the same token."""
    a, b = world.new("a"), world.new("b")
    told = world.start(world.slot("s1"))
    assert told.task_id == str(a.id)
    early = world.report(told, world.slot("s2"), output='{"by":2}', pull=True)
    assert (early.word, early.detail) == ("fenced", "running")
    assert world.statuses([a.id, b.id]) == ["running", "ready"]
    assert world.report(told, world.slot("s1"), output='{"by":1}').word == "ok"
    assert world.run(executions.output(world.keys, str(a.id))) == '{"by":1}'
    assert execution(world, told.execution_id)["late_out"] == '{"by":2}'


def test_report_of_an_unknown_execution_is_missing(world: World) -> None:
    world.new("a")
    told = world.start()
    done = executions.Report("e" * 36, 1, "completed", "lint")
    assert world.run(executions.report(world.slot(), [done], pull=True)).outcomes == ("missing",)
    forged = executions.Report(told.task_id, 2, "completed", "lint")
    assert world.run(executions.report(world.slot(), [forged], pull=True)).outcomes == ("missing",)
    assert world.status(told.task_id) == "running"


def test_execution_never_leaves_a_terminal_state(world: World) -> None:
    world.new("a")
    told = world.start()
    world.report(told)
    e = told.execution_id
    assert world.run(executions.time_out(e, 1, retry_ms=0, error="x")).word == "conflict"
    assert world.run(executions.end_cancelled(e, 1)).word == "conflict"
    assert world.run(executions.hand_back([(e, 1)], "x"))[0].word == "conflict"
    assert world.run(executions.append_logs(e, 1, lines=["{}"])).word == "fenced"
    assert execution(world, e)["st"] == ExecutionStatus.COMPLETED


@pytest.mark.parametrize("state", ["draining", "draining by beat", "silent"])
def test_draining_or_silent_node_gets_nothing(world: World, state: str) -> None:
    for name in "ab":
        world.new(name)
    told = world.start()
    if state == "draining":
        world.run(nodes.drain("n1", "SIGTERM"))
    elif state == "silent":
        world.age(60)
    else:
        world.beat(drain="SIGTERM", live=[world.slot()])
    answer = world.report(told, pull=True)
    assert (answer.word, answer.assignment) == ("ok", None)
    refused = world.claim(world.slot("s2"))
    assert (refused.word, refused.detail) == ("refused", state.split()[0])
    assert world.counts() == {"completed": 1, "ready": 1}


def test_node_that_never_beat_gets_nothing(world: World) -> None:
    world.new("a")
    assert world.claim(world.slot()).detail == "silent"


def test_claim_refused_by_a_draining_node_frees_its_grant_at_once(world: World) -> None:
    world.beat("n1")
    task = world.new("a")
    world.run(nodes.drain("n1", "SIGTERM"))
    world.beat("n2")
    assert len(world.messages()) == 1
    assert world.claim(world.slot(), eid(task)).word == "refused"
    assert [m["id"] for m in world.messages()] == [eid(task)] * 2
    assert world.claim(world.slot("s9", "n2"), eid(task)).assignment is not None


def test_slice_end_grants_instead_of_pulling(world: World) -> None:
    world.beat(slots=1)
    for name in "abc":
        world.new(name)
    slot = world.slot()
    told = world.claim(slot, world.granted()[0]).assignment
    assert told is not None
    assert world.granted() == []
    answer = world.report(told, slot, pull=False)
    assert answer.assignment is None
    assert len(world.granted()) == 1, "its own slot counts as free"
    assert world.claim(world.slot("s2"), world.granted()[0]).assignment is not None


def test_stale_message_claims_something_else_or_nothing(world: World) -> None:
    world.beat()
    a = world.new("a")
    world.beat(slots=0)
    world.new("b")
    world.run(tasks.cancel(str(a.id), "no"))
    answer = world.claim(world.slot(), eid(a))
    assert answer.assignment is not None
    assert answer.assignment.name == "b"
    assert world.claim(world.slot("s2"), eid(a)).word == "nothing"


def test_forged_token_buys_no_more_than_the_best_ready_task(world: World) -> None:
    world.beat()
    granted = world.new("a")
    world.beat(slots=0)
    best = world.new("b")
    answer = world.claim(world.slot(), eid(granted), token=99)
    assert answer.assignment is not None
    assert answer.assignment.task_id == str(best.id)


def test_claim_of_a_queue_that_the_slot_does_not_consume_gets_nothing(world: World) -> None:
    world.beat("n1")
    world.beat("n2", queues="other=other")
    task = world.new("a")
    assert world.claim(world.slot("s2", "n2", "other=other"), eid(task)).word == "nothing"
    assert world.claim(world.slot(), eid(task)).assignment is not None


def test_pull_runs_a_chain_to_its_end_in_one_slot(world: World) -> None:
    world.beat()
    chain = [world.task("t0")]
    for n in range(1, 20):
        chain.append(world.task(f"t{n}", chain[-1]))
    world.submit(*chain)
    slot = world.slot()
    told, ran = world.claim(slot, world.granted()[0]).assignment, []
    while told:
        ran.append(told.name)
        told = world.report(told, slot, output=f'{{"n":{len(ran)}}}', pull=True).assignment
    assert ran == [t.name for t in chain]
    assert world.counts() == {"completed": 20}
    assert world.granted() == []


def test_claim_brings_the_outputs_of_dependencies(world: World) -> None:
    world.beat()
    a, b = world.task("a"), world.task("b")
    c = world.task("c", a, b)
    world.submit(a, b, c)
    for _ in range(2):
        told = world.start()
        world.report(told, output=f'{{"from":"{told.name}"}}')
    told = world.start()
    assert sorted(told.inputs) == sorted(
        [(str(a.id), "a", '{"from":"a"}'), (str(b.id), "b", '{"from":"b"}')]
    )
    assert not told.more_inputs


def test_claim_brings_outputs_up_to_64_kib_together(world: World) -> None:
    world.beat()
    parents = [world.task(f"p{n}") for n in range(3)]
    child = world.task("c", *parents)
    world.submit(*parents, child)
    large = '{"x":"' + "y" * 30_000 + '"}'
    for _ in parents:
        world.report(world.start(), output=large)
    told = world.start()
    assert sorted(text is None for _, _, text in told.inputs) == [False, False, True]
    missing = next(id for id, _, text in told.inputs if text is None)
    assert world.run(executions.output(world.keys, missing)) == large


def test_failed_report_that_retries_waits_for_its_timer(world: World) -> None:
    world.new("a")
    told = world.start()
    world.report(told, disposition="retry", error="boom", error_kind="crash", retry_ms=5000)
    task = world.read(told.task_id)
    assert (task.status, task.retry_count, task.error_message) == ("retrying", 1, "boom")
    assert task.next_attempt_at is not None
    world.elect()
    assert world.run(coordination.fire_timers(world.term)).number() == 0
    world.age(6)
    assert world.run(coordination.fire_timers(world.term)).number() == 1
    again = world.start()
    assert (again.task_id, again.attempt, again.retries) == (told.task_id, 2, 1)
    world.report(again)
    task = world.read(told.task_id)
    assert (task.status, task.error_message, task.error_kind) == ("completed", None, None)


def test_report_with_failure_keeps_its_error(world: World) -> None:
    world.new("a")
    told = world.start()
    world.report(told, disposition="failed", error="boom", error_kind="crash")
    task = world.read(told.task_id)
    assert (task.status, task.error_message, task.error_kind) == ("failed", "boom", "crash")


def test_output_by_reference_outlives_its_hour_once_reported(world: World) -> None:
    world.new("a")
    told = world.start()
    world.run(executions.put_payload(told.execution_id, '{"big":1}'))
    world.report(told, big=9)
    assert world.raw.ttl(world.keys.of("payload", told.execution_id)) == -1
    assert world.run(executions.output(world.keys, told.task_id)) == '{"big":1}'


def test_execution_whose_large_output_is_gone_has_none(world: World) -> None:
    """Pruned between two trips of one read."""
    world.new("a")
    told = world.start()
    world.report(told, big=9)
    world.raw.delete(world.keys.of("payload", told.execution_id))
    found = world.run(executions.read(world.keys, told.execution_id))
    assert found is not None
    assert (found.status, found.result) == ("completed", None)


def test_log_lines_are_kept_in_order_and_a_repeated_one_once(world: World) -> None:
    world.new("a")
    told = world.start()
    one, two, three = (f'{{"timestamp":"2026-01-01T00:00:00Z","message":"{word}"}}' for word in ("one", "two", "three"))
    for number, lines in ((1, [one]), (1, [one, two]), (2, [two]), (3, [three, three])):
        world.run(executions.append_logs(told.execution_id, 1, number=number, lines=lines))
    world.run(executions.append_logs(told.execution_id, 1, progress=0.5, note="half"))
    found = world.run(executions.read(world.keys, told.execution_id))
    assert found is not None
    assert [(line.number, line.message) for line in found.logs] == [(1, "one"), (2, "two"), (3, "three"), (4, "three")]
    assert (found.progress, found.progress_note) == (0.5, "half")


def test_the_oldest_log_lines_go_first_by_count_and_by_bytes(world: World) -> None:
    world.new("a")
    told = world.start()
    line = '{"timestamp":"2026-01-01T00:00:00Z","message":"%s"}'
    for first in range(1, 1201, 100):
        lines = [line % n for n in range(first, first + 100)]
        world.run(executions.append_logs(told.execution_id, 1, number=first, lines=lines))
    said = world.run(executions.logs(told.task_id, 0, 150, 5))
    assert said is not None
    assert [one.message for one in said.lines] == ["201", "202", "203", "204", "205"]
    assert (said.last, said.missed) == (1200, 50)
    for number in range(1201, 1209):
        world.run(executions.append_logs(told.execution_id, 1, number=number, lines=[line % ("x" * 200_000)]))
    fields = execution(world, told.execution_id)
    kept = world.raw.lrange(world.keys.of("logs", told.execution_id), 0, -1)
    assert (len(kept), int(fields["lb"])) == (5, sum(map(len, kept)))


def test_agent_of_the_queue_is_the_executor(world: World) -> None:
    queues = "lint=ruff @ruff=ruff"
    world.beat(queues=queues)
    world.new("a")
    told = (
        world.claim(world.slot(queues=queues)).assignment
        or world.claim(world.slot(queues=queues), world.granted()[0]).assignment
    )
    assert told is not None
    assert execution(world, told.execution_id)["ag"] == "ruff"


