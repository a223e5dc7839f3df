"""Slotless executions: RUNNING, held by no slot, asked about by one poller, ended by whatever ends any other."""

from __future__ import annotations

from typing import Any

from taskengine.agents import Reference
from taskengine.models import Task
from taskengine.models.question import Question
from taskengine.store import coordination, executions, kept, nodes, pauses, queue_view, remote, tasks
from taskengine.store.codec import dumps
from taskengine.store.executions import Answer, Report
from taskengine.store.overdue import time_out
from taskengine.store.remote import Polled, Taken
from taskengine.store.replies import Assignment

from .world import World, eid

POSTED = Reference("codegen", "posted", "17", at_ms=5, words={"org": 3})
LEASE = 10_000


def detach(w: World, told: Assignment, *, slot: str = "s1", pull: bool = False, **changed: Any) -> Answer:
    asked = {"poll_ms": 5000, "taken_up": False} | changed
    return w.run(remote.detach(w.slot(slot), told.execution_id, told.attempt, POSTED, pull=pull, **asked))


def detached(w: World, name: str = "a", **fields: Any) -> Assignment:
    w.new(name, **fields)
    told = w.start()
    assert detach(w, told).word == "ok"
    return told


def take(w: World, node: str = "n1", most: int = 256) -> Taken:
    return w.run(remote.poll_take("lint", node, LEASE, most))


def taken(w: World, node: str = "n1") -> list[str]:
    return [due.tracked.execution_id for due in take(w, node).due]


def report(w: World, told: Assignment, disposition: str = "completed", **fields: Any) -> Answer:
    done = Report(told.task_id, told.attempt, disposition, "lint", **fields)
    return w.run(executions.report(remote.slot_of(told.execution_id), [done], pull=False))


def overdue(w: World) -> list[remote.Overdue]:
    return remote.overdue(w.run(remote.take_overdue(w.term or w.elect(), 64)))


# -- detach


def test_a_detached_execution_runs_on_and_its_slot_takes_the_next_task_in_the_same_trip(world: World) -> None:
    a, b = world.new("a"), world.new("b")
    told = world.start()
    answer = detach(world, told, pull=True)
    assert answer.assignment is not None
    assert answer.assignment.task_id == str(b.id)
    assert [world.status(a.id), world.status(b.id)] == ["running", "running"]
    held = world.fields("slots", "n1")
    assert held["s1"].startswith(eid(b))
    assert "detached" in world.happened(a.id)


def test_a_slot_that_does_not_go_on_is_free_for_the_next_grant(world: World) -> None:
    told = detached(world)
    assert world.fields("slots", "n1") == {}
    assert world.raw.zrange(world.keys.fixed("leases"), 0, -1) == []
    execution = world.run(executions.read(world.keys, told.execution_id))
    assert execution is not None
    assert (execution.node, execution.is_detached) == (None, True)
    assert (execution.reference or {})["id"] == "17"


def test_the_next_attempt_is_told_by_the_task_where_the_work_is(world: World) -> None:
    told = detached(world)
    assert kept.reference_from(world.fields("task", told.task_id)["ref"]) == POSTED
    assert world.fields("task", told.task_id)["xx"] == "1"


def test_a_detach_after_the_loss_of_its_slot_changes_nothing(world: World) -> None:
    world.new("a")
    told = world.start()
    world.run(nodes.remove_node("n1"))
    before = world.dump()
    assert detach(world, told).word == "fenced"
    assert world.dump() == before


def test_what_was_detached_since_its_worker_looked_is_not_handed_back(world: World) -> None:
    """A worker knows what it holds by its last beat: it would post a second run for one that goes on."""
    told = detached(world)
    (answer,) = world.run(executions.hand_back([(told.execution_id, told.attempt)], "the worker stops"))
    assert (answer.word, answer.text()) == ("conflict", "running")
    assert world.status(told.task_id) == "running"
    assert take(world).orphans == ()
    assert kept.reference_from(world.fields("task", told.task_id)["ref"]) == POSTED
    assert report(world, told).outcomes == ("ok",)


