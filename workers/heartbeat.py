"""The thread in a worker's parent that keeps its slots' executions leased and ends what must end.

It beats while children compute (also when a task holds the GIL: prefork children have their own), so a lease
lapses only when the whole node is dead, frozen or cut off. Its connection gives up on an answer long before a lease
lapses, or one half-open link would cost a healthy node all of its work. Between two beats it looks at deadlines by
the server's clock.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

import psutil

from taskengine import embedded
from taskengine.errors import SchemaMismatchError, StoreError, UnsupportedServerError
from taskengine.store import fleet_settings, nodes
from taskengine.store.nodes import Held
from workers.agents.following import Following
from workers.child_processes import is_alive, live_messages
from workers.deaths import deaths
from workers.enforcement import Enforcement
from workers.host import Host
from workers.machine import told
from workers.open_files import open_files
from workers.process import Node
from workers.self_fence import SelfFence
from workers.shutdown import Shutdown
from workers.slot_table import key_of

logger = logging.getLogger(__name__)

#: How often the server's configuration is looked at, in leases: every 50 s by default.
_LEASES_BETWEEN_CHECKS = 5


class Heartbeat(threading.Thread):
    """The thread that beats for a node until :meth:`finish`."""

    def __init__(self, node: Node, slots: Callable[[], int], host: Host) -> None:
        super().__init__(name="taskengine-heartbeat", daemon=True)
        self._node = node
        self._slots = slots
        self._store = node.connect(answer_seconds=max(1.0, node.settings.lease_seconds / 5))
        self._celery_events = node.make_events(None)
        self._celery_events.hold_still_at_forks()
        self._enforcement = Enforcement(node, self._store, self._celery_events, host.expect_end)
        self._shutdown = Shutdown(node, self._store, self._enforcement, host)
        self._following = node.served and Following(node.served, node.queues, host, self._store)
        self._host = host
        #: When a slot claimed, as far as the last beat knew.
        self._claimed = 0
        self._held: tuple[Held, ...] = ()
        #: Beats so far.
        self._number = 0
        #: Server's milliseconds minus our monotonic clock's.
        self._offset_ms = 0.0
        #: Monotonic time of the next look at the server's configuration; None before the first.
        self._check_at: float | None = None
        #: Longest time this thread was kept from running, for people and ``doctor``.
        self._held_seconds = 0.0
        self._self_fence = SelfFence(node)
        self._digest = node.settings.digest
        self._machine = told(node.settings)
        self._next_beat = 0.0
        #: Ends a rest. No Event: two signals at once would wait for each other on its lock.
        self._attention: SimpleQueue[None] = SimpleQueue()
        self._over = threading.Event()

    def beat(self) -> None:
        """One beat; StoreError when the server does not answer, UnsupportedServerError when it would lose tasks."""
        self._check_server()
        self._shutdown.mark()
        self._serve_what_is_consumed()
        self._look_for_dead()
        live = {f"{message}|{pid}" for message, pid in (*live_messages(), *self._own_accounts())} | deaths.unclear()
        died = deaths.words()
        free = max(0, self._slots() - self._enforcement.occupied)
        before = self._enforcement.running()
        self._number += 1
        verb = nodes.heartbeat(
            self._node.name, self._number, self._info(), free, self._node.queues.text, self._shutdown.why,
            [*sorted(live), *died], took=self._took(), host=self._machine,
        )  # fmt: skip
        sent_at = time.monotonic()
        answer = self._store.run(verb)
        self._self_fence.heard(sent_at)
        deaths.forget(died)
        self._offset_ms = answer.server_ms - time.monotonic() * 1000
        self._held = answer.held
        self._shutdown.settle()
        self._note_watched(answer.server_ms)
        # Also one that began and was lost between two beats.
        for lost in answer.lost:
            logger.warning("lost execution=%s task=%s: %s", lost.execution_id, lost.task_id, lost.why)
        self._enforcement.take_over()
        for lost in answer.lost:
            self._celery_events.closed(lost.execution_id, lost.became, f"lost: {lost.why}")
        self._enforcement.bury(answer.lost)
        self._enforcement.end_fenced(before, answer.held)
        if self._following and not self._shutdown.why:
            self._following.follow(answer.agent_revision)

    def _note_watched(self, server_ms: int) -> None:
        for one in self._held:
            if one.watched_ms is not None and one.watched_ms > server_ms:
                self._node.watch(one.pid, one.execution_id, (one.watched_ms - server_ms) / 1000)

    def _own_accounts(self) -> set[tuple[str, int]]:
        """(message id, process id) of slots whose child runs what the last beat named, by its own account.

        Celery's loop may be busy for a second, with the fork of another child; until then it has not read that these
        began, and their executions would be lost while they run.
        """
        if not self._node.forks:
            return set()
        running = self._enforcement.running()
        return {(one.message, one.pid) for one in self._held if (one.pid, key_of(one.execution_id)) in running}

    def _serve_what_is_consumed(self) -> None:
        """Offer what Celery consumes: people change it while it runs. A node that goes consumes nothing any more."""
        queues = self._host.consumed()
        if queues is not None and not self._shutdown.why:
            self._node.queues.consume(queues)

    def _took(self) -> bool:
        """Return whether a slot claimed since the last beat."""
        before, self._claimed = self._claimed, self._node.slot_table.claimed
        return self._claimed != before

    def _check_server(self) -> None:
        """Enter no fleet whose server would lose tasks; when it comes to that later, say so and go on."""
        if self._check_at is not None and time.monotonic() < self._check_at:
            return
        try:
            self._store.check()
        except (UnsupportedServerError, SchemaMismatchError) as exc:
            if self._check_at is None:
                raise
            says = "lose tasks" if isinstance(exc, UnsupportedServerError) else "be misread by this version"
            logger.error("the server can %s now: %s", says, exc)
        self._store.run(fleet_settings.put(self._node.settings))
        self._check_at = time.monotonic() + _LEASES_BETWEEN_CHECKS * self._node.settings.lease_seconds

    def drain(self, why: str, *, at_once: bool = False) -> None:
        """Stop the node: take nothing new, and give running work its time or none. Only notes it."""
        self._shutdown.ask(why, at_once=at_once)
        self._attention.put(None)

    def finish(self) -> None:
        """Stop beating and leave the fleet."""
        self._over.set()
        self._self_fence.close()
        self._attention.put(None)
        self.join(timeout=5)
        self._enforcement.say_last()
        try:
            self._store.run(nodes.remove_node(self._node.name))
        except StoreError as exc:
            logger.warning("the node was not removed and will be forgotten: %s", exc)
        self._store.close()

    def run(self) -> None:
        """Beat every ``heartbeat_seconds``, and look at deadlines a few times in between."""
        while not self._over.is_set():
            for part in (self._tell, self._look, self._shutdown.end_when_due, self._sample):
                try:
                    part()
                except StoreError as exc:
                    logger.warning("heartbeat failed: %s", exc)
                    embedded.keep(self._node.settings)
                except Exception:
                    # Without this thread the node would lose all of its work, and nobody would hear why.
                    logger.exception("a turn of the heartbeat failed")
            self._rest()

    def _tell(self) -> None:
        """What needs the server: beats, and ends that the scripts must know first."""
        if time.monotonic() >= self._next_beat or self._shutdown.is_news:
            self._next_beat = time.monotonic() + self._node.settings.heartbeat_seconds
            self.beat()
        self._enforcement.enforce(self._held, round(self._offset_ms + time.monotonic() * 1000))
        self._shutdown.hand_back_when_due(self._held)

    def _look(self) -> None:
        """What must be done although the server may be away."""
        self._look_for_dead()
        self._enforcement.finish_ending()
        self._enforcement.take_over()
        self._shutdown.exit_when_stuck(self._slots())

    def _look_for_dead(self) -> None:
        if self._node.forks:
            self._host.hear_exits()
            held = ((one.message, one.pid) for one in self._held)
            deaths.look(self._node.slot_table, held, self._host.exit_code_of)

    def _rest(self) -> None:
        pause = min(self._node.settings.heartbeat_seconds / 4, self._node.settings.resource_interval)
        slept = time.monotonic()
        with suppress(Empty):
            self._attention.get(timeout=pause)
        self._note_frost(time.monotonic() - slept - pause)

    def _note_frost(self, seconds: float) -> None:
        """Say why leases may have lapsed: this thread did not run."""
        if seconds < self._node.settings.lease_seconds / 2:
            return
        self._held_seconds = max(seconds, self._held_seconds)
        logger.warning(
            "the heartbeat slept %.1f s too long: an agent held the interpreter, or the process was stopped; "
            "run such agents with --pool prefork",
            seconds,
        )

    def _sample(self) -> None:
        for index, pid, _ in self._node.slot_table.running():
            try:
                if is_alive(pid):
                    self._node.slot_table.sample(index, psutil.Process(pid).memory_info().rss)
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
                "agents": self._node.served.revisions if self._node.served else {},
                "stuck": self._enforcement.stuck(),
                "open_files": open_files(),
                "held_seconds": round(self._held_seconds, 1),
                "settings": self._digest,
                "cpu_percent": psutil.cpu_percent(),
                "cpu_count": psutil.cpu_count(),
                "memory_percent": memory.percent,
                "memory_total_gb": round(memory.total / 2**30, 2),
            }
        )
