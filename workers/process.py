"""What one process of a worker is: its node, its store, what runs in it now.

The parent fills :data:`node` before the pool forks; every process that runs agents (a pool child, or the parent
itself with threads) makes its own :class:`WorkerProcess`, because connections do not survive a fork.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from billiard import current_process
from celery import Celery

from taskengine.settings import Settings
from taskengine.store.sync import SyncStore
from taskengine.transport import template
from workers.announce import Announcer
from workers.board import Board


@dataclass(slots=True)
class LocalRuns:
    """Executions that run in this very process: threads, the solo pool, coroutines."""

    futures: dict[str, Future[Any] | None] = field(default_factory=dict)
    #: Asked to cancel, or ended without their consent: their agents should return.
    over: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, execution: str) -> bool:
        """Tell a run that it should return; False when it does not run here."""
        with self.lock:
            if execution not in self.futures:
                return False
            self.over.add(execution)
            return True

    def interrupt(self, execution: str) -> None:
        """End a coroutine; a thread can only be told."""
        self.tell(execution)
        future = self.futures.get(execution)
        if future is not None:
            future.cancel()


@dataclass(slots=True)
class Node:
    """What the parent knows before its children start."""

    app: Celery
    settings: Settings
    url: str
    #: Unique to this start of the worker: an old incarnation's work is never mistaken for the new one's.
    name: str
    #: Celery's node name, the worker that Flower shows.
    hostname: str
    lanes: str
    #: Whether agents run in child processes, which can be ended from outside.
    forks: bool
    board: Board
    local: LocalRuns

    def connect(self) -> SyncStore:
        """A store of one's own; make it after a fork."""
        return SyncStore(self.url, self.settings, template())


class WorkerProcess:
    """The process that runs agents."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.node = node.name
        self.lanes = node.lanes
        self.threaded = not node.forks
        self.store = node.connect()
        self.announcer = Announcer(node.app, node.hostname)
        self._index = getattr(current_process(), "index", 0) if node.forks else 0

    def is_cancelled(self, execution: str) -> bool:
        """Whether this execution should return; costs no trip."""
        if self.threaded:
            return execution in self._node.local.over
        return self._node.board.cancelled(self._index, execution)

    def peak(self) -> int:
        """Bytes of memory that the running execution used at most, as far as sampled; 0 is unknown."""
        return 0 if self.threaded else self._node.board.peak(self._index)

    @contextmanager
    def running(self, execution: str) -> Iterator[Callable[[Future[Any]], None]]:
        """Make an execution known to the heartbeat while it runs; yields where its future is noted."""
        local = self._node.local

        def started(future: Future[Any]) -> None:
            local.futures[execution] = future

        with local.lock:
            local.futures[execution] = None
        if not self.threaded:
            self._node.board.enter(self._index, os.getpid(), execution)
        try:
            yield started
        finally:
            with local.lock:
                local.futures.pop(execution, None)
                local.over.discard(execution)
            if not self.threaded:
                self._node.board.leave(self._index)


class Current:
    """The node and the process of this interpreter; set once by :mod:`workers.lifecycle`."""

    def __init__(self) -> None:
        self.node: Node | None = None
        self._process: WorkerProcess | None = None
        self._pid = 0
        self._lock = threading.Lock()

    def process(self) -> WorkerProcess:
        """This process's part of the worker, made on first use and again after a fork."""
        with self._lock:
            if self._process is None or self._pid != os.getpid():
                if self.node is None:
                    raise RuntimeError("taskengine.slot runs only inside: celery -A workers worker")
                self._process, self._pid = WorkerProcess(self.node), os.getpid()
            return self._process


current = Current()
