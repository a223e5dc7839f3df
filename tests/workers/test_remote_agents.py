"""What a poller makes of what a service says, in one process: a type whose service is a list of states."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest

from taskengine import Task
from taskengine.agent import Agent
from taskengine.agents import Asks, Gone, Health, Over, Reference, RemoteState, Running, Stopped, Tracked
from taskengine.models import ExecutionStatus, Outcome, TaskStatus
from taskengine.models.agent import AgentRecord
from taskengine.models.question import Question
from taskengine.testing import Engine
from workers.agents.remote_run import RemoteRun

from ..doubles.context import FakeSecrets


@dataclass
class Service:
    """What the service says in turn; the last goes on."""

    says: list[Callable[[Tracked], RemoteState]] = field(default_factory=list)
    stops: Stopped | Exception = "stopped"
    submits: list[Reference | Outcome] = field(default_factory=list)
    previous: list[Reference | None] = field(default_factory=list)
    polled: list[list[str]] = field(default_factory=list)
    stopped: list[tuple[str, str]] = field(default_factory=list)
    posts: int = 0
    #: What was to be sent back, and whether its type can.
    sent_back: list[list[str]] = field(default_factory=list)
    repairs: bool = True


class Faraway:
    """A type over such a service."""

    holds_slot: ClassVar[bool] = False
    service: ClassVar[Service]
    poll_seconds = 5.0

    def __init__(self, record: AgentRecord, _: Any) -> None:
        self.record = record

    @classmethod
    def check(cls, *_: Any) -> None: ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def health(self) -> Health:
        return Health(True, "yes")

    async def submit(self, _: Task, context: Any) -> Reference | Outcome:
        self.service.previous.append(context.previous)
        if self.service.submits:
            return self.service.submits.pop(0)
        self.service.posts += 1
        posted = Reference("far", "posted", str(self.service.posts))
        await context.aio.checkpoint(replace(posted, state="intent"))
        return posted

    async def poll(self, tracked: Sequence[Tracked]) -> list[RemoteState]:
        self.service.polled.append([one.reference.id for one in tracked])
        says = self.service.says.pop(0) if len(self.service.says) > 1 else self.service.says[0]
        return [says(one) for one in tracked]

    def repair(self, reference: Reference, _: Outcome, faults: list[str]) -> Reference | None:
        if not self.service.repairs or "again" in reference.words:
            return None
        self.service.sent_back.append(faults)
        return replace(reference, words={"again": True})

    async def cancel(self, reference: Reference, reason: str) -> Stopped:
        self.service.stopped.append((reference.id, reason))
        if isinstance(self.service.stops, Exception):
            raise self.service.stops
        return self.service.stops


RUNS = lambda _: Running("at work", 0.5)  # noqa: E731
DONE = lambda one: Over(Outcome("completed", output={"id": one.reference.id}))  # noqa: E731


@pytest.fixture
def service() -> Service:
    Faraway.service = Service([RUNS, DONE])
    return Faraway.service


@pytest.fixture
def engine(service: Service) -> Iterator[Engine]:
    record = AgentRecord(id="far", type="far", capabilities={"far"})
    run = RemoteRun(Faraway, record, FakeSecrets())
    with Engine(agents=[Agent("far", frozenset({"far"}), run, goes_alone=True, remote=run)], max_lost=2) as made:
        yield made
        made.check()


def submit(engine: Engine, count: int = 1, **fields: Any) -> list[Task]:
    return engine.submit(*(Task(name=f"t{n}", capability="far", **fields) for n in range(count)))


def status(engine: Engine, task: Task) -> str:
    return engine.task(task).status.value


def test_more_runs_than_slots_go_on_at_once_and_one_poll_asks_for_all(engine: Engine, service: Service) -> None:
    tasks = submit(engine, 20)
    engine.run_until_idle()
    assert {status(engine, task) for task in tasks} == {"running"}
    done = engine.run_until_done(*tasks)
    assert {task.status for task in done} == {TaskStatus.COMPLETED}
    assert [len(ids) for ids in service.polled] == [20, 20]
    (execution,) = engine.executions(tasks[0])
    assert (execution.error_message, execution.resource_usage.wall_seconds) == (None, 10.0)


def test_what_it_says_of_itself_is_seen(engine: Engine) -> None:
    (task,) = submit(engine)
    engine.run_until_idle()
    engine.run_for(5)
    (execution,) = engine.executions(task)
    assert (execution.progress, execution.progress_note, execution.is_detached) == (0.5, "at work", True)


def test_an_old_run_is_asked_about_less_often(engine: Engine, service: Service) -> None:
    service.says = [RUNS]
    submit(engine, timeout=7200)
    engine.run_for(3600)
    young, old = len(service.polled), 0
    engine.run_for(600)
    old = len(service.polled) - young
    assert old == 10, "once a minute"
    assert young < 120


def test_a_service_that_does_not_answer_ends_nothing(engine: Engine, service: Service) -> None:
    def fails(_: Tracked) -> RemoteState:
        raise OSError("no answer")

    service.says = [fails, DONE]
    (task,) = submit(engine)
    engine.run_until_idle()
    engine.run_for(6)
    assert status(engine, task) == "running"
    assert engine.run_until_done(task)[0].status is TaskStatus.COMPLETED


@pytest.mark.parametrize("stops", ["stopped", "unsupported"])
def test_a_cancel_ends_with_what_the_service_made_of_it(engine: Engine, service: Service, stops: Stopped) -> None:
    service.says, service.stops = [RUNS], stops
    (task,) = submit(engine)
    engine.run_until_idle()
    engine.api.cancel_task(task.id, reason="not wanted")
    engine.run_until_idle()
    assert status(engine, task) == "cancelled"
    assert service.stopped == [("1", "not wanted")]
    (execution,) = engine.executions(task)
    assert ("goes on" in (execution.error_message or "")) == (stops == "unsupported")


def test_a_cancel_of_a_task_that_asks_stops_its_run(engine: Engine, service: Service) -> None:
    service.says = [lambda _: Asks(Question(text="which?"))]
    (task,) = submit(engine)
    engine.run_until_idle()
    engine.run_for(6)
    assert status(engine, task) == "paused"
    engine.api.cancel_task(task.id, reason="not wanted")
    engine.run_for(2)
    assert status(engine, task) == "cancelled"
    assert service.stopped == [("1", "its task is over")]


def test_a_cancel_that_was_only_asked_for_is_asked_once_and_waits_for_the_end(
    engine: Engine, service: Service
) -> None:
    service.says, service.stops = [RUNS, RUNS, RUNS, DONE], "requested"
    (task,) = submit(engine)
    engine.run_until_idle()
    engine.api.cancel_task(task.id, reason="not wanted")
    engine.run_for(6)
    assert status(engine, task) == "cancelled"
    assert service.stopped == [("1", "not wanted")]


def test_a_run_that_does_not_stop_in_its_grace_is_an_orphan_that_is_stopped(engine: Engine, service: Service) -> None:
    service.says, service.stops = [RUNS], "requested"
    (task,) = submit(engine)
    engine.run_until_idle()
    engine.api.cancel_task(task.id, reason="not wanted")
    engine.run_for(40)
    assert status(engine, task) == "cancelled"
    assert service.stopped == [("1", "not wanted"), ("1", "its task is over")]


def test_an_orphan_that_could_not_be_stopped_is_tried_again(engine: Engine, service: Service) -> None:
    service.says, service.stops = [RUNS], OSError("no answer")
    (task,) = submit(engine, timeout=10, max_retries=0)
    engine.run_for(12)
    assert status(engine, task) == "failed"
    engine.run_for(2)
    tried = len(service.stopped)
    service.stops = "stopped"
    engine.run_until_idle()
    engine.run_until_idle()
    assert len(service.stopped) == tried + 1


def test_what_the_service_does_not_know_is_lost_and_begins_anew(engine: Engine, service: Service) -> None:
    service.says = [lambda _: Gone("no such run"), DONE]
    (task,) = submit(engine)
    (done,) = engine.run_until_done(task)
    assert (done.status, done.lost_count) == (TaskStatus.COMPLETED, 1)
    assert [one.status for one in engine.executions(task)] == [ExecutionStatus.LOST, ExecutionStatus.COMPLETED]
    assert service.previous == [None, None]
    assert service.posts == 2


def test_what_is_lost_again_and_again_is_a_dead_letter(engine: Engine, service: Service) -> None:
    service.says = [lambda _: Gone("no such run")]
    (task,) = submit(engine)
    (done,) = engine.run_until_done(task)
    assert (done.status, done.error_kind) == (TaskStatus.FAILED, "poison")


def test_an_attempt_that_ends_without_a_run_is_an_attempt_as_any_other(engine: Engine, service: Service) -> None:
    service.submits = [Outcome.not_now(5, "busy"), Outcome("failed", error="no", error_kind="auth", retryable=False)]
    (task,) = submit(engine)
    (done,) = engine.run_until_done(task)
    assert (done.status, done.error_kind, done.retry_count) == (TaskStatus.FAILED, "auth", 0)


def test_the_worker_may_die_and_the_run_goes_on(engine: Engine, service: Service) -> None:
    (task,) = submit(engine)
    engine.run_until_idle()
    engine._worker.lose()
    (done,) = engine.run_until_done(task)
    assert (done.status, done.lost_count, service.posts) == (TaskStatus.COMPLETED, 0, 1)


def test_a_pause_of_its_agent_lets_its_runs_end_and_counts_them(engine: Engine) -> None:
    first = submit(engine, 3)
    engine.run_until_idle()
    pause = engine.api.pause(agent_id="far", by="ann")
    assert pause.running == 3
    (late,) = submit(engine)
    engine.run_for(120)
    assert {status(engine, task) for task in first} == {"completed"}
    assert status(engine, late) == "ready"
    engine.api.resume(agent_id="far")


SCHEMA = {"type": "object", "required": ["verdict"]}


def test_a_result_that_does_not_fit_its_schema_is_sent_back_once(engine: Engine, service: Service) -> None:
    service.says = [DONE, RUNS, lambda _: Over(Outcome("completed", output={"verdict": "yes"}))]
    (task,) = submit(engine, output_schema=SCHEMA)
    (done,) = engine.run_until_done(task)
    assert (done.status, done.result) == (TaskStatus.COMPLETED, {"verdict": "yes"})
    assert len(service.sent_back) == 1
    assert "verdict" in service.sent_back[0][0]
    assert (service.posts, len(engine.executions(task))) == (1, 1)


@pytest.mark.parametrize(("repairs", "turns"), [(True, 1), (False, 0)])
def test_a_result_that_still_does_not_fit_fails_and_is_kept(
    engine: Engine, service: Service, repairs: bool, turns: int
) -> None:
    service.says, service.repairs = [DONE], repairs
    (task,) = submit(engine, output_schema=SCHEMA)
    (done,) = engine.run_until_done(task)
    assert (done.status, done.error_kind) == (TaskStatus.FAILED, "invalid_output")
    assert len(service.sent_back) == turns
    assert engine.executions(task)[0].result == {"id": "1"}


def test_a_large_output_lies_by_reference(engine: Engine, service: Service) -> None:
    service.says = [lambda _: Over(Outcome("completed", output={"text": "x" * 300_000}))]
    (task,) = submit(engine)
    (done,) = engine.run_until_done(task)
    assert done.result == {"text": "x" * 300_000}
