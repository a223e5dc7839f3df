"""``/metrics``: how full the fleet is, as Prometheus reads it. A scrape needs a key with the scope read.

A label is a queue, never an id, and there are at most so many of them: what is behind stands as ``other``. An answer
serves whoever asks within a second.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version

from fastapi import APIRouter, Request, Response, Security
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from taskengine.api.operations.gauges import Gauges, read_gauges
from taskengine.api.surface import Scope
from taskengine.models import TaskStatus
from taskengine.rest.auth import SHOWN, Door, need
from taskengine.rest.problem_model import problems_of
from taskengine.store.nodes import Node

#: Queues that have a label of their own.
MOST_QUEUES = 500
_FRESH_SECONDS = 1.0
_OTHER = "other"

router = APIRouter(tags=["server"], dependencies=[Security(SHOWN)])


@dataclass(slots=True)
class Told:
    """The latest answer, and until when it stands."""

    until: float
    text: bytes


@router.get(
    "/metrics", summary="Gauges for Prometheus", operation_id="get_metrics", response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **problems_of(400, 401, 403, 429, 500, 503)
    },
)  # fmt: skip
async def metrics(request: Request) -> Response:
    """How much waits and runs by queue, workers and their slots, who leads, dead letters, quarantine.

    Needs a key with the scope **read**.
    """
    state = request.app.state
    door: Door = state.door
    need(await door.caller(request), Scope.READ)
    now = asyncio.get_running_loop().time()
    told: Told | None = getattr(state, "metrics", None)
    if told is None or told.until <= now:
        told = state.metrics = Told(now + _FRESH_SECONDS, exposition(await door.look(read_gauges)))
    return Response(told.text, media_type=CONTENT_TYPE_LATEST)


def exposition(gauges: Gauges) -> bytes:
    """Return the gauges as Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(_Collected(gauges))
    return generate_latest(registry)


class _Collected(Collector):
    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        yield from _work(self._gauges)
        yield from _workers(self._gauges.fleet.nodes)
        yield from _troubles(self._gauges)


def _work(gauges: Gauges) -> Iterator[Metric]:
    fleet = gauges.fleet
    statuses = {each.value: max(0, fleet.counts.get(each.value, 0)) for each in TaskStatus}
    yield _labelled("tasks", "Tasks that are stored, by status.", "status", statuses)
    queues = sorted(fleet.queues, key=lambda queue: (-queue.ready - queue.granted - queue.offered, queue.name))
    own = {queue.name for queue in queues[:MOST_QUEUES]}
    ready = _within(own, {queue.name: queue.ready for queue in queues})
    yield _labelled("ready_tasks", "Tasks that may run now and wait for a slot.", "queue", ready)
    granted = _within(own, {queue.name: queue.granted for queue in queues})
    yield _labelled("granted_executions", "Executions that no slot has taken yet.", "queue", granted)
    running = _within(own, {**dict.fromkeys(own, 0), **gauges.running})
    yield _labelled("running_executions", "Executions that run.", "queue", running)
    offers = _within(own, {queue.name: queue.offered for queue in queues})
    yield _labelled("queue_workers", "Workers that offer a queue.", "queue", offers)


def _within(own: set[str], numbers: Mapping[str, int]) -> Mapping[str, int]:
    """Return the numbers of so many queues, and the sum of the rest as one."""
    found = Counter[str]()
    for name, number in numbers.items():
        found[name if name in own or len(own) < MOST_QUEUES else _OTHER] += number
    return found


def _workers(nodes: Iterable[Node]) -> Iterator[Metric]:
    states = Counter({"alive": 0, "draining": 0, "silent": 0})
    slots = Counter({"busy": 0, "free": 0})
    for node in nodes:
        states["silent" if not node.alive else "draining" if node.draining else "alive"] += 1
        if node.alive:
            slots["busy"] += node.held
            slots["free"] += max(0, node.slots - node.held)
    yield _labelled("workers", "Workers: those that take work, that end, and that fell silent.", "state", states)
    yield _labelled("worker_slots", "Slots of workers that are alive.", "state", slots)


def _troubles(gauges: Gauges) -> Iterator[Metric]:
    fleet = gauges.fleet
    yield _one("coordinator_up", "1 while a coordinator leads.", fleet.leader is not None)
    yield _one("decisions_pending", "Entries that the coordinator has not thought about.", fleet.decisions)
    yield _one("poison_decisions", "Decisions that failed five times and were put aside.", fleet.poison_decisions)
    yield _one("timers", "Retries, schedules and deadlines that wait for their time.", fleet.timers)
    yield _one("pauses", "Pauses that hold.", len(fleet.pauses))
    yield _one("dead_letters", "Tasks that lost one worker after another.", fleet.dead_letters)
    yield _one("quarantined_messages", "Messages that no worker could read.", gauges.quarantined)
    yield _labelled("build_info", "1; the version is its label.", "version", {version("taskengine"): 1})


def _one(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(f"taskengine_{name}", says, value=float(value))


def _labelled(name: str, says: str, label: str, numbers: Mapping[str, int]) -> Metric:
    found = GaugeMetricFamily(f"taskengine_{name}", says, labels=[label])
    for key, number in numbers.items():
        found.add_metric([key], number)
    return found
