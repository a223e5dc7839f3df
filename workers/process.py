"""What one process of a worker is: its node, its store, what runs in it now.

The parent fills :data:`node` before the pool forks; every process that runs agents (a pool child, or the parent
itself with threads) makes its own :class:`WorkerProcess`, because connections do not survive a fork.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from billiard import current_process

from taskengine.agent import Agent, Registry
from taskengine.settings import Settings
from taskengine.store.aio import AsyncStore
from taskengine.store.connect import MAX_CONNECTIONS, SOCKET_TIMEOUT, connect, connect_async
from taskengine.store.forks import PerProcess
from taskengine.store.sync import SyncStore
from taskengine.transport import template
from workers import capture
from workers.agents.serving import ServedAgents
from workers.batch import BatchWatch
from workers.batch_hints import BatchHints
from workers.celery_events import SendsEvents
from workers.durations import Durations
from workers.end_signals import EndSignals
from workers.log_sender import LogSender
from workers.loop import Run
from workers.queues import Served
from workers.recycling import Limits, Recycling
from workers.shared_store import CONNECTIONS, Awaits, SharedStore
from workers.slot_table import SlotTable
from workers.unsent import Page, Unsent

#: Connections of all slots of a threads pool together: a trip is short, and an interpreter makes few at once.
SHARED_CONNECTIONS = 64
#: Seconds between two looks of a pool child at the slot table while a coroutine runs.
_LOOK_SECONDS = 0.25


@dataclass(slots=True)
class LocalRuns:
    """Executions that run in this very process: threads, the solo pool, coroutines."""

    #: Execution -> its coroutine, or None while it is a function in a thread.
    runs: dict[str, Run | None] = field(default_factory=dict)
    #: Asked to cancel, or ended without their consent: their agents should return.
    over: set[str] = field(default_factory=set)
    #: Execution -> monotonic seconds until which somebody follows what it says.
    watched: dict[str, float] = field(default_factory=dict)
    #: To be stopped when this node is cut off.
    paid: set[str] = field(default_factory=set)
    #: Stopped for that.
    stopped: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def cut_off(self) -> int:
        """Stop every run that is paid for; how many."""
        left = self.paid - self.stopped
        for execution in left:
            self.stopped.add(execution)
            self.ask_to_cancel(execution)
        return len(left)

    def ask_to_cancel(self, execution: str) -> None:
        """Tell a run once that it should return; it may take its time to clean up."""
        if execution not in self.over:
            self.interrupt(execution)

    def interrupt(self, execution: str) -> bool:
        """Tell a run that it should return, cancel a coroutine; False when it does not run here."""
        with self.lock:
            if execution not in self.runs:
                return False
            self.over.add(execution)
            run = self.runs[execution]
        if run is not None:
            run.cancel()
        return True

    def enter(self, execution: str) -> None:
        """Make an execution known, which runs."""
        with self.lock:
            self.runs[execution] = None

    def leave(self, execution: str) -> None:
        """Forget an execution that ended: nobody waits for it any more."""
        with self.lock:
            self.runs.pop(execution, None)
            self.over.discard(execution)
            self.watched.pop(execution, None)
            self.paid.discard(execution)
            self.stopped.discard(execution)

    def wait(self, execution: str, run: Run) -> Any:
        """Return what the coroutine of an execution comes to."""
        with self.lock:
            self.runs[execution] = run
            is_over = execution in self.over
        if is_over:
            run.cancel()
        return run.result(None)


@dataclass(slots=True)
class Node:
    """What the parent knows before its children start."""

    settings: Settings
    #: The agents that it may run.
    registry: Registry
    #: Makes the event sender of a process, after the fork; it keeps its notes on the page of a pool child.
    make_events: Callable[[Page | None], SendsEvents]
    url: str
    #: Unique to this start of the worker: an old incarnation's work is never mistaken for the new one's.
    name: str
    #: Celery's node name, the worker that Flower shows.
    hostname: str
    queues: Served
    #: Whether agents run in child processes, which can be ended from outside.
    forks: bool
    slot_table: SlotTable
    local: LocalRuns
    #: What the event senders of its children have not sent.
    unsent: Unsent
    #: Of each of its children.
    limits: Limits
    #: The agents of a real worker, which follow their records; None of one that only a test knows.
    served: ServedAgents | None = field(default=None, kw_only=True)

    @property
    def drain_seconds(self) -> float:
        """Seconds that what runs may take once the node is told to stop; 0: no end."""
        return self.settings.drain_seconds if self.served is None else self.served.drain_seconds

    def watch(self, pid: int, execution: str, seconds: float) -> None:
        """Note that somebody follows what an execution says, for so long."""
        if self.forks:
            self.slot_table.watch(pid, execution, time.monotonic_ns() + round(seconds * 1e9))
        elif execution in self.local.runs:
            self.local.watched[execution] = time.monotonic() + seconds

    def connect(
        self, answer_seconds: float = SOCKET_TIMEOUT, busy_poll_seconds: float = 0.0, shared: int = 0
    ) -> SyncStore:
        """Return a store of one's own; make it after a fork.

        It waits *answer_seconds* for each answer, of them *busy_poll_seconds* awake. *shared*: so many connections for
        all threads together, and as many for what is no script; 0 is one for each thread.
        """
        unverified = self.settings.allow_unverified_tls
        return SyncStore(
            self.url, self.settings, template(),
            lambda: connect(
                self.url, answer_seconds, allow_unverified_tls=unverified, most=2 * shared or MAX_CONNECTIONS
            ),
            busy_poll_seconds, shared,
        )  # fmt: skip


    def any_stops_when_cut_off(self) -> bool:
        """Return whether an agent is served here whose runs are to stop when this node is cut off."""
        return any(getattr(agent.function, "stops_when_cut_off", False) for agent in self.registry)

    def cut_off(self) -> int:
        """Stop what is to stop then; how many runs."""
        return self.local.cut_off() + (self.slot_table.cut_off() if self.forks else 0)

    def connect_async(self) -> Awaits:
        """Return a store for one loop, made after a fork."""
        unverified = self.settings.allow_unverified_tls
        return AsyncStore(
            self.url, self.settings, template(),
            lambda: connect_async(self.url, allow_unverified_tls=unverified, most=CONNECTIONS),
        )  # fmt: skip


class WorkerProcess:
    """The process that runs agents."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.node = node.name
        self.registry = node.registry
        self.threaded = not node.forks
        # Threads share one interpreter lock: one that looks for its answer would take it from those that work.
        self.store = node.connect(
            busy_poll_seconds=node.settings.busy_poll_ms / 1000 if node.forks else 0.0,
            shared=0 if node.forks else SHARED_CONNECTIONS,
        )
        self.shared_store = SharedStore(node.connect_async)
        self.durations = Durations()
        self.recycling = Recycling(node.limits)
        self.batch_hints = BatchHints(node.settings.batch_ms / 1000)
        self.batches = BatchWatch()
        self.log_sender = LogSender(self.store)
        self.end_signals = EndSignals(node.hostname)
        self.hears: capture.Installed | None = capture.Installed()
        self._index = getattr(current_process(), "index", 0) if node.forks else 0
        self.celery_events = node.make_events(node.unsent.page(self._index) if node.forks else None)
        if node.forks:
            self._exit = signal.signal(signal.SIGTERM, self._on_term)

    @property
    def queues(self) -> str:
        """``queue=agent`` words of what the node serves now."""
        return self._node.queues.text

    def agent_of(self, queue: str) -> Agent | None:
        """Return the agent that runs what comes from *queue*; None when there is none here."""
        if queue.startswith("@"):
            return self.registry.get(queue[1:])
        named = self._node.queues.agent_of(queue)
        return (self.registry.get(named) if named else None) or self.registry.offering(queue)

    def is_cancelled(self, execution: str) -> bool:
        """Return whether this execution should return; costs no trip."""
        if self.threaded:
            return execution in self._node.local.over
        return self._node.slot_table.cancelled(self._index, execution)

    def stop_when_cut_off(self, execution: str) -> None:
        """Note that this execution is paid for: it stops once nobody may hear of it any more."""
        if self.threaded:
            self._node.local.paid.add(execution)
        else:
            self._node.slot_table.mark_paid(self._index)

    def is_cut_off(self, execution: str) -> bool:
        """Return whether this execution was stopped for that."""
        if self.threaded:
            return execution in self._node.local.stopped
        return self._node.slot_table.is_cut_off(self._index)

    def is_watched(self, execution: str) -> bool:
        """Return whether somebody follows what this execution says; costs no trip."""
        if self.threaded:
            return self._node.local.watched.get(execution, 0.0) > time.monotonic()
        return self._node.slot_table.watched_until(self._index) > time.monotonic_ns()

    def claimed(self) -> None:
        """Note that a slot claimed; the next beat tells it."""
        self._node.slot_table.claim()

    def give_up(self) -> None:
        """End this pool child and all that its agent started, after a fenced report.

        Its parent ended the execution, or somebody else runs it: nothing of it may go on, and this process may be
        about to be killed for it, so it takes no other work.
        """
        if not self.threaded:
            self.celery_events.flush()
            os.killpg(0, signal.SIGKILL)

    def peak(self) -> int:
        """Bytes of memory that the running execution used at most, as far as sampled; 0 is unknown."""
        return 0 if self.threaded else self._node.slot_table.peak(self._index)

    def running(self, execution: str) -> Running:
        """Make an execution known to the heartbeat while a block lasts; it gives what waits for its coroutine."""
        return Running(self, execution)

    def enter(self, execution: str) -> None:
        """Note that an execution runs here."""
        if self.threaded:
            self._node.local.enter(execution)
        else:
            self._node.slot_table.enter(self._index, os.getpid(), execution)

    def leave(self, execution: str) -> None:
        """Note that it does not run any more."""
        if self.threaded:
            self._node.local.leave(execution)
        else:
            self._node.slot_table.leave(self._index)

    def wait(self, execution: str, run: Run) -> Any:
        """Return what the coroutine of an execution comes to."""
        if self.threaded:
            return self._node.local.wait(execution, run)
        return run.watch(lambda: self.is_cancelled(execution), _LOOK_SECONDS)

    def _on_term(self, number: int, frame: FrameType | None) -> None:
        """Exit, but only on the parent's word: a supervisor's TERM to the group must not cost an agent its run."""
        if not self._node.slot_table.is_protected(self._index) and callable(self._exit):
            self._exit(number, frame)


