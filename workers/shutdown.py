"""How a worker node stops: it drains, what does not finish in time is handed back, and the process ends.

A stop signal only leaves a note here (:meth:`Shutdown.ask` runs in a signal handler); the heartbeat's thread does
the rest, because Celery's own handlers wait for running work first. The order is always: marked as draining, so that
claims and pulls answer nothing; handed back by script, so that a late report is fenced; then TERM, then KILL.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence
from typing import NoReturn

from taskengine.errors import StoreError
from taskengine.store import nodes
from taskengine.store.nodes import Held
from taskengine.store.sync import SyncStore
from workers.child_processes import live_messages
from workers.enforcement import Enforcement
from workers.host import Host
from workers.process import Node

logger = logging.getLogger(__name__)

#: Exit code of a node that ends itself because most of its slots are stuck; its supervisor starts it again.
STUCK_EXIT = 70
#: Seconds between TERM and KILL, and for threads to return, when everything is to end at once.
_LAST_WORDS = 1.0
#: Seconds that a hand-back waits for a server that does not answer.
_SERVER_SECONDS = 2.0
#: Seconds in which Celery may end by itself before the process does.
_CELERY_SECONDS = 3.0


class Shutdown:
    """One node's way out; nothing happens before :meth:`ask`."""

    def __init__(self, node: Node, store: SyncStore, enforcement: Enforcement, host: Host) -> None:
        self._node = node
        self._store = store
        self._enforcement = enforcement
        self._host = host
        #: Why the node stops; '' while it does not.
        self.why = ""
        self._exit_code = 0
        self._at_once = False
        self._is_marked = False
        #: A beat after the mark told what the node holds; nothing was claimed since.
        self._is_settled = False
        self._is_announced = False
        #: Monotonic time at which running work is handed back.
        self._hand_back_at: float | None = None
        self._is_handed_back = False
        #: Monotonic time at which the process ends, whatever still runs; None before the hand-back.
        self._exit_at: float | None = None

    def ask(self, why: str, *, at_once: bool = False, exit_code: int = 0) -> None:
        """Note that the node is to stop; safe to repeat, and in a signal handler."""
        self.why = self.why or why
        self._at_once = self._at_once or at_once
        self._exit_code = self._exit_code or exit_code

    @property
    def is_news(self) -> bool:
        """Whether no beat has told yet what a node holds that takes nothing new."""
        return bool(self.why) and not self._is_settled

    def mark(self) -> None:
        """Let claim and pull answer nothing from now on; StoreError when the server does not answer."""
        if self.why and not self._is_marked:
            self._announce()
            self._host.stop_consuming()
            self._store.run(nodes.drain(self._node.name, self.why))
            self._is_marked = True

    def settle(self) -> None:
        """Note that a beat was answered, which began with :meth:`mark`."""
        self._is_settled = self._is_marked

    def _announce(self) -> None:
        """Say of a new beginning what Celery says of an end, once: marking may take more than one try."""
        if self._host.begins_anew and not self._is_announced:
            self._is_announced = True
            logger.warning("SIGHUP: draining, then starting again")

    def hand_back_when_due(self, held: Sequence[Held]) -> None:
        """Give back what still runs when its time is over; StoreError when the server does not answer.

        A signal may come at any moment: what began after the last beat is not *held* before the next one.
        """
        now = time.monotonic()
        if not self.why or self.is_news or self._exit_at is not None or now < self._due(now):
            return
        grace = _LAST_WORDS if self._at_once else self._store.settings.kill_after_seconds
        self._enforcement.hand_back(held, f"the node stops: {self.why}", grace)
        self._is_handed_back = True
        if self._at_once or not self._node.forks:
            self._exit_at = now + _LAST_WORDS + 0.5
        # A drained prefork node needs no exit of its own: Celery joins the children that were ended.

    def end_when_due(self) -> None:
        """End the process when everything is handed back, or when the server did not let it in time."""
        now = time.monotonic()
        if self._is_overdue(now):
            logger.warning("not handed back, the server does not answer; the leases will lapse")
            self._enforcement.kill_all()
            self.exit()  # not by Celery, whose shutdown raises while its connection is gone
        if self._exit_at is None or (now < self._exit_at and self._is_busy()):
            return
        self._enforcement.kill_all()
        self._leave()
        if self._at_once and not self._node.local.runs:
            self._host.end(self._exit_code)
            threading.Event().wait(_CELERY_SECONDS)
        self.exit()

    def exit_when_stuck(self, slots: int) -> None:
        """Drain a node most of whose slots are lost to agents that do not return, and end it once nothing else runs.

        An agent that is over has the grace of a cancelled one to return in. Until then, and while at least half of
        the slots are left, the node goes on with those: a worker whose supervisor does not exist is better than none.
        """
        if not self.why:
            self._drain_when_stuck(slots)
        elif self._exit_code == STUCK_EXIT and len(live_messages()) <= self._enforcement.stuck():
            self._leave()
            self.exit()

    def _drain_when_stuck(self, slots: int) -> None:
        grace = self._store.settings.cancel_grace_seconds
        stuck = self._enforcement.stuck(grace)
        if stuck * 2 <= slots:
            return
        logger.error(
            "draining: %d of %d slots are stuck, their agents have not returned %g s after their end; the worker ends "
            "when nothing else runs and a new one must take its place, as 'taskengine up' or another supervisor does",
            stuck, slots, grace,
        )  # fmt: skip
        self.ask("stuck", exit_code=STUCK_EXIT)

    def exit(self) -> NoReturn:
        """End the process, or begin it anew, although threads still run; they cannot be ended otherwise."""
        if self._exit_code == STUCK_EXIT:
            logger.error("%s ends with exit code %d: start it again", self._node.hostname, STUCK_EXIT)
        self._enforcement.say_last()
        logging.shutdown()
        self._host.become_anew()
        os._exit(self._exit_code)

    def _due(self, now: float) -> float:
        if self._at_once:
            self._hand_back_at = min(now, self._hand_back_at or now)
        elif self._hand_back_at is None:
            self._hand_back_at = now + (self._node.drain_seconds or float("inf"))
        return self._hand_back_at

    def _is_overdue(self, now: float) -> bool:
        return bool(self.why) and not self._is_handed_back and now > self._due(now) + _SERVER_SECONDS

    def _is_busy(self) -> bool:
        return self._enforcement.is_ending or bool(self._node.local.runs)

    def _leave(self) -> None:
        try:
            self._store.run(nodes.remove_node(self._node.name))
        except StoreError as exc:
            logger.warning("the node was not removed and will be forgotten: %s", exc)
