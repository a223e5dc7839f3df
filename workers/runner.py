"""One slot at work: claim |> run |> classify |> report-and-pull, until nothing is ready or the slice is over."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from uuid import UUID, uuid4

from taskengine.agent import Agent
from taskengine.core.estimates import kind_of
from taskengine.errors import InvalidInputError, NotFoundError
from taskengine.models import Outcome, Task, TaskStatus, Usage
from taskengine.store import executions, remote, tasks
from taskengine.store.codec import UNREADABLE, dumps
from taskengine.store.executions import Answer, BatchHint, Report, Slot
from taskengine.store.fields import TaskField
from taskengine.store.keys import Keys
from taskengine.store.replies import Assignment
from taskengine.store.running import running_task
from workers.agent_context import AgentContext
from workers.batch import Batch, Detached, Finished
from workers.binding import bound
from workers.capture import LEVELS, LogCapture
from workers.context import Results
from workers.disposition import Disposition, disposition
from workers.failure import brief
from workers.fork_guard import exit_if_forked
from workers.invoke import encode, invoke, repairing
from workers.log_buffer import LogStream
from workers.outage_retry import retry_call, retry_outage
from workers.overdue import time_out
from workers.process import WorkerProcess
from workers.prompt import filled
from workers.schema_check import fitted
from workers.usage import Meter

logger = logging.getLogger(__name__)

_DONE = Disposition("completed", None)

#: Seconds until the next attempt of one that was stopped because its worker was cut off.
_CUT_OFF_SECONDS = 1.0
#: Seconds a wake-up waits for a server that does not answer; a lost wake-up costs nothing but time.
_CLAIM_RETRY_SECONDS = 20.0


@dataclass(slots=True)
class Runner:
    """The work of one Celery message."""

    process: WorkerProcess
    slot: Slot

    @classmethod
    def of(cls, process: WorkerProcess, message: str) -> Runner:
        """Return a runner for the message in hand; its nonce makes it a slot of its own."""
        return cls(process, Slot(process.node, uuid4().hex[:12], message, os.getpid(), process.queues))

    def work(self, token: int) -> int:
        """Take what the message grants and go on while the slice lasts; how many executions ran."""
        until = time.monotonic() + self.process.store.settings.slice_seconds
        claim = executions.claim(self.slot, uuid4().hex[:12], self.slot.message, token)
        answer = retry_call(self.process.store, claim, seconds=_CLAIM_RETRY_SECONDS)
        if answer.word != "refused":
            self.process.claimed()
        assignments: Sequence[Assignment] = answer.batch
        ran = 0
        while assignments:
            ran += len(assignments)
            assignments = self._work_off(assignments, until)
        self.process.celery_events.hurry()
        self.process.end_signals.hurry()
        self.process.durations.tell(self.process.store)
        return ran

    def _work_off(self, assignments: Sequence[Assignment], until: float) -> Sequence[Assignment]:
        """Run what the slot was told, report it in one trip; what the slot got next."""
        batch, detached = Batch(assignments), list[Detached]()
        with self.process.batches.over(batch, self._tell) if len(assignments) > 1 else nullcontext():
            while (one := batch.take()) is not None:
                came_to = self._execute(one)
                if isinstance(came_to, Detached):
                    detached.append(came_to)
                else:
                    batch.end(came_to)
        with batch.telling:
            left, over = batch.close()
        self._hand_back(left)
        if detached:
            return self._let_go(detached, over, until)
        return self._report(over, pull=time.monotonic() < until).batch if over else ()

    def _let_go(
        self, detached: Sequence[Detached], over: Sequence[Finished], until: float
    ) -> Sequence[Assignment]:
        """Free the slot of executions that go on at a service; what it gets when it holds nothing more."""
        if over:
            self._report(over, pull=False)
        follows: Sequence[Assignment] = ()
        for number, one in enumerate(detached, 1):
            goes_on = self.process.recycling.ran_one() and time.monotonic() < until
            pull = number == len(detached) and goes_on
            verb = remote.detach(
                self.slot, one.assignment.execution_id, one.assignment.attempt, one.reference, poll_ms=one.poll_ms,
                taken_up=one.is_taken_up, pull=pull,
            )  # fmt: skip
            answer = retry_call(self.process.store, verb)
            if answer.word == "ok":
                follows = answer.batch
                logger.info("detached execution=%s agent=%s", one.assignment.execution_id, one.agent)
            else:
                self._fenced(one.assignment, answer.detail or answer.word)
        return follows

    def _tell(self, left: Sequence[Assignment], over: Sequence[Finished]) -> None:
        """Behind or before one that lasts: others may run what has not begun, and hear of what has ended."""
        self._hand_back(left)
        if over:
            self._report(over, pull=False)

    def _hand_back(self, left: Sequence[Assignment]) -> None:
        if left:
            pairs = [(one.execution_id, one.attempt) for one in left]
            retry_call(self.process.store, executions.hand_back(pairs, "one that was begun before it lasts"))
            logger.info("handed back executions=%d behind one that lasts", len(left))

    def _execute(self, assignment: Assignment) -> Finished | Detached:
        began = time.perf_counter()
        task, raw, wrong = self._task(assignment)
        agent = self.process.agent_of(assignment.queue)
        name = agent.name if agent else assignment.queue.lstrip("@")
        self.process.celery_events.started(assignment, name)
        more = ""
        if agent is None:
            outcome, text, large = encode(_no_agent(assignment))
        elif wrong:
            outcome, text, large = encode(wrong)
        else:
            ended, context = self._run(agent, task, raw, assignment)
            if context.detached is not None:
                exit_if_forked(self.slot.pid)
                poll_ms = round(1000 * context.poll_seconds)
                return Detached(assignment, name, context.detached, poll_ms, context.is_taken_up)
            outcome, text, large = encode(ended)
            more = context.more(ended)
        exit_if_forked(self.slot.pid)
        what = _DONE if outcome.kind == "completed" else disposition(task if wrong else _record(assignment), outcome)
        if large:
            self._put_by_reference(assignment, text)
        big = len(text.encode()) if large else 0
        report = report_of(assignment, name, outcome, what, "" if large else text, big, more)
        kind = kind_of(assignment.queue, assignment.name)
        self.process.batch_hints.note(kind, time.perf_counter() - began)
        alone = agent is None or agent.goes_alone
        return Finished(assignment, name, kind, alone, outcome, what.delay_ms, report)

    def _report(self, over: Sequence[Finished], *, pull: bool) -> Answer:
        """Report executions that ended, and tell whoever else wants to know what became of each."""
        last, goes_on = over[-1], True
        for _ in over:
            goes_on = self.process.recycling.ran_one()
        alone = last.is_alone or self.process.recycling.is_near
        hint = BatchHint() if alone else self.process.batch_hints.of(last.kind)
        reports = [one.report for one in over]
        answer = retry_call(self.process.store, executions.report(self.slot, reports, pull=pull and goes_on, hint=hint))
        refused = []
        for one, word, became in zip(over, answer.outcomes, answer.became, strict=True):
            if word == "ok":
                self._accepted(one, became)
            else:
                refused.append((one, word, became))
        for one, word, became in refused:  # last: one of them may end this process
            self._refused(one, word, became)
        return answer

    def _accepted(self, one: Finished, became: str) -> None:
        status = became or TaskStatus.COMPLETED
        self.process.celery_events.ended(one.assignment, one.outcome, status)
        self.process.end_signals.ended(one.assignment, one.agent, one.outcome, status, one.delay_ms)
        if not became:
            self.process.durations.add(one.assignment.queue, one.kind, one.outcome.usage.wall_seconds or 0.0)
        if "res" in one.assignment.extra:
            self.process.durations.add_peak(one.agent, one.kind, one.outcome.usage)

    def _refused(self, one: Finished, word: str, became: str) -> None:
        if word == "overdue":
            self._time_out(one.assignment, one.agent)
        else:
            gone = TaskStatus.CANCELLED if word == "missing" else ""  # its task was deleted meanwhile
            self._fenced(one.assignment, word, became or gone)

    def _fenced(self, assignment: Assignment, why: str, became: str = "") -> None:
        if became:  # nobody else has told of it
            self.process.celery_events.closed(assignment.execution_id, became, why)
        logger.warning("fenced execution=%s task=%s: %s", assignment.execution_id, assignment.task_id, why)
        self.process.give_up()

    def _time_out(self, assignment: Assignment, agent: str) -> None:
        """End what was reported after its deadline."""
        id, token, store = assignment.execution_id, assignment.attempt, self.process.store
        over = retry_outage(lambda: time_out(store, id, token, assignment.task_id, assignment.deadline_ms), "time_out")
        if over is None:  # its parent was faster, and is about to end this process
            self._fenced(assignment, "timed_out")
        else:
            late = Outcome("failed", error=over.error, error_kind="timeout")
            self.process.celery_events.ended(assignment, late, over.became)
            self.process.end_signals.ended(assignment, agent, late, over.became, None)

    def _task(self, assignment: Assignment) -> tuple[Task, Task, Outcome | None]:
        """Return the task as its agent gets it, as it is stored, and its outcome when no agent can be given it."""
        store, keys = self.process.store, Keys(self.process.store.settings.namespace)
        text = retry_call(store, executions.payload(keys, assignment.big)) if assignment.big else None
        try:
            raw = running_task(assignment, text or None)
        except InvalidInputError as exc:
            none = Task(id=UUID(assignment.task_id), name=assignment.name)
            return none, none, _unreadable(assignment, exc)
        if assignment.more_inputs:
            on = (
                retry_call(store, tasks.fields(keys, assignment.task_id, TaskField.depends_on))[TaskField.depends_on]
                or ""
            )
            raw.depends_on = {UUID(id) for id in on.split()}
        if assignment.big and not text:
            return raw, raw, _no_input(assignment)
        try:
            task = bound(
                raw, assignment, lambda id: retry_outage(lambda: store.run(executions.output(keys, id)), "output")
            )
            return filled(task, Results(assignment, store)) if task.template else task, raw, None
        except (InvalidInputError, NotFoundError) as exc:
            return raw, raw, Outcome("failed", error=str(exc), error_kind="expression", retryable=False)

    def _run(self, agent: Agent, task: Task, raw: Task, assignment: Assignment) -> tuple[Outcome, AgentContext]:
        """Return how it ended, and what its agent left in its context."""
        store, log_stream = self.process.store, LogStream(assignment, self.process.log_sender)
        context = AgentContext(assignment, self.process, log_stream, task, raw, agent)
        if self.process.hears is not None:
            self.process.hears.put_back()
        meter = Meter.start(threaded=self.process.threaded)
        with self.process.running(assignment.execution_id) as wait, LogCapture(log_stream):
            if getattr(agent.function, "stops_when_cut_off", False):
                self.process.stop_when_cut_off(assignment.execution_id)
            outcome = (assignment.extra and capped(context, assignment)) or invoke(agent, task, context, wait)
            if raw.output_schema is not None and context.detached is None:
                outcome = fitted(raw.output_schema, outcome, repairing(agent, task, context, wait))
            if outcome.kind == "cancelled" and self.process.is_cut_off(assignment.execution_id):
                outcome = Outcome.not_now(_CUT_OFF_SECONDS, "its worker was cut off from the server")
            outcome = outcome.measured(meter.stop(self.process.peak(), outcome.usage.custom))
        context.end_stream()
        context.close()
        log_stream.finish(store.run, LEVELS)  # before the report: whoever sees the end sees all that was said
        return outcome, context

    def _put_by_reference(self, assignment: Assignment, text: str) -> None:
        retry_call(self.process.store, executions.put_payload(assignment.execution_id, text))


def _record(assignment: Assignment) -> Task:
    """Return the task as it is stored: its agent may have changed the copy that it got."""
    return running_task(assignment, None)


def report_of(
    assignment: Assignment, agent: str, outcome: Outcome, what: Disposition, output: str, big: int, more: str
) -> Report:
    """Return the report of an execution that ended."""
    trace = outcome.traceback or ""
    return Report(
        assignment.task_id, assignment.attempt, what.word, agent,
        output=output, big=big, error=outcome.error or "", error_kind=outcome.error_kind or "",
        retry_ms=what.delay_ms or 0, deadline_ms=assignment.deadline_ms, traceback=trace,
        last_frame=brief(trace) if trace else "",
        usage=_usage(outcome.usage), more=more, execution=assignment.execution_id,
    )  # fmt: skip


def _usage(used: Usage) -> str:
    """As canonical JSON; what was measured are rounded numbers, which need no encoder."""
    if used.custom or None in (used.cpu_percent, used.memory_mb, used.wall_seconds):
        fields = {"cpu_percent": used.cpu_percent, "memory_mb": used.memory_mb, "wall_seconds": used.wall_seconds}
        return dumps({**fields, "custom": used.custom} if used.custom else fields, "usage")
    return (
        f'{{"cpu_percent":{used.cpu_percent!r},"memory_mb":{used.memory_mb!r},"wall_seconds":{used.wall_seconds!r}}}'
    )


def capped(context: AgentContext, assignment: Assignment) -> Outcome | None:
    """Return the outcome of a task that may use no token more; None of any other."""
    if context.tokens_left != 0:
        return None
    most = assignment.extra["cap"]
    error = f"its attempts used {context.tokens_used} tokens, and its max_total_tokens is {most}; raise that"
    return Outcome("failed", error=error, error_kind="limit", retryable=False)


def _unreadable(assignment: Assignment, exc: InvalidInputError) -> Outcome:
    error = f"the record of task {assignment.task_id} cannot be read: {exc}; delete it and submit it anew"
    return Outcome("failed", error=error, error_kind=UNREADABLE, retryable=False)


def _no_input(assignment: Assignment) -> Outcome:
    error = (
        f"the input of task {assignment.task_id} is gone: nothing lies under its payload {assignment.big}; "
        "submit it anew"
    )
    return Outcome("failed", error=error, error_kind="missing_input", retryable=False)


def _no_agent(assignment: Assignment) -> Outcome:
    error = f"no agent for {assignment.queue!r} is imported in this process; start the worker with --import MODULE"
    return Outcome("failed", error=error, error_kind="invalid_request", retryable=False)