class Running:
    """An execution that runs while the block lasts; a class, because a generator would cost several times as much."""

    __slots__ = ("_execution", "_process")

    def __init__(self, process: WorkerProcess, execution: str) -> None:
        self._process, self._execution = process, execution

    def __enter__(self) -> Callable[[Run], Any]:
        self._process.enter(self._execution)
        return self._wait

    def __exit__(self, *exc_info: object) -> None:
        self._process.leave(self._execution)

    def _wait(self, run: Run) -> Any:
        return self._process.wait(self._execution, run)


@dataclass(slots=True)
class _Made:
    """What one process has of a worker."""

    making: threading.Lock = field(default_factory=threading.Lock)
    process: WorkerProcess | None = None


class Current:
    """The node and the process of this interpreter; set once by :mod:`workers.lifecycle`."""

    def __init__(self) -> None:
        self.node: Node | None = None
        self._here = PerProcess(_Made)

    def process(self) -> WorkerProcess:
        """This process's part of the worker, made on first use and again after a fork."""
        here = self._here.get()
        with here.making:
            if here.process is None:
                if self.node is None:
                    raise RuntimeError("taskengine.slot runs only inside: celery -A workers worker")
                here.process = WorkerProcess(self.node)
            return here.process

    def is_used_up(self) -> bool:
        """Return whether this process has run all that it may."""
        process = self._here.get().process
        return process is not None and process.recycling.is_over


current = Current()
