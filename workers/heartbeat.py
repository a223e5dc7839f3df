"""The thread in a worker's parent that keeps its slots' executions leased and ends what must end.

It beats while children compute (also when a task holds the GIL: prefork children have their own), so a lease lapses
only when the whole node is dead, frozen or cut off. Between two beats it looks at deadlines by the server's clock.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import threading
import time
from collections.abc import Callable

import psutil

from taskengine.errors import StoreError
from taskengine.store import nodes
from taskengine.store.nodes import Held
from workers.enforcement import Enforcement
from workers.hands import is_alive, live_messages
from workers.process import Node

logger = logging.getLogger(__name__)

#: Exit code of a node that ends itself because half of its slots are stuck; its supervisor starts it again.
STUCK_EXIT = 70


class Heartbeat(threading.Thread):
    """Beats until :meth:`finish`."""

    def __init__(self, node: Node, slots: Callable[[], int]) -> None:
        super().__init__(name="taskengine-heartbeat", daemon=True)
        self._node = node
        self._slots = slots
        self._store = node.connect()
        self._enforcement = Enforcement(node, self._store)
        self._held: tuple[Held, ...] = ()
        #: Server's milliseconds minus our monotonic clock's.
        self._offset_ms = 0.0
        self._draining = ""
        self._drained_at: float | None = None
        self._told = False
        self._attention = threading.Event()
        self._over = threading.Event()

    def beat(self) -> None:
        """One beat; StoreError when the server does not answer."""
        if self._draining and not self._told:
            self._store.run(nodes.drain(self._node.name, self._draining))
            self._told = True
        live = [f"{message}|{pid}" for message, pid in live_messages()]
        free = max(0, self._slots() - self._enforcement.stuck)
        answer = self._store.run(
            nodes.beat(self._node.name, self._info(), free, self._node.lanes, self._draining, live)
        )
        self._held = answer.held
        self._offset_ms = answer.server_ms - time.monotonic() * 1000
        for execution in answer.lost:
            logger.warning("lost execution=%s: its slot vanished", execution)

    def drain(self, why: str) -> None:
        """Take nothing new from now on; called from a signal handler, so it only notes it."""
        self._draining = self._draining or why
        self._attention.set()

    def hand_back_now(self, why: str) -> None:
        """Give everything back and end it at once (SIGQUIT); never raises for a server that is away."""
        self._draining = why
        try:
            self.beat()
            self._enforcement.hand_back(self._held, why)
        except StoreError as exc:
            logger.warning("hand back failed, the leases will lapse: %s", exc)
        finally:
            self._enforcement.kill_all()

    def finish(self) -> None:
        """Stop beating and leave the fleet."""
        self._over.set()
        self._attention.set()
        self.join(timeout=5)
        try:
            self._store.run(nodes.leave(self._node.name))
        except StoreError as exc:
            logger.warning("leave failed, the node will be forgotten: %s", exc)
        self._store.close()

    def run(self) -> None:
        """Beat every ``heartbeat_seconds``, and look at deadlines a few times in between."""
        settings = self._node.settings
        next_beat = 0.0
        while not self._over.is_set():
            try:
                if time.monotonic() >= next_beat or (self._draining and not self._told):
                    next_beat = time.monotonic() + settings.heartbeat_seconds
                    self.beat()
                self._look()
            except StoreError as exc:
                logger.warning("beat failed: %s", exc)
            self._sample()
            self._attention.wait(min(settings.heartbeat_seconds / 4, settings.resource_interval))
            self._attention.clear()

    def _look(self) -> None:
        self._enforcement.enforce(self._held, round(self._offset_ms + time.monotonic() * 1000))
        self._enforcement.finish_ending()
        self._end_of_drain()
        self._end_when_stuck()

    def _end_of_drain(self) -> None:
        if not self._draining:
            return
        now = time.monotonic()
        self._drained_at = self._drained_at or now + self._node.settings.drain_seconds
        if self._node.settings.drain_seconds and now >= self._drained_at and self._held:
            self._enforcement.hand_back(self._held, f"the node stops: {self._draining}")
            self._held = ()
            if not self._node.forks:
                self._exit(0)

    def _end_when_stuck(self) -> None:
        stuck = self._enforcement.stuck
        if not stuck or stuck * 2 < self._slots():
            return
        if not self._draining:
            logger.error("draining: %d of %d slots are stuck in agents that do not return", stuck, self._slots())
            self.drain("stuck")
        elif len(live_messages()) <= stuck:
            self._exit(STUCK_EXIT)

    def _exit(self, code: int) -> None:
        """End the process although threads still run; they can not be ended otherwise."""
        try:
            self._store.run(nodes.leave(self._node.name))
        finally:
            logging.shutdown()
            os._exit(code)

    def _sample(self) -> None:
        for index, pid in self._node.board.running():
            try:
                if is_alive(pid):
                    self._node.board.sample(index, psutil.Process(pid).memory_info().rss)
            except psutil.Error:
                continue

    def _info(self) -> str:
        memory = psutil.virtual_memory()
        return json.dumps(
            {
                "host": platform.node(),
                "hostname": self._node.hostname,
                "pid": os.getpid(),
                "pool": "prefork" if self._node.forks else "threads",
                "slots": self._slots(),
                "stuck": self._enforcement.stuck,
                "cpu_percent": psutil.cpu_percent(),
                "cpu_count": psutil.cpu_count(),
                "memory_percent": memory.percent,
                "memory_total_gb": round(memory.total / 2**30, 2),
            }
        )
