"""Tells how an execution ended: a line in the worker's log, and Celery's signals to whoever listens in its process.

Both call the task by its own name and say what became of it; Celery itself sees one task, whose messages only wake
slots, so what it would say of them (received, succeeded) is kept from the log, and its ``task_success`` from the
receivers. A failure or a retry is logged at once, with its traceback. Of successes a thread writes what came, five
times a second and when a slot has nothing more to do; in a storm the first of them and how many more, unless the log
level is debug. A signal that nobody listens to costs a look.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import NamedTuple

from billiard.einfo import ExceptionInfo
from celery import current_task, signals
from celery.app.task import Context as Request
from celery.exceptions import Ignore, Retry

from taskengine.core.lifecycle import TERMINAL
from taskengine.errors import TaskExecutionError
from taskengine.models import Outcome, TaskStatus
from taskengine.store.replies import Assignment
from taskengine.transport import SLOT_TASK
from workers.failure import from_agent
from workers.plain import trace_of
from workers.redaction import redacted

#: Seconds between two looks at what succeeded, and successes of one look that have a line each.
_LOOK_SECONDS, _MOST_LINES = 0.2, 50
#: Characters of a task's name in a line.
_NAME_LENGTH = 80

#: Characters that would end a line, or move the cursor or turn the direction of whatever shows it, and their names.
_ESCAPED = {
    code: repr(chr(code))[1:-1]
    for code in (*range(32), *range(127, 160), *range(0x2028, 0x202F), *range(0x2066, 0x206A))
}
#: The same in a traceback, which has lines.
_ESCAPED_IN_LINES = {code: name for code, name in _ESCAPED.items() if code != ord("\n")}

#: How loud a line is by what the task became; all else is another attempt.
_LEVELS: dict[str, int] = {TaskStatus.FAILED: logging.ERROR, TaskStatus.CANCELLED: logging.INFO}

logger = logging.getLogger(__name__)


class Ended(NamedTuple):
    """An execution that is over."""

    word: str
    name: str
    task_id: str
    agent: str
    attempt: int
    seconds: float

    @property
    def line(self) -> str:
        """It in one line."""
        name = redacted(self.name)[:_NAME_LENGTH]
        return (
            f"{self.word} {name!r} task={self.task_id} agent={self.agent} attempt={self.attempt} "
            f"seconds={self.seconds:.3f}"
        )


class Sender:
    """Who a signal comes from: what receivers of Celery's signals ask a task for."""

    def __init__(self, assignment: Assignment, agent: str, hostname: str) -> None:
        #: The task's, as its client named it.
        self.name = assignment.name
        self.agent = agent
        args = [assignment.name]
        kwargs = {"task": assignment.task_id, "run": assignment.run_id, "attempt": assignment.attempt}
        #: ``id`` is the task's, the same for all of its attempts; inputs are not in it.
        self.request = Request(
            id=assignment.task_id, args=args, kwargs=kwargs, retries=assignment.retries, root_id=assignment.run_id,
            hostname=hostname,
            execution_id=assignment.execution_id, delivery_info={"routing_key": assignment.queue},
        )  # fmt: skip


