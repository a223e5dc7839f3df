"""Five hundred listeners of one run whose tasks start and end at a pace: what each hears, and what the server takes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from uuid import UUID

from benchmarks.agents import COUNT
from benchmarks.figure import Figure, Must
from benchmarks.processes import until
from benchmarks.served import heard
from benchmarks.stack import Stack
from taskengine import Task

_PER_SECOND = 200
_END_SECONDS = 60.0


def measure(stack: Stack) -> Iterator[Figure]:
    """Megabytes of the server while all hear all events in their order; RuntimeError where one did not."""
    stack.fleet()
    seconds, listeners = stack.size(10, 1), stack.size(500, 50)
    n = _PER_SECOND * seconds
    tasks = stack.client.api.create_tasks([Task(name=f"t{at}", capability=COUNT, hold=True) for at in range(n)])
    run = tasks[0].run_id
    with stack.served() as server:
        # All have heard that the tasks were created before the first one is released.
        found, spent = heard(
            server, "benchmarks.listeners", f"/api/v1/runs/{run}/events", listeners, n,
            during=lambda: _released(stack, [task.id for task in tasks], run),
        )  # fmt: skip
        memory = server.megabytes
    # created; released, ready, started, completed; and the end of the run. A machine that is busy adds some.
    if not (found["in_order"] and found["heard_all"] == listeners and found["events"] >= 5 * n + 1):
        raise RuntimeError(f"not all was heard: {found}")
    about = stack.describe() | found | {"tasks_a_second": _PER_SECOND, "seconds": seconds}
    yield Figure("rest.listeners", memory, "MiB", must=Must("value", "<=", 250), config=about)
    yield Figure("rest.listeners.core", spent, "% of a core", config=about)


def _released(stack: Stack, ids: Sequence[UUID], run: UUID | None) -> str:
    """Release tasks at their pace, and wait for the end; the number of the run's last event."""
    begin = time.perf_counter()
    for at, id in enumerate(ids):
        time.sleep(max(0.0, begin + at / _PER_SECOND - time.perf_counter()))
        stack.client.api.release_task(id)
    assert run is not None
    until(lambda: stack.client.api.get_run(run).finished_at, _END_SECONDS, "the run is over")
    about = stack.client.raw.xinfo_stream(stack.client.keys.of("events", run))
    return str(about["last-generated-id"]).partition("-")[2] + "\n"
