"""A worker's start and stop, hung on Celery's signals.

celeryd_after_setup (options are known, nothing runs yet): choose queues, beat once. worker_process_init (in a pool
child): a process group of its own. worker_ready (connected, no message taken): refuse a broker channel that is not
ours. worker_shutting_down (in the signal handler): drain. worker_shutdown: leave.

SIGHUP drains as SIGTERM does, and begins anew. SIGQUIT, and a second Ctrl-C, hand everything back at once. Celery's own
handlers of these wait for running work before they tell anybody, so they are replaced as soon as there can be running
work.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from functools import cache
from typing import Any
from uuid import uuid4

from billiard import current_process
from celery import Celery, platforms, signals
from celery.concurrency.prefork import TaskPool as PreforkPool
from celery.concurrency.solo import TaskPool as SoloPool
from celery.concurrency.thread import TaskPool as ThreadsPool

from taskengine.agent import REGISTRY
from taskengine.embedded import ensure
from taskengine.errors import SchemaMismatchError, StoreError, TaskEngineError, UnsupportedServerError
from taskengine.settings import Settings, environment, unknown_variables
from taskengine.settings import current as current_settings
from taskengine.store import agents as stored_agents
from taskengine.store.agents import Reading
from taskengine.store.connect import connect
from taskengine.store.keys import Keys
from taskengine.store.sync import SyncStore
from taskengine.transport import is_ours, refusal, template
from workers.agents.serving import ServedAgents, serve
from workers.app import imported
from workers.celery_events import CeleryEvents
from workers.child_processes import end_rest_of_group
from workers.duplicate_names import warn_of_duplicate_names
from workers.end_signals import quieten_celery
from workers.heartbeat import Heartbeat
from workers.host import Host
from workers.open_files import raise_open_files
from workers.outage_retry import retry_outage
from workers.poller import Poller, PollerThread
from workers.process import LocalRuns, Node, current
from workers.queues import Served
from workers.recycling import Limits, count_executions, limits_of
from workers.slot_table import SlotTable
from workers.thread_pool_wakeup import wake_when_a_thread_ends
from workers.unsent import Page, Unsent
from workers.workdirs import sweep

logger = logging.getLogger(__name__)


#: Seconds that a worker waits for the records of the agents that it was told to serve.
_RECORD_SECONDS = 20.0
#: Seconds that each type may take to close what it opened, when nothing of it runs any more.
_CLOSE_SECONDS = 2.0


class _Parent:
    """What the parent process of a worker keeps."""

    heartbeat: Heartbeat | None = None
    poller: PollerThread | None = None
    host: Host | None = None
    pid: int = 0


_parent = _Parent()


@signals.celeryd_after_setup.connect(weak=False)
def set_up(sender: str, instance: Any, **_: Any) -> None:
    """Choose the queues and enter the fleet; a foreseeable mistake ends the worker with one sentence."""
    if not issubclass(instance.pool_cls, (PreforkPool, ThreadsPool, SoloPool)):
        raise SystemExit(f"taskengine: {refusal(instance.pool_cls.__module__.rpartition('.')[2])}")
    try:
        node = _node(sender, instance)
    except TaskEngineError as exc:
        raise SystemExit(f"taskengine: {exc}") from exc
    for wrong in unknown_variables(environment()):
        logger.warning("%s", wrong)
    if not node.forks:
        raise_open_files()
    current.node = node
    os.register_at_fork(after_in_child=_die_as_others_do)
    if node.limits != Limits():
        count_executions(instance.pool, current.is_used_up)
    _parent.pid = os.getpid()
    host = Host(instance)
    heartbeat = Heartbeat(node, lambda: _slots(instance), host)
    try:
        heartbeat.beat()  # before the first message is popped: a silent node's claim is refused
        warn_of_duplicate_names(node)
    except (UnsupportedServerError, SchemaMismatchError) as exc:
        raise SystemExit(f"taskengine: {exc}") from exc
    except StoreError as exc:
        logger.warning("first heartbeat failed, trying again: %s", exc)
    heartbeat.start()
    _parent.heartbeat, _parent.host = heartbeat, host
    _parent.poller = _poller(node)
    host.on_hang_up(_begin_anew)
    wake_when_a_thread_ends(instance)
    quieten_celery()


def _die_as_others_do() -> None:
    """In every child: drop our handlers of signals, or a pool that an agent makes could not end its processes."""
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, signal.SIGINT):
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@signals.worker_process_init.connect(weak=False)
def begin_child(**_: Any) -> None:
    """In a pool child: lead a process group, so that all that a task starts can be ended with it."""
    if os.getpid() == _parent.pid:
        return  # the solo pool says so too, and has no children
    os.setpgid(0, 0)
    # Agents may have children: multiprocessing refuses them to daemons, and these end with our group, not by that.
    current_process().daemon = False
    if _parent.pid and os.getppid() != _parent.pid:
        os._exit(1)  # the parent died before PR_SET_PDEATHSIG was in force


@signals.worker_process_shutdown.connect(weak=False)
def end_child(**_: Any) -> None:
    """In a pool child that ends by itself: so does what its agents left behind, such as a pool of their own."""
    if os.getpid() != _parent.pid:
        _close_agents()
        end_rest_of_group()


@signals.worker_ready.connect(weak=False)
def begin(sender: Any, **_: Any) -> None:
    """The first message may come now: refuse a channel that is not ours, replace Celery's handler of SIGQUIT."""
    if _parent.heartbeat is None or _parent.host is None:  # Celery logs what a receiver raises, and goes on
        raise SystemExit("taskengine: the worker was not set up; the reason stands above")
    if not is_ours(sender.connection):
        raise SystemExit(
            "taskengine: the broker channel is not taskengine's; load its celeryconfig and no other transport"
        )
    platforms.signals["SIGQUIT"] = _quit
    threading.Thread(target=sweep, name="taskengine-sweep", daemon=True).start()