class EndSignals:
    """Tells for one process; any thread may speak."""

    def __init__(self, hostname: str) -> None:
        self._hostname = hostname
        self._waiting: deque[Ended] = deque()
        self._news = threading.Event()
        self._now = threading.Event()
        self._lock = threading.Lock()
        self._is_started = False

    def ended(self, assignment: Assignment, agent: str, outcome: Outcome, became: str, delay_ms: int | None) -> None:
        """An execution ended and its task *became* that; *delay_ms* until another attempt, if any."""
        seconds = outcome.usage.wall_seconds or 0.0
        if became == TaskStatus.COMPLETED:
            if logger.isEnabledFor(logging.INFO):
                self._note(Ended("completed", assignment.name, assignment.task_id, agent, assignment.attempt, seconds))
            if signals.task_success.receivers:
                sender = Sender(assignment, agent, self._hostname)
                signals.task_success.send(sender=sender, result=outcome.output, runtime=seconds)
            return
        level = logging.INFO if outcome.kind == "needs_input" else _LEVELS.get(became, logging.WARNING)
        said = Ended(became, assignment.name, assignment.task_id, agent, assignment.attempt, seconds).line
        when = "" if delay_ms is None or became in TERMINAL else f" in={delay_ms / 1000:.1f}"
        error = (outcome.error or "").translate(_ESCAPED)
        trace = f"\n{outcome.traceback.rstrip().translate(_ESCAPED_IN_LINES)}" if outcome.traceback else ""
        logger.log(level, "%s%s: %s%s", said, when, error, trace)
        if became != TaskStatus.CANCELLED and outcome.kind != "needs_input":  # who asks has neither failed nor retries
            try:
                self._signal(assignment, agent, outcome, None if became in TERMINAL else delay_ms or 0)
            except Exception as exc:  # whatever an agent's error raises when it is looked at
                logger.warning("no signal for task=%s: its error raises %s", assignment.task_id, type(exc).__name__)

    def hurry(self) -> None:
        """A slot has nothing more to do: write what waits."""
        if self._waiting:
            self._now.set()

    def write(self) -> None:
        """Write what succeeded, in the calling thread."""
        with self._lock:
            count = len(self._waiting)
            shown = count if logger.isEnabledFor(logging.DEBUG) else min(count, _MOST_LINES)
            for number in range(count):
                one = self._waiting.popleft()
                if number < shown:
                    logger.info("%s", one.line)
            if count > shown:
                logger.info("completed %d more; log level debug names each", count - shown)

    def _signal(self, assignment: Assignment, agent: str, outcome: Outcome, delay_ms: int | None) -> None:
        signal = signals.task_failure if delay_ms is None else signals.task_retry
        if not signal.receivers:
            return
        sender = Sender(assignment, agent, self._hostname)
        exc = outcome.exception or _raised(TaskExecutionError(outcome.error or "the agent said failed, not why"))
        trace = from_agent(trace_of(exc))
        info = ExceptionInfo((type(exc), exc, trace))
        if delay_ms is None:
            signal.send(
                sender=sender, task_id=assignment.task_id, exception=exc, args=sender.request.args,
                kwargs=sender.request.kwargs, traceback=trace, einfo=info,
            )  # fmt: skip
        else:
            reason = Retry(f"Retry in {delay_ms / 1000:g}s: {outcome.error}")
            # The real one, which Retry would replace where it cannot be pickled.
            reason.exc, reason.when = exc, delay_ms / 1000  # type: ignore[assignment]  # it takes any number
            signal.send(sender=sender, request=sender.request, reason=reason, einfo=info)

    def _note(self, one: Ended) -> None:
        self._waiting.append(one)
        if not self._is_started:
            with self._lock:
                starts, self._is_started = not self._is_started, True
            if starts:
                threading.Thread(target=self._write_forever, name="taskengine-endings", daemon=True).start()
        if not self._news.is_set():
            self._news.set()

    def _write_forever(self) -> None:
        while True:
            self._news.wait()
            self._now.wait(_LOOK_SECONDS)
            self._now.clear()
            self._news.clear()
            self.write()


class _OnlyNews(logging.Filter):
    """Lets nothing pass that Celery says at INFO of a message, which is a wake-up and not a task."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether it passes: all that has another cause or another task, and everything at log level debug."""
        if record.levelno > logging.INFO or not hasattr(record, "data"):
            return True
        is_ours = not current_task or current_task.name == SLOT_TASK
        return not is_ours or logger.isEnabledFor(logging.DEBUG)


def quieten_celery() -> None:
    """Let the log tell of executions instead of messages; safe to repeat."""
    for name in ("celery.worker.strategy", "celery.app.trace"):
        log = logging.getLogger(name)
        if not any(isinstance(each, _OnlyNews) for each in log.filters):
            log.addFilter(_OnlyNews())


def end_message() -> None:
    """End the task of a message without its ``task_success``, which somebody would take for a task's."""
    if signals.task_success.receivers:
        raise Ignore


def _raised(exc: Exception) -> Exception:
    try:
        raise exc
    except type(exc) as caught:
        return caught
