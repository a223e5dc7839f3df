"""Pauses on a real fleet: nothing starts, what runs ends, and resuming needs nobody's help."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from taskengine import BlockingTaskAPI
from taskengine.models import PauseState, Task

from ..fleet import Fleet, until
from .conftest import Pool


@pytest.fixture
def api(fleet: Fleet) -> Iterator[BlockingTaskAPI]:
    """A client; whatever it paused goes on afterwards."""
    with fleet.api() as opened:
        yield opened
        for one in opened.list_pauses():
            opened.resume(**({"everything": True} if one.name is None else {one.scope.value: one.name}))


def sleep(queue: str, seconds: float = 0.0) -> Task:
    return Task(capability=queue, input={"do": "sleep", "seconds": seconds})


def test_paused_capability_drains_holds_and_goes_on(fleet: Fleet, pool: Pool, api: BlockingTaskAPI) -> None:
    (running,) = fleet.submit(sleep(pool.queue, 4))
    fleet.until_status(running, "running")
    first = api.pause(capability=pool.queue, reason="deploy")
    assert (first.state, first.running) == (PauseState.DRAINING, 1)
    waiting = fleet.submit(*(sleep(pool.queue) for _ in range(20)))
    other = "play" if pool.queue == "work" else "work"
    fleet.run(sleep(other))
    fleet.wait([running])
    assert until(lambda: api.pause(capability=pool.queue).state is PauseState.DRAINED)
    assert set(fleet.statuses(waiting)) == {"ready"}
    assert "deploy" not in (api.get_task(waiting[0]).reason or "")  # the second pause gave no reason
    assert api.resume(capability=pool.queue)
    assert set(fleet.wait(waiting)) == {"completed"}


def test_pause_of_everything_ends_by_itself(fleet: Fleet, api: BlockingTaskAPI) -> None:
    from datetime import UTC, datetime, timedelta

    api.pause(everything=True, until=datetime.now(UTC) + timedelta(seconds=5))
    ids = fleet.submit(sleep("work"), sleep("play"))
    assert set(fleet.statuses(ids)) == {"ready"}
    assert set(fleet.wait(ids)) == {"completed"}
    assert api.list_pauses() == []