def test_a_draining_node_gets_nothing_for_what_it_detached(world: World) -> None:
    world.new("a")
    world.new("b")
    told = world.start()
    world.run(nodes.drain("n1", "SIGTERM"))
    assert detach(world, told, pull=True).assignment is None
    assert world.status(told.task_id) == "running"


def test_no_death_of_a_worker_loses_what_was_detached(world: World) -> None:
    told = detached(world)
    world.run(nodes.remove_node("n1"))
    world.age(3600 / 2)
    world.run(coordination.rescue(world.elect()))
    assert world.status(told.task_id) == "running"
    assert world.read(told.task_id).lost_count == 0
    assert report(world, told).outcomes == ("ok",)


def test_work_that_an_earlier_attempt_began_is_taken_up_and_not_begun(world: World) -> None:
    a = world.new("a")
    told = world.start()
    assert detach(world, told, taken_up=True).word == "ok"
    assert world.happened(a.id)[-1] == "took_up"


# -- polling


def test_one_node_polls_for_an_agent_and_the_next_one_when_it_is_silent_for_a_lease(world: World) -> None:
    told = detached(world)
    world.age(6)
    assert taken(world, "n1") == [told.execution_id]
    other = take(world, "n2")
    assert (other.other, other.due) == ("n1", ())
    assert 0 < (other.wait_ms or 0) <= LEASE
    world.age(11)
    assert taken(world, "n2") == [told.execution_id]
    assert take(world, "n1").other == "n2"


def test_a_poller_that_goes_leaves_its_place_at_once(world: World) -> None:
    take(world, "n1")
    assert world.run(remote.poll_take("lint", "n1", 0, 0)).due == ()
    assert take(world, "n2").other == ""
    world.run(remote.poll_take("lint", "n1", 0, 0))  # it is not n1's any more
    assert take(world, "n1").other == "n2"


def test_what_was_taken_is_told_once_a_lease_and_says_all_that_a_poller_needs(world: World) -> None:
    told = detached(world)
    world.age(6)
    (due,) = take(world).due
    assert (due.tracked.execution_id, due.tracked.token, due.tracked.task_id) == (told.execution_id, 1, told.task_id)
    assert (due.tracked.reference, due.tracked.cancel) == (POSTED, "")
    assert due.tracked.deadline_ms > 0
    assert due.age_ms >= 0
    assert taken(world) == []
    assert (take(world).wait_ms or 0) > 0


def test_a_run_that_goes_on_is_due_again_when_its_poller_said(world: World) -> None:
    told = detached(world)
    world.age(6)
    take(world)
    heard = Polled(told.execution_id, 1, 30_000, "ACTIVE", 0.25, Reference("codegen", "posted", "18"))
    assert world.run(remote.note_polled([heard])) == ["ok"]
    world.age(20)
    assert taken(world) == []
    world.age(11)
    (due,) = take(world).due
    assert due.tracked.reference.id == "18"
    execution = world.run(executions.of_task(told.task_id))[0]
    assert (execution.progress, execution.progress_note) == (0.25, "ACTIVE")


def test_what_is_over_is_not_noted(world: World) -> None:
    told = detached(world)
    report(world, told)
    nobody = eid(Task(capability="lint"))
    answers = world.run(remote.note_polled([Polled(told.execution_id, 1, 1), Polled(nobody, 1, 1)]))
    assert answers == ["completed", "missing"]
    assert taken(world) == []


# -- its end


def test_the_report_of_a_poller_ends_it_as_a_slot_would_and_leaves_nothing(world: World) -> None:
    a = world.new("a")
    b = world.new("b", a)
    told = world.start()
    detach(world, told)
    answer = report(world, told, output='{"n":1}')
    assert answer.outcomes == ("ok",)
    assert report(world, told, output='{"n":1}').outcomes == ("ok",)
    assert [world.status(a.id), world.status(b.id)] == ["completed", "ready"]
    assert world.fields("slots", "~") == {}
    assert take(world) == Taken("", (), (), None)
    world.finish(b)


