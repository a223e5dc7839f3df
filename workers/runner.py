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
from taskengine.store import executions, tasks
from taskengine.store.codec import UNREADABLE, dumps
from taskengine.store.executions import Answer, Pace, Report, Slot
from taskengine.store.fields import TaskField
from taskengine.store.keys import Keys
from taskengine.store.replies import Told
from taskengine.store.running import running_task
from workers.batch import Batch, Finished
from workers.binding import bound
from workers.capture import LEVELS, Speaking
from workers.clones import end_if_cloned
from workers.context import Context
from workers.failure import brief
from workers.invoke import encode, invoke
from workers.journal import Voice
from workers.overdue import time_out
from workers.patience import outlast, persist
from workers.process import WorkerProcess
from workers.usage import Meter
from workers.verdict import Verdict, verdict

logger = logging.getLogger(__name__)

_DONE = Verdict("completed", None)

#: Seconds a wake-up waits for a server that does not answer; a lost wake-up costs nothing but time.
_CLAIM_PATIENCE = 20.0


@dataclass(slots=True)
class Runner:
    """The work of one Celery message."""

    process: WorkerProcess
    slot: Slot

    @classmethod
    def of(cls, process: WorkerProcess, message: str) -> Runner:
        """A runner for the message in hand; its nonce makes it a slot of its own."""
        return cls(process, Slot(process.node, uuid4().hex[:12], message, os.getpid(), process.lanes))

    def work(self, token: int) -> int:
        """Take what the message grants and go on while the slice lasts; how many executions ran."""
        until = time.monotonic() + self.process.store.settings.slice_seconds
        claim = executions.claim(self.slot, uuid4().hex[:12], self.slot.message, token)
        answer = persist(self.process.store, claim, seconds=_CLAIM_PATIENCE)
        if answer.word != "refused":
            self.process.claimed()
        told: Sequence[Told] = answer.batch
        ran = 0
        while told:
            ran += len(told)
            told = self._work_off(told, until)
        self.process.announcer.hurry()
        self.process.teller.hurry()
        self.process.durations.tell(self.process.store)
        return ran

    def _work_off(self, told: Sequence[Told], until: float) -> Sequence[Told]:
        """Run what the slot was told, report it in one trip; what the slot got next."""
        batch = Batch(told)
        with self.process.batches.over(batch, self._tell) if len(told) > 1 else nullcontext():
            while (one := batch.take()) is not None:
                batch.end(self._execute(one))
        with batch.telling:
            left, over = batch.close()
        self._hand_back(left)
        return self._report(over, pull=time.monotonic() < until).batch if over else ()

    def _tell(self, left: Sequence[Told], over: Sequence[Finished]) -> None:
        """Behind or before one that lasts: others may run what has not begun, and hear of what has ended."""
        self._hand_back(left)
        if over:
            self._report(over, pull=False)

    def _hand_back(self, left: Sequence[Told]) -> None:
        if left:
            pairs = [(one.execution_id, one.attempt) for one in left]
            persist(self.process.store, executions.hand_back(pairs, "one that was begun before it lasts"))
            logger.info("handed back executions=%d behind one that lasts", len(left))

    def _execute(self, told: Told) -> Finished:
        began = time.perf_counter()
        task, wrong = self._task(told)
        agent = self._agent_for(told)
        name = agent.name if agent else told.lane.lstrip("@")
        self.process.announcer.started(told, name)
        if agent is None:
            outcome, text, large = encode(_no_agent(told))
        else:
            outcome, text, large = encode(wrong or self._run(agent, task, told))
        end_if_cloned(self.slot.pid)
        what = _DONE if outcome.kind == "completed" else verdict(task if wrong else _record(told), outcome)
        if large:
            self._lay_by(told, text)
        report = _report(told, name, outcome, what, "" if large else text, len(text.encode()) if large else 0)
        kind = kind_of(told.lane, told.name)
        self.process.paces.note(kind, time.perf_counter() - began)
        alone = agent is None or agent.goes_alone
        return Finished(told, name, kind, alone, outcome, what.delay_ms, report)

    def _report(self, over: Sequence[Finished], *, pull: bool) -> Answer:
        """Report executions that ended, and tell whoever else wants to know what became of each."""
        last, goes_on = over[-1], True
        for _ in over:
            goes_on = self.process.wear.ran_one()
        alone = last.is_alone or self.process.wear.is_near
        pace = Pace() if alone else self.process.paces.of(last.kind)
        reports = [one.report for one in over]
        answer = persist(self.process.store, executions.report(self.slot, reports, pull=pull and goes_on, pace=pace))
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
        self.process.announcer.ended(one.told, one.outcome, status)
        self.process.teller.ended(one.told, one.agent, one.outcome, status, one.delay_ms)
        if not became:
            self.process.durations.add(one.told.lane, one.kind, one.outcome.usage.wall_seconds or 0.0)

    def _refused(self, one: Finished, word: str, became: str) -> None:
        if word == "overdue":
            self._time_out(one.told, one.agent)
        else:
            gone = TaskStatus.CANCELLED if word == "missing" else ""  # its task was deleted meanwhile
            self._fenced(one.told, word, became or gone)

    def _fenced(self, told: Told, why: str, became: str = "") -> None:
        if became:  # nobody else has told of it
            self.process.announcer.closed(told.execution_id, became, why)
        logger.warning("fenced execution=%s task=%s: %s", told.execution_id, told.task_id, why)
        self.process.give_up()

    def _time_out(self, told: Told, agent: str) -> None:
        """End what was reported after its deadline."""
        id, token, store = told.execution_id, told.attempt, self.process.store
        over = outlast(lambda: time_out(store, id, token, told.task_id, told.deadline_ms), "time_out")
        if over is None:  # its parent was faster, and is about to end this process
            self._fenced(told, "timed_out")
        else:
            late = Outcome("failed", error=over.error, error_kind="timeout")
            self.process.announcer.ended(told, late, over.became)
            self.process.teller.ended(told, agent, late, over.became, None)

    def _task(self, told: Told) -> tuple[Task, Outcome | None]:
        """The task as its agent gets it, and its outcome when no agent can be given it."""
        store, keys = self.process.store, Keys(self.process.store.settings.namespace)
        text = persist(store, executions.payload(keys, told.big)) if told.big else None
        try:
            task = running_task(told, text or None)
        except InvalidInputError as exc:
            return Task(id=UUID(told.task_id), name=told.name), _unreadable(told, exc)
        if told.more_inputs:
            on = persist(store, tasks.fields(keys, told.task_id, TaskField.depends_on))[TaskField.depends_on] or ""
            task.depends_on = {UUID(id) for id in on.split()}
        if told.big and not text:
            return task, _no_input(told)
        try:
            return bound(task, told, lambda id: outlast(lambda: store.run(executions.output(keys, id)), "output")), None
        except (InvalidInputError, NotFoundError) as exc:
            return task, Outcome("failed", error=str(exc), error_kind="expression", retryable=False)

    def _agent_for(self, told: Told) -> Agent | None:
        if told.lane.startswith("@"):
            return self.process.registry.get(told.lane[1:])
        return self.process.registry.offering(told.lane)

    def _run(self, agent: Agent, task: Task, told: Told) -> Outcome:
        store, voice = self.process.store, Voice(told, self.process.courier)
        context = Context(told, store, lambda: self.process.is_cancelled(told.execution_id), voice)
        if self.process.hears is not None:
            self.process.hears.put_back()
        meter = Meter.start(threaded=self.process.threaded)
        with self.process.running(told.execution_id) as wait, Speaking(voice):
            outcome = invoke(agent, task, context, wait)
            outcome = outcome.with_usage(meter.stop(self.process.peak(), outcome.usage.custom))
        voice.finish(store.run, LEVELS)  # before the report: whoever sees the end sees all that was said
        return outcome

    def _lay_by(self, told: Told, text: str) -> None:
        persist(self.process.store, executions.put_payload(told.execution_id, text))


