"""A task that asks outlives every process that could remember it: the worker, the coordinator and the server."""

from __future__ import annotations

import pytest

from taskengine.models import Task

from ..fleet import Fleet


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_an_answer_reaches_its_task_after_a_restart_of_everything(bare_fleet: Fleet, pool: str) -> None:
    fleet = bare_fleet
    fleet.coordinator()
    first = fleet.worker("first", pool=pool, agents="asking_agents")
    ids = fleet.submit(*(Task(name=name, capability=name, max_retries=0) for name in ("ask", "ask_on_loop")))
    for id in ids:
        asked = fleet.until_status(id, "paused")
        assert asked.question is not None
        assert asked.question.text == "Deploy now?"
    for process in (first, *fleet.processes):
        process.kill()
    fleet.server.restart()
    with fleet.api() as api:
        for id in ids:
            api.answer(id, "yes", question_id="deploy", by="ann")
    fleet.coordinator("anew")
    fleet.worker("second", pool=pool, agents="asking_agents")
    fleet.wait(ids)
    with fleet.api() as api:
        for id in ids:
            assert api.get_task(id).result == {"said": "yes", "left": "turn-1", "attempt": 2}