def test_a_failed_run_is_tried_again_by_the_rules_of_its_task(world: World) -> None:
    told = detached(world)
    report(world, told, "retry", error="no", error_kind="remote_failed", retry_ms=1000)
    assert world.status(told.task_id) == "retrying"
    assert take(world).orphans == ()


def test_a_late_report_of_a_fenced_run_is_kept_and_changes_nothing(world: World) -> None:
    told = detached(world)
    world.run(executions.time_out(told.execution_id, 1, retry_ms=None, error="long"))
    assert report(world, told, output='{"n":1}').outcomes == ("timed_out",)
    execution = world.run(executions.of_task(told.task_id))[0]
    assert (execution.late_outcome or {})["output"] == {"n": 1}


def test_what_its_service_does_not_know_is_lost_and_begun_anew(world: World) -> None:
    told = detached(world)
    gone = (told.execution_id, 1, "codegen does not know run 17")
    assert [reply.word for reply in world.run(remote.lose([gone]))] == ["ok"]
    task = world.read(told.task_id)
    assert (task.status, task.lost_count) == ("ready", 1)
    assert "ref" not in world.fields("task", told.task_id)
    assert take(world).orphans == ()
    assert [reply.word for reply in world.run(remote.lose([gone]))] == ["conflict"]


# -- cancel, time and silence


def test_a_cancel_makes_it_due_at_once_and_says_why(world: World) -> None:
    told = detached(world)
    assert taken(world) == []
    assert next(iter(world.run(tasks.cancel(told.task_id, "not wanted")).rest), "") == ""
    (due,) = take(world).due
    assert due.tracked.cancel == "not wanted"
    assert world.run(remote.note_polled([Polled(told.execution_id, 1, 60_000)])) == ["ok"]
    world.age(2)
    assert taken(world) == [told.execution_id]
    report(world, told, "cancelled", error="stopped", error_kind="cancelled")
    assert world.status(told.task_id) == "cancelled"
    assert take(world).orphans == ()


def test_a_cancel_that_was_asked_before_the_detach_is_heard_at_once(world: World) -> None:
    world.new("a")
    told = world.start()
    world.run(tasks.cancel(told.task_id, "no"))
    detach(world, told)
    assert take(world).due[0].tracked.cancel == "no"


def test_a_cancel_past_its_grace_is_named_to_the_coordinator_and_its_run_becomes_an_orphan(world: World) -> None:
    told = detached(world)
    world.run(tasks.cancel(told.task_id, "no"))
    assert overdue(world) == []
    world.age(31)
    (one,) = overdue(world)
    assert (one.execution_id, one.cancelled) == (told.execution_id, True)
    assert world.run(executions.end_cancelled(one.execution_id, one.token)).ok
    assert world.status(told.task_id) == "cancelled"
    assert take(world).orphans == ((told.execution_id, POSTED),)
    world.run(remote.forget_orphan(world.keys, "lint", told.execution_id))
    assert take(world).orphans == ()


def test_a_run_over_its_time_is_ended_by_the_rules_of_its_task(world: World) -> None:
    told = detached(world, timeout=60, max_retries=1)
    assert overdue(world) == []
    world.age(61)
    (one,) = overdue(world)
    over = world.run(time_out(world.store.settings, one.execution_id, one.token, one.task_id, one.deadline_ms))
    assert over is not None
    assert (over.became, over.error) == ("retrying", "attempt 1 ran longer than its timeout of 60 s")
    assert overdue(world) == []
    assert take(world).orphans == ((told.execution_id, POSTED),)
    assert "ref" not in world.fields("task", told.task_id), "the next attempt begins anew"


def test_a_run_that_asks_a_person_is_nobodys_orphan_and_is_gone_on_with(world: World) -> None:
    told = detached(world)
    question = kept.question_text(Question(id="q1", text="which?"))
    assert report(world, told, "ask", error_kind="asked", more=dumps({"question": question}, "r")).outcomes == ("ok",)
    assert world.status(told.task_id) == "paused"
    assert take(world).orphans == ()
    assert kept.reference_from(world.fields("task", told.task_id)["ref"]) == POSTED