def _record(told: Told) -> Task:
    """The task as it is stored: its agent may have changed the copy that it got."""
    return running_task(told, None)


def _report(told: Told, agent: str, outcome: Outcome, what: Verdict, output: str, big: int) -> Report:
    trace = outcome.traceback or ""
    return Report(
        told.task_id, told.attempt, what.word, agent,
        output=output, big=big, error=outcome.error or "", error_kind=outcome.error_kind or "",
        retry_ms=what.delay_ms or 0, deadline_ms=told.deadline_ms, traceback=trace,
        last_frame=brief(trace) if trace else "",
        usage=_usage(outcome.usage),
    )  # fmt: skip


def _usage(used: Usage) -> str:
    """As canonical JSON; what was measured are rounded numbers, which need no encoder."""
    if used.custom or used.wall_seconds is None:
        fields = {"cpu_percent": used.cpu_percent, "memory_mb": used.memory_mb, "wall_seconds": used.wall_seconds}
        return dumps({**fields, "custom": used.custom} if used.custom else fields, "usage")
    return (
        f'{{"cpu_percent":{used.cpu_percent!r},"memory_mb":{used.memory_mb!r},"wall_seconds":{used.wall_seconds!r}}}'
    )


def _unreadable(told: Told, exc: InvalidInputError) -> Outcome:
    error = f"the record of task {told.task_id} cannot be read: {exc}; delete it and submit it anew"
    return Outcome("failed", error=error, error_kind=UNREADABLE, retryable=False)


def _no_input(told: Told) -> Outcome:
    error = f"the input of task {told.task_id} is gone: nothing lies under its payload {told.big}; submit it anew"
    return Outcome("failed", error=error, error_kind="missing_input", retryable=False)


def _no_agent(told: Told) -> Outcome:
    error = f"no agent for {told.lane!r} is imported in this process; start the worker with --import MODULE"
    return Outcome("failed", error=error, error_kind="invalid_request", retryable=False)
