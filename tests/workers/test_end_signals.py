"""What became of an execution is in the worker's log and told to receivers of Celery's signals, by the task's name."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from celery import signals

from taskengine import NotNow, RetryRules, Task, TaskExecutionError, agent
from taskengine.models import Outcome, Usage
from taskengine.store.replies import Assignment
from taskengine.testing import Engine
from workers import end_signals as room
from workers.end_signals import EndSignals

from ..fleet import Fleet, until
from .conftest import Pool

START = datetime(2030, 1, 1, tzinfo=UTC)
QUEUE = "telling"


class RefusedError(Exception):
    """An error of an agent's own, which cannot be pickled: its arguments are not those of its constructor."""

    def __init__(self, code, why):
        super().__init__(f"{code}: {why}")
        self.code = code


class HidingError(Exception):
    """Raises when it is looked at."""

    @property
    def __cause__(self):
        raise ValueError("not my cause")

    def __str__(self):
        raise ValueError("not my words")


def _work(task, context):
    match task.input["do"]:
        case "raise":
            raise RefusedError(7, f"attempt {context.attempt}, password=hunter2")
        case "wait":
            if context.attempt == 1:
                raise NotNow(3, reason="too many")
        case "hide":
            raise HidingError
        case "say failed":
            return Outcome("failed", error="it said so")
    return {"n": 1}


@contextmanager
def _heard(*names):
    """What receivers of these signals are told while the block lasts."""
    found = []
    for name in names:
        signal = getattr(signals, name)
        signal.connect(lambda name=name, **said: found.append((name, said)), weak=False, dispatch_uid=name)
    try:
        yield found
    finally:
        for name in names:
            getattr(signals, name).disconnect(dispatch_uid=name)


@pytest.fixture
def run():
    """Runs one task to its end; the engine and the task."""
    with Engine([agent("telling", capabilities={QUEUE})(_work)], start=START) as engine:

        def run(do, **options):
            task = Task(name="lint", capability=QUEUE, input={"do": do}, retry=RetryRules(initial_interval=2, jitter=0))
            (stored,) = engine.submit(task.model_copy(update=options))
            engine.run_until_done(stored)
            return stored

        yield run


def test_a_failure_is_signalled_with_the_tasks_name_and_the_real_exception(run):
    with _heard("task_failure", "task_retry", "task_success") as heard:
        task = run("raise", max_retries=0)
    ((name, said),) = heard
    assert name == "task_failure"
    assert set(said) == {"signal", "sender", "task_id", "exception", "args", "kwargs", "traceback", "einfo"}
    assert (said["sender"].name, said["task_id"]) == ("lint", str(task.id))
    assert (type(said["exception"]), said["exception"].code) == (RefusedError, 7)
    assert said["args"] == ["lint"]
    assert said["kwargs"] == {"task": str(task.id), "run": str(task.run_id), "attempt": 1}
    assert said["traceback"].tb_frame.f_code.co_name == "_work"
    assert said["einfo"].exception.exc is said["exception"]  # as Celery wraps it
    assert "in _work" in said["einfo"].traceback


def test_retries_are_signalled_with_the_same_id_as_the_end(run):
    with _heard("task_failure", "task_retry", "task_success") as heard:
        task = run("raise", max_retries=1)
    (retry, again), (failure, end) = heard
    assert (retry, failure) == ("task_retry", "task_failure")
    assert set(again) == {"signal", "sender", "request", "reason", "einfo"}
    assert again["request"].id == end["task_id"] == str(task.id)
    assert isinstance(again["reason"].exc, RefusedError)
    assert again["reason"].when == 2.0
    assert (again["request"].retries, end["sender"].request.retries) == (0, 1)


def test_what_waits_is_a_retry_and_then_a_success(run):
    with _heard("task_failure", "task_retry", "task_success") as heard:
        run("wait")
    (retry, again), (success, end) = heard
    assert (retry, success) == ("task_retry", "task_success")
    assert isinstance(again["reason"].exc, NotNow)
    assert set(end) == {"signal", "sender", "result", "runtime"}
    assert (end["sender"].name, end["result"]) == ("lint", {"n": 1})
    assert end["runtime"] >= 0


def test_a_failure_without_an_exception_is_signalled_with_one_that_says_why(run):
    with _heard("task_failure") as heard:
        run("say failed", max_retries=0)
    ((_, said),) = heard
    assert isinstance(said["exception"], TaskExecutionError)
    assert str(said["exception"]) == "it said so"


