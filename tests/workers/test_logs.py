"""What agents say reaches the log of their own execution, live and whole, in both pools."""

from __future__ import annotations

import time
from typing import Any

import pytest

from taskengine.models import Task

from ..fleet import Fleet, until
from .conftest import Pool

SAID = [
    ("my.agent", "warning", "logged {}"),
    ("my.celery", "error", "password=*** is wrong"),
    ("stdout", "info", "printed {}"),
    ("stdout", "info", "half a line"),
    ("stderr", "warning", "complained"),
    (None, "debug", "told"),
    ("stdout", "info", "the end"),
]


def lines(fleet: Fleet, task: Task) -> list[tuple[str | None, str, str]]:
    (execution,) = fleet.executions(str(task.id))
    assert [line.number for line in execution.logs] == list(range(1, len(execution.logs) + 1))
    return [(line.logger, line.level.value, line.message) for line in execution.logs]


def work(pool: Pool, do: str, name: str = "t", **input: Any) -> Task:
    return Task(name=name, capability=pool.queue, input={"do": do, **input})


def test_logged_and_printed_lines_are_in_the_log_when_the_task_is_over(fleet: Fleet, pool: Pool) -> None:
    (task,) = fleet.run(work(pool, "speak", "one"))
    assert lines(fleet, task) == [(who, level, text.format("one")) for who, level, text in SAID]
    (execution,) = fleet.executions(str(task.id))
    assert execution.logs[5].metadata == {"n": 1}


def test_the_workers_own_log_has_what_it_had(fleet: Fleet, pool: Pool) -> None:
    fleet.run(work(pool, "speak", "own"))
    for text in ("logged own", "printed", "complained", "of another thread"):
        until(lambda text=text: text in pool.worker.log(), what=text)


def test_lines_are_live_within_a_second(fleet: Fleet, pool: Pool) -> None:
    (id,) = fleet.submit(work(pool, "speak", seconds=3))
    until(lambda: [e for e in fleet.effects("begin") if e.task == id])
    began = time.monotonic()
    with fleet.api() as api:
        page = api.follow_logs(id, timeout=5)
        while len(page) < 6:
            page += api.follow_logs(id, after=page.cursor, timeout=2)
            assert time.monotonic() - began < 1
    assert fleet.statuses([id]) == ["running"]
    fleet.wait([id])


def test_each_execution_of_a_threads_pool_has_its_own_lines(fleet: Fleet) -> None:
    new = [Task(name=f"n{n}", capability="play", input={"do": "speak", "seconds": 0.3}) for n in range(4)]
    for task in fleet.run(*new):
        assert lines(fleet, task) == [(who, level, text.format(task.name)) for who, level, text in SAID]


def test_coroutines_on_one_loop_have_their_own_lines(fleet: Fleet, pool: Pool) -> None:
    new = [Task(name=f"n{n}", capability=pool.coroutine_queue, input={"seconds": 0.2}) for n in range(4)]
    for task in fleet.run(*new):
        assert lines(fleet, task) == [
            ("stdout", "info", f"waits {task.name}"), ("stdout", "info", f"waited {task.name}")
        ]  # fmt: skip


def test_a_flood_keeps_the_newest_and_says_how_many_were_dropped(fleet: Fleet, pool: Pool) -> None:
    (task,) = fleet.run(work(pool, "flood", lines=5000))
    (execution,) = fleet.executions(str(task.id))
    assert len(execution.logs) <= 1000
    dropped = [line.message for line in execution.logs if "lines dropped" in line.message]
    assert dropped, execution.logs[-1]
    assert sum(int(text.split()[0]) for text in dropped) > 2000


def test_what_an_agent_said_before_its_process_died_is_there(fleet: Fleet) -> None:
    (task,) = fleet.run(Task(capability="work", input={"do": "last_words"}))
    for execution in fleet.executions(str(task.id)):
        assert [line.message for line in execution.logs] == ["last words"]
        assert execution.pid in {e.pid for e in fleet.effects("begin") if e.task == str(task.id)}


@pytest.mark.matrix
@pytest.mark.parametrize("pool_name", ["prefork", "threads"])
def test_a_server_that_is_away_fails_no_agent_and_costs_no_line(bare_fleet: Fleet, pool_name: str) -> None:
    bare_fleet.coordinator()
    bare_fleet.worker("w", "-Q", "work", pool=pool_name)
    bare_fleet.await_leader()
    (id,) = bare_fleet.submit(Task(capability="work", input={"do": "chatter"}))
    until(lambda: bare_fleet.effects("begin"))
    bare_fleet.server.kill()
    time.sleep(1)
    bare_fleet.server.restart()
    assert bare_fleet.wait([id]) == ["completed"]
    said = [line.message for line in bare_fleet.executions(id)[-1].logs]
    assert said == [f"line {n}" for n in range(30)]


def test_what_is_written_past_python_to_the_streams_is_in_the_log(fleet: Fleet, pool: Pool) -> None:
    first, second = fleet.run(*(work(pool, "speak_past_python", name) for name in ("a", "b")))
    for task in (first, second):
        assert task.status == "completed", task
        said = lines(fleet, task)
        out = {text for who, _, text in said if who == "stdout"}
        err = {text for who, _, text in said if who == "stderr"}
        assert out == {"out", "käse\\xff", "büffer", "rich"}
        assert "err" in err
        assert any("speak_past_python" in text for text in err)
        (execution,) = fleet.executions(str(task.id))
        assert execution.result == {"kept": "kept\n"}


@pytest.mark.parametrize("how", ["force", "dict", "disable", "clear", "replace", "close", "delete"])
def test_an_agent_that_sets_up_logging_or_streams_takes_nothing_from_later_ones(
    fleet: Fleet, pool: Pool, how: str
) -> None:
    ruined = fleet.run(*(work(pool, "ruin", how=how) for _ in range(8)))
    assert {task.status for task in ruined} == {"completed"}
    for task in fleet.run(*(work(pool, "speak", f"after {how}") for _ in range(4))):
        assert lines(fleet, task) == [(who, level, text.format(f"after {how}")) for who, level, text in SAID]
    until(lambda: f"logged after {how}" in pool.worker.log(), what="the worker's own log")
