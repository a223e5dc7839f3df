"""Ends executions that must end: deadlines, cancels past their grace, hand-backs of a stopping node.

Always in this order: the script first (the token is fenced, the task moves on), then TERM to the process group,
then KILL. Killing first would let the result of a half-ended run be accepted. A child that was ended never goes on
to other work: if it returns in time its report is fenced, and a fenced child ends itself. A thread cannot be ended:
it is told, its lease is taken away, and its slot counts as occupied until it returns.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from taskengine.store import executions
from taskengine.store.nodes import Held, Lost
from taskengine.store.sync import SyncStore
from workers.celery_events import SendsEvents
from workers.child_processes import group_is_alive, is_alive, signal_group
from workers.overdue import time_out
from workers.process import Node
from workers.slot_table import key_of
from workers.stalled_batches import StalledBatches

logger = logging.getLogger(__name__)

#: Seconds that the last events wait for a broker that does not take them.
_LAST_SECONDS = 1.0


@dataclass(slots=True)
class Enforcement:
    """What the parent of a worker enforces."""

    node: Node
    store: SyncStore
    celery_events: SendsEvents
    #: Told which child is about to be ended.
    expect_end: Callable[[int], object] = lambda _: None
    _stalled_batches: StalledBatches = field(init=False)
    #: Process group -> monotonic time at which it is killed.
    _ending: dict[int, float] = field(default_factory=dict)
    #: Executions in threads that are over and have not returned -> monotonic time at which they were over.
    _stuck: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._stalled_batches = StalledBatches(self.node)

    def stuck(self, seconds: float = 0.0) -> int:
        """Threads that an execution has occupied for *seconds* after it was over; one that returned is free."""
        here, now = self.node.local.runs.keys(), time.monotonic()
        self._stuck = {execution: since for execution, since in self._stuck.items() if execution in here}
        return sum(now - since >= seconds for since in self._stuck.values())

    @property
    def occupied(self) -> int:
        """Slots that fenced executions still occupy, in threads or in processes that are being ended."""
        return self.stuck() + len(self._ending)

    @property
    def is_ending(self) -> bool:
        """Whether a group that was told to end may still live."""
        return bool(self._ending)

    def enforce(self, held: Iterable[Held], server_ms: int) -> None:
        """Act on what this node holds, by the server's clock."""
        begun, waiting = self._stalled_batches.look(held)
        self._give_back(waiting, "one that was begun before it lasts")
        for execution in begun:
            if execution.cancel_ms is not None:
                self._cancel(execution, server_ms, execution.cancel_ms)
            elif execution.deadline_ms is not None and server_ms >= execution.deadline_ms:
                self._time_out(execution)
            elif execution.silent_ms is not None and server_ms >= execution.silent_ms:
                self._time_out(execution, silent=True)

    def hand_back(self, held: Iterable[Held], why: str, grace: float) -> None:
        """Give back everything that still runs, then end it: TERM now, KILL after *grace* seconds."""
        for execution in held:
            if self._give_back([execution], why):
                self._end(execution, grace)

    def _give_back(self, held: Sequence[Held], why: str) -> bool:
        """Hand back what one slot holds; whether anything of it ran still."""
        if not held:
            return False
        pairs = [(execution.execution_id, execution.token) for execution in held]
        replies = self.store.run(executions.hand_back(pairs, why))
        for execution, reply in zip(held, replies, strict=True):
            if reply.ok:
                self.celery_events.closed(execution.execution_id, reply.text(), f"handed back: {why}")
                logger.info("handed back execution=%s task=%s", execution.execution_id, execution.task_id)
        return any(reply.ok for reply in replies)

    def bury(self, lost: Iterable[Lost]) -> None:
        """End what the children of lost executions left behind."""
        for execution in lost:
            if self.node.forks and not is_alive(execution.pid):
                self._end_child(execution.pid, key_of(execution.execution_id), 0.0)

    def running(self) -> frozenset[tuple[int, int]]:
        """(process, key on the slot table) of all that runs here by its own account."""
        if self.node.forks:
            return frozenset((pid, key) for _, pid, key in self.node.slot_table.running() if is_alive(pid))
        return frozenset((os.getpid(), key_of(id)) for id in tuple(self.node.local.runs))

    def end_fenced(self, before: frozenset[tuple[int, int]], held: Iterable[Held]) -> None:
        """End what ran *before* a beat and still does, although the answer to the beat does not know it.

        Its lease lapsed while this node was frozen or cut off: somebody else may run the task, its report will be
        refused, and its slot is not free.
        """
        ours = {(one.pid, key_of(one.execution_id)) for one in held}
        for pid, key in (before & self.running()) - ours:
            if not self.node.forks:
                self._tell_fenced(key)
            elif pid not in self._ending:
                logger.warning("ended process group=%d: its execution was fenced", pid)
                self._end_child(pid, key, self.store.settings.kill_after_seconds)

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
        """Kill every group that was told to end or still runs something, without waiting any longer."""
        for pid in {*self._ending, *(pid for _, pid, _ in self.node.slot_table.running())}:
            self.expect_end(pid)
            signal_group(pid, signal.SIGKILL)
        self._ending.clear()

    def take_over(self) -> None:
        """Tell what dead children noted and did not live to tell."""
        self.celery_events.take_over(self.node.unsent.left(is_alive))

    def say_last(self) -> None:
        """Tell all that is to be told before the process ends, for as long as the broker takes it."""
        self.take_over()
        self.celery_events.close(_LAST_SECONDS)

    def _cancel(self, held: Held, server_ms: int, asked_ms: int) -> None:
        if self.node.forks:
            self.node.slot_table.ask_to_cancel(held.pid, held.execution_id)
        else:
            self.node.local.ask_to_cancel(held.execution_id)
        if server_ms < asked_ms + self.store.settings.cancel_grace_seconds * 1000:
            return
        reply = self.store.run(executions.end_cancelled(held.execution_id, held.token))
        if reply.ok:
            self.celery_events.closed(held.execution_id, reply.text(), "cancelled")
            logger.warning("ended cancelled execution=%s after its grace", held.execution_id)
            self._end(held, self.store.settings.kill_after_seconds)

    def _time_out(self, held: Held, *, silent: bool = False) -> None:
        over = time_out(self.store, held.execution_id, held.token, held.task_id, held.deadline_ms, silent=silent)
        if over is not None:
            self.celery_events.closed(held.execution_id, over.became, over.error)
            logger.warning("timed out execution=%s task=%s: %s", held.execution_id, held.task_id, over.error)
            self._end(held, self.store.settings.kill_after_seconds)

    def _end(self, held: Held, grace: float) -> None:
        if self.node.forks:
            self._give_back(self._stalled_batches.beside(held), "the process that had it is ended")
            self._end_child(held.pid, key_of(held.execution_id), grace)
        elif self.node.local.interrupt(held.execution_id):
            self._stuck.setdefault(held.execution_id, time.monotonic())

    def _end_child(self, pid: int, key: int, grace: float) -> None:
        self.node.slot_table.end(pid, key)
        if is_alive(pid):
            self.expect_end(pid)
        signal_group(pid, signal.SIGTERM)
        self._ending[pid] = time.monotonic() + grace

    def _tell_fenced(self, key: int) -> None:
        for execution in tuple(self.node.local.runs):
            if key_of(execution) == key and execution not in self._stuck:
                logger.warning("told execution=%s that it was fenced", execution)
                self.node.local.ask_to_cancel(execution)
                self._stuck[execution] = time.monotonic()