def ask(w: World, told: Assignment) -> None:
    question = kept.question_text(Question(id="q1", text="which?"))
    assert report(w, told, "ask", error_kind="asked", more=dumps({"question": question}, "r")).outcomes == ("ok",)


def test_a_run_that_asked_is_an_orphan_once_its_task_is_cancelled(world: World) -> None:
    told = detached(world)
    assert taken(world) == []
    ask(world, told)
    world.run(tasks.cancel(told.task_id, "no"))
    assert world.status(told.task_id) == "cancelled"
    assert take(world).orphans == ((told.execution_id, POSTED),)
    assert "ref" not in world.fields("task", told.task_id)


def test_a_run_whose_task_is_cancelled_before_the_next_attempt_takes_it_up_is_an_orphan(world: World) -> None:
    told = detached(world)
    assert taken(world) == []
    ask(world, told)
    seen = kept.asked_from(world.fields("task", told.task_id)["ask"])
    assert seen is not None
    world.beat(slots=0)
    assert world.run(kept.answer_question(told.task_id, seen, "x", "ann")).ok
    world.run(tasks.cancel(told.task_id, "no"))
    assert take(world).orphans == ((told.execution_id, POSTED),)


def test_what_no_poller_could_stop_is_nobodys_orphan(world: World) -> None:
    told = detached(world)
    ask(world, told)
    world.run(tasks.cancel(told.task_id, "no"))
    assert take(world).orphans == ()


def test_a_run_that_says_nothing_is_over_and_one_that_is_heard_is_not(world: World) -> None:
    told = detached(world, heartbeat_timeout=20)
    world.age(15)
    world.run(remote.note_polled([Polled(told.execution_id, 1, 5000, "ACTIVE")]))
    world.age(15)
    assert overdue(world) == []
    world.age(15)
    (one,) = overdue(world)
    assert one.silent
    over = world.run(time_out(world.store.settings, one.execution_id, 1, told.task_id, one.deadline_ms, silent=True))
    assert over is not None
    assert "said nothing" in over.error


def test_a_run_that_may_be_silent_for_a_while_is_asked_about_more_often_than_that(world: World) -> None:
    world.new("a", heartbeat_timeout=30)
    told = world.start()
    detach(world, told, poll_ms=60_000)
    world.age(11)
    assert taken(world) == [told.execution_id]
    world.run(remote.note_polled([Polled(told.execution_id, 1, 60_000)]))
    world.age(11)
    assert taken(world) == [told.execution_id]


def test_nobody_is_named_to_a_coordinator_that_leads_no_more(world: World) -> None:
    detached(world, timeout=1)
    world.age(2)
    assert world.run(remote.take_overdue("0", 64)).word == "stale"


# -- who counts what runs


def test_whoever_counts_running_work_counts_it(world: World) -> None:
    told = detached(world)
    world.beat(slots=2)
    world.new("b")
    world.start(world.slot("s2"))
    run = world.run_of(told.task_id)
    counts = world.run(pauses.running(["all", "agent:lint", "cap:lint", f"run:{run}"]))
    assert dict(counts) == {"all": 2, "agent:lint": 2, "cap:lint": 2, f"run:{run}": 1}
    assert world.run(nodes.fleet()).running == 2


def test_five_hundred_of_them_are_counted(real: World) -> None:
    for n in range(300):
        detached(real, f"t{n}")
    assert real.run(pauses.running(["all"]))["all"] == 300


def test_the_view_of_one_says_who_polls_for_it(world: World) -> None:
    told = detached(world)
    view = world.run(queue_view.queue_view(told.task_id))
    assert view is not None
    assert (view.poller, view.polled_until) == ("", None)
    take(world)
    view = world.run(queue_view.queue_view(told.task_id))
    assert view is not None
    assert view.poller == "n1"
    assert view.polled_until is not None
    assert view.polled_until > view.now