def test_a_receiver_that_raises_changes_nothing(run, caplog):
    def breaks(**_):
        raise RuntimeError("a broken receiver")

    signals.task_failure.connect(breaks, weak=False, dispatch_uid="breaks")
    try:
        run("raise", max_retries=0)
    finally:
        signals.task_failure.disconnect(dispatch_uid="breaks")
    assert "a broken receiver" in caplog.text


def test_an_error_that_cannot_be_shown_costs_its_signal_alone(run, caplog):
    with _heard("task_failure"):
        task = run("hide", max_retries=0)
    assert f"failed 'lint' task={task.id}" in caplog.text


def test_each_end_has_one_line_with_name_id_agent_outcome_and_seconds(run, caplog):
    caplog.set_level(logging.INFO, "workers.end_signals")
    task = run("raise", max_retries=1)
    again, end = (record for record in caplog.records if record.name == "workers.end_signals")
    start = f"'lint' task={task.id} agent=telling attempt="
    assert again.levelno == logging.WARNING
    assert again.message.startswith(f"retrying {start}1 seconds=0.")
    assert " in=2.0: " in again.message
    assert end.levelno == logging.ERROR
    assert end.message.startswith(f"failed {start}2 seconds=0.")
    assert "attempt 2, password=*** (test_end_signals.py:" in end.message
    assert 'test_end_signals.py", line' in end.message


def _told(number):
    return Assignment(f"e{number}", f"id{number}", 1, 0, "run", f"t{number} token=x", "{}", 0, "")


def test_no_text_of_others_writes_a_line_or_moves_the_cursor(caplog):
    caplog.set_level(logging.INFO, "workers.end_signals")
    end_signals = EndSignals("w@h")
    end_signals._is_started = True  # no thread: the test writes
    awkward = "a\x1b[2J\x00\x9b31m\r\nfailed 'b'\t\x85\u2028\u202ec"
    told = replace(_told(1), name=awkward)
    usage = Usage(wall_seconds=0.25)
    outcome = Outcome("failed", error=awkward, traceback="Traceback\n  at\x1b[2J\r\nE: \x00", usage=usage)
    end_signals.ended(told, "ruff", outcome, "failed", None)
    end_signals.ended(told, "ruff", replace(outcome, kind="completed"), "completed", None)
    end_signals.write()
    escaped = r"a\x1b[2J\x00\x9b31m\r\nfailed 'b'\t\x85\u2028\u202ec"
    facts = f'"{escaped}" task=id1 agent=ruff attempt=1 seconds=0.250'
    failed, completed = caplog.messages
    assert failed.split("\n") == [f"failed {facts}: {escaped}", "Traceback", r"  at\x1b[2J\r", r"E: \x00"]
    assert completed == f"completed {facts}"


def test_successes_are_written_in_one_go_and_a_storm_is_counted(caplog):
    caplog.set_level(logging.INFO, "workers.end_signals")
    end_signals = EndSignals("w@h")
    end_signals._is_started = True  # no thread: the test writes
    for number in range(room._MOST_LINES + 7):
        end_signals.ended(
            _told(number), "ruff", Outcome("completed", usage=Usage(wall_seconds=0.25)), "completed", None
        )
    assert not caplog.records
    end_signals.write()
    first, *_, last = caplog.messages
    assert first == "completed 't0 token=***' task=id0 agent=ruff attempt=1 seconds=0.250"
    assert last == "completed 7 more; log level debug names each"
    assert len(caplog.messages) == room._MOST_LINES + 1


def test_the_workers_log_tells_of_executions_and_not_of_messages(fleet: Fleet, pool: Pool) -> None:
    (done,) = fleet.run(Task(name="fine", capability=pool.queue, input={"do": "nothing"}))
    bad = Task(name="bad", capability=pool.queue, input={"do": "fail", "message": "no ink"}, max_retries=0)
    (failed,) = fleet.run(bad)
    until(lambda: f"completed 'fine' task={done.id} agent=" in pool.worker.log(), what="the success")
    until(lambda: f"failed 'bad' task={failed.id} agent=" in pool.worker.log(), what="the failure")
    log = pool.worker.log()
    assert "Traceback (most recent call last)" in log
    assert "succeeded in" not in log
    assert "] received" not in log