@signals.worker_shutting_down.connect(weak=False)
def stop(how: str, sig: str, **_: Any) -> None:
    """Drain; from now on the signals that stop at once are ours."""
    heartbeat, host = _parent.heartbeat, _parent.host
    if heartbeat is None or host is None or _parent.pid != os.getpid():
        return
    host.stay_ended()
    heartbeat.drain(f"shut down by {sig}", at_once=how == "Cold")
    platforms.signals["SIGQUIT"] = platforms.signals["SIGINT"] = _quit


def _close_agents() -> None:
    if current.node is not None and current.node.served is not None:
        current.node.served.close(_CLOSE_SECONDS)


def _poller(node: Node) -> PollerThread | None:
    """Start what asks the services at which agents of this worker run; None where none does."""
    served = node.served
    if served is None or not served.remotes:
        return None
    made = PollerThread(Poller(lambda: served.remotes, node.connect(), node.name, node.make_events(None)))
    made.start()
    return made


def _begin_anew() -> None:
    if _parent.heartbeat is not None and _parent.host is not None:
        _parent.host.begin_anew()  # first, so that the heartbeat knows it and says so
        _parent.heartbeat.drain("restarted by SIGHUP")


def _quit(*_: Any) -> None:
    if _parent.heartbeat is not None and _parent.host is not None and _parent.pid == os.getpid():
        _parent.host.stay_ended()
        _parent.heartbeat.drain("shut down at once", at_once=True)


@signals.worker_shutdown.connect(weak=False)
def leave(**_: Any) -> None:
    """Everything stopped: leave the fleet."""
    if _parent.heartbeat is not None and _parent.pid == os.getpid():
        if _parent.poller is not None:
            _parent.poller.finish(_CLOSE_SECONDS)
        _parent.heartbeat.finish()
        _close_agents()


def _node(hostname: str, worker: Any) -> Node:
    app: Celery = worker.app
    asked = worker.options.get("queues") if getattr(worker, "options", None) else None
    queues = app.amqp.queues
    chosen = set(queues.consume_from)
    explicit = sorted(chosen) if chosen != {app.conf.task_default_queue} or asked else None
    forks = issubclass(worker.pool_cls, PreforkPool)
    settings = current_settings()
    url = ensure(settings)
    agents = _served(settings, url, explicit, forks=forks)
    offered = agents.offered
    for orphan in offered.orphans:
        logger.warning("queue %s is not consumed: no imported agent offers it", orphan)
    # One that only drains waits at its agents' own queues, which nobody grants anything of.
    queues.select(list(offered.queues) or [f"@{name}" for name in agents.names])
    served = Served(agents.could)
    served.consume(offered.queues)

    def make_events(page: Page | None) -> CeleryEvents:
        return CeleryEvents(app, hostname, page)

    return Node(
        settings=settings,
        registry=agents.registry,
        make_events=make_events
        if forks
        else cache(make_events),  # one process, one event sender: its news keep their order
        url=url,
        name=f"{hostname}#{os.getpid()}-{uuid4().hex[:6]}",
        hostname=hostname,
        queues=served,
        forks=forks,
        slot_table=SlotTable(),
        local=LocalRuns(),
        limits=limits_of(worker),
        unsent=Unsent(max(worker.concurrency, worker.max_concurrency or 0) if forks else 0),
        served=agents,
    )


def _served(settings: Settings, url: str, asked: list[str] | None, *, forks: bool) -> ServedAgents:
    """Return the agents of this worker, by their records if the server answers; those that were named need theirs."""
    named = [word for word in settings.agent.replace(",", " ").split() if word]
    unverified = settings.allow_unverified_tls
    store = SyncStore(url, settings, template(), lambda: connect(url, allow_unverified_tls=unverified))
    wanted = named or [agent.name for agent in REGISTRY]
    reading: Reading | None = None
    known: list[str] = []
    try:
        patience = _RECORD_SECONDS if named else 0
        if named or any(agent.yields for agent in REGISTRY):
            names = stored_agents.names(Keys(settings.namespace))
            known = retry_outage(lambda: store.run(names), "read_agents", seconds=patience)
        read = wanted if named else list(dict.fromkeys([*wanted, *known]))
        found = retry_outage(lambda: store.run(stored_agents.read_all(read)), "read_agents", seconds=patience)
        found.refuse_unreadable(wanted)
        reading = found
    except StoreError as exc:
        if named:
            raise
        logger.warning("the records of its agents were not read, trying again: %s", exc)
    finally:
        store.close()
    return serve(
        REGISTRY, reading, settings, named=named, asked=asked, imports=imported, forks=forks, known=known
    )


def _slots(worker: Any) -> int:
    pool = getattr(worker, "pool", None)
    size = getattr(pool, "num_processes", None) or getattr(pool, "limit", None) or worker.concurrency
    return int(size or 1)
