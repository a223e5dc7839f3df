"""Celery's worker around a node, as far as the node steers it: it stops consuming, ends, or begins anew.

SIGHUP begins anew, as Celery's own worker does: drained, then the same command line again. Celery's handler is replaced
for two reasons. It tells nobody, so what outlasts the drain would be waited for and not handed back. And it starts
``sys.argv``, which is not the command line of an interpreter that was started with ``-m``, as ``taskengine worker``
starts it; the interpreter itself remembers the whole.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from celery import platforms
from celery.worker import state

#: How Celery calls its handler of SIGHUP. It installs none in a terminal (who closes one wants no worker that goes on
#: in secret), and another one where a restart does not work.
_RESTARTS = "restart_worker_sig_handler"
#: Exit codes kept; more than children die between two looks.
_MOST_KEPT = 1000


@dataclass(frozen=True)
class _Leaving:
    """Called when a child leaves its pool: keeps its exit code, then does what Celery does."""

    theirs: Callable[[Any], object]
    exit_codes: dict[int, int | None]

    def __call__(self, child: Any) -> None:
        self.exit_codes.pop(child.pid, None)
        self.exit_codes[child.pid] = child.exitcode
        while len(self.exit_codes) > _MOST_KEPT:
            self.exit_codes.pop(next(iter(self.exit_codes)))
        self.theirs(child)


class Host:
    """The worker of this process; *worker* is Celery's."""

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._pid = os.getpid()
        #: Whether a new worker follows this one.
        self.begins_anew = False
        #: Process id -> exit code of pool children that left the pool; the latest stand last.
        self._exit_codes: dict[int, int | None] = {}
        # Registered long before any signal, so it runs after whatever agents want to do at the end.
        atexit.register(self.become_anew)

    def stop_consuming(self) -> None:
        """Take no more messages; safe to repeat, from any thread.

        Claims of a draining node are refused and their tasks granted anew: one that went on consuming would swallow
        the wake-ups of its neighbours as fast as they are sent.
        """
        consumer = getattr(self._worker, "consumer", None)
        if consumer is not None:
            consumer.call_soon(_cancel_queues, consumer)

    def consumed(self) -> frozenset[str] | None:
        """Return the queues that it consumes now; None before it does, and while it has lost its broker."""
        consumer = getattr(getattr(self._worker, "consumer", None), "task_consumer", None)
        if consumer is None:
            return None
        return frozenset(queue.name for queue in tuple(consumer.queues) if consumer.consuming_from(queue))

    def exit_code_of(self, pid: int) -> int | None:
        """Return how pool child *pid* ended (below 0: by that signal), as far as its pool took that from the system.

        Nobody else can ask for it then; and the pool may say so seconds later, or to nobody: it takes all statuses at
        each fork of another child, and tells only the jobs of which it had heard that they began.
        """
        for child in self._children():
            if child.pid == pid:
                return getattr(child._popen, "returncode", None)  # asking the child itself would take it from the pool
        return self._exit_codes.get(pid)

    def hear_exits(self) -> None:
        """Keep the exit codes of children that leave the pool, from now on; safe to repeat.

        Celery sets its own callback when its loop begins; ours is put around it.
        """
        pool: Any = getattr(getattr(self._worker, "pool", None), "_pool", None)
        theirs = getattr(pool, "on_process_down", None)
        if theirs is not None and not isinstance(theirs, _Leaving):
            pool.on_process_down = _Leaving(theirs, self._exit_codes)

    def _children(self) -> tuple[Any, ...]:
        return tuple(getattr(getattr(getattr(self._worker, "pool", None), "_pool", None), "_pool", ()))

    def consume(self, queues: Iterable[str], no_more: Iterable[str]) -> bool:
        """Take messages of other queues from now on; safe to repeat, from any thread. False before it takes any."""
        consumer = getattr(self._worker, "consumer", None)
        if consumer is None or getattr(consumer, "task_consumer", None) is None:
            return False
        consumer.call_soon(_change_queues, consumer, tuple(queues), tuple(no_more))
        return True

    def expect_end(self, pid: int) -> None:
        """Hear that this node ends the pool child *pid*: billiard logs no error of it, as of one that died by itself.

        There is no public word for that: its own ``terminate_job`` sets the same mark.
        """
        for child in self._children():
            if child.pid == pid:
                child._controlled_termination = True

    def end(self, exit_code: int) -> None:
        """Let Celery's main loop end the worker without waiting for its tasks."""
        state.should_terminate = exit_code  # type: ignore[assignment]  # typed by its initial None

    def on_hang_up(self, restart: Callable[[], None]) -> None:
        """Call *restart* on SIGHUP where Celery would restart, from the moment on when Celery would.

        There is no signal between Celery's handler and the seconds in which the pool starts and the broker is found.
        """
        install = self._worker.install_platform_tweaks

        def install_ours(worker: Any) -> None:
            install(worker)
            if getattr(signal.getsignal(signal.SIGHUP), "__name__", "") == _RESTARTS:
                signal.signal(signal.SIGHUP, lambda *_: restart())

        self._worker.install_platform_tweaks = install_ours

    def begin_anew(self) -> None:
        """End as on SIGTERM, then be a new worker. In a signal handler only."""
        ignore_hang_ups()
        self.begins_anew = True
        state.should_stop = os.EX_OK  # type: ignore[assignment]  # typed by its initial None

    def stay_ended(self) -> None:
        """Somebody wants an end and no new beginning. In a signal handler only."""
        ignore_hang_ups()
        self.begins_anew = False

    def become_anew(self) -> None:
        """Be the new worker if one is wanted, and do not return; threads that still run end here."""
        if self.begins_anew and os.getpid() == self._pid:
            platforms.close_open_fds({0, 1, 2})
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  # ourselves, no shell


def ignore_hang_ups() -> None:
    """A second one must not end a worker that begins anew and has no handler yet: ignoring outlives exec."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _change_queues(consumer: Any, queues: Iterable[str], no_more: Iterable[str]) -> None:
    if consumer.task_consumer is None:  # it lost its broker; what it is to consume is noted, and so it comes back
        for queue in queues:
            consumer.app.amqp.queues.select_add(consumer.app.amqp.queues[queue])
        for queue in no_more:
            consumer.app.amqp.queues.deselect(queue)
        return
    for queue in queues:
        consumer.add_task_queue(queue)
    for queue in no_more:
        consumer.cancel_task_queue(queue)


def _cancel_queues(consumer: Any) -> None:
    if consumer.task_consumer is not None:
        for queue in tuple(consumer.app.amqp.queues.consume_from):
            consumer.cancel_task_queue(queue)
