"""Ends executions that must end: deadlines, cancels past their grace, hand-backs of a stopping node.

Always in this order: the script first (the token is fenced, the task moves on), then TERM to the process group, then
KILL. Killing first would let the result of a half-ended run be accepted. A thread can not be ended: it is told, its
lease is taken away, and its slot counts as occupied until it returns.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from taskengine.models import Outcome, Task
from taskengine.store import executions, tasks
from taskengine.store.nodes import Held
from taskengine.store.sync import SyncStore
from workers.hands import group_is_alive, signal_group
from workers.process import Node
from workers.verdict import retry_ms

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Enforcement:
    """What the parent of a worker enforces."""

    node: Node
    store: SyncStore
    #: Process group -> monotonic time at which it is killed.
    _ending: dict[int, float] = field(default_factory=dict)
    #: Executions in threads that are over and have not returned.
    _stuck: set[str] = field(default_factory=set)

    @property
    def stuck(self) -> int:
        """Slots that a fenced execution still occupies."""
        self._stuck &= self.node.local.futures.keys()
        return len(self._stuck)

    def enforce(self, held: Iterable[Held], server_ms: int) -> None:
        """Act on what this node holds, by the server's clock."""
        for execution in held:
            if execution.cancel_ms is not None:
                self._cancel(execution, server_ms)
            elif execution.deadline_ms is not None and server_ms >= execution.deadline_ms:
                self._time_out(execution)

    def hand_back(self, held: Iterable[Held], why: str) -> None:
        """Give back everything that still runs, then end it."""
        for execution in held:
            if self.store.run(executions.hand_back(execution.execution_id, execution.token, why)).ok:
                logger.info("handed back execution=%s task=%s: %s", execution.execution_id, execution.task_id, why)
                self._end(execution)

    def finish_ending(self) -> None:
        """Kill the groups whose time is up."""
        now = time.monotonic()
        for pid, kill_at in list(self._ending.items()):
            if not group_is_alive(pid):
                del self._ending[pid]
            elif now >= kill_at:
                logger.warning("killed process group=%d: it ignored TERM", pid)
                signal_group(pid, signal.SIGKILL)

    def kill_all(self) -> None:
        """Kill every group that was told to end, without waiting any longer."""
        for pid in self._ending:
            signal_group(pid, signal.SIGKILL)
        self._ending.clear()

    @property
    def ending(self) -> bool:
        """Whether a group that was told to end may still live."""
        return bool(self._ending)

    def _cancel(self, held: Held, server_ms: int) -> None:
        grace_ms = self.store.settings.cancel_grace_seconds * 1000
        if self.node.forks:
            self.node.board.ask_to_cancel(held.pid, held.execution_id)
        else:
            self.node.local.interrupt(held.execution_id)
        if held.cancel_ms is not None and server_ms >= held.cancel_ms + grace_ms:
            if self.store.run(executions.end_cancelled(held.execution_id, held.token)).ok:
                logger.warning("ended cancelled execution=%s after its grace", held.execution_id)
                self._end(held)

    def _time_out(self, held: Held) -> None:
        task = self.store.run(tasks.read([held.task_id]))[0]
        if task is None:
            return
        seconds = task.timeout or self.store.settings.default_timeout
        error = f"attempt {held.token} ran longer than its timeout of {seconds:g} s"
        delay = retry_ms(_at_attempt(task, held), Outcome("failed", error=error, error_kind="timeout"))
        ended = self.store.run(executions.time_out(held.execution_id, held.token, retry_ms=delay, error=error))
        if ended.ok:
            logger.warning("timed out execution=%s task=%s", held.execution_id, held.task_id)
            self._end(held)

    def _end(self, held: Held) -> None:
        if not self.node.forks:
            self.node.local.interrupt(held.execution_id)
            self._stuck.add(held.execution_id)
        elif self.node.board.runs(held.pid, held.execution_id):
            signal_group(held.pid, signal.SIGTERM)
            self._ending[held.pid] = time.monotonic() + self.store.settings.kill_after_seconds


def _at_attempt(task: Task, held: Held) -> Task:
    return task.model_copy(update={"execution_id": UUID(held.execution_id)})
