"""No script touches more than 256 tasks, however wide the graph; how long the longest took is printed, not checked."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from taskengine.models import Task
from taskengine.store import coordination, graphs, tasks
from taskengine.store.scripts import Scripts, names

from .world import World, eid, steps

WIDE = 10_000


@pytest.fixture
def slow(real: World, capsys: pytest.CaptureFixture[str]) -> Iterator[World]:
    """A world whose slowest script is printed at the end."""
    real.raw.config_set("slowlog-log-slower-than", 500)
    real.raw.config_set("slowlog-max-len", 10_000)
    real.raw.slowlog_reset()
    yield real
    longest: dict[str, int] = {}
    known = {sha: name for name, sha in shas(real)}
    for entry in real.raw.slowlog_get(10_000):
        words = entry["command"].split(b" ")
        name = known.get(words[1] if len(words) > 1 else b"", words[0].decode())
        longest[name] = max(longest.get(name, 0), entry["duration"])
    with capsys.disabled():
        shown = ", ".join(f"{name} {us / 1000:.1f} ms" for name, us in sorted(longest.items(), key=lambda x: -x[1])[:4])
        print(f"\n  longest scripts: {shown or 'all below 0.5 ms'}")


def shas(world: World) -> list[tuple[str, bytes]]:
    scripts = Scripts(world.store.settings)
    return [(name, scripts[name].sha.encode()) for name in names()]


def fan(world: World) -> tuple[Task, list[Task], Task]:
    root = world.task("root")
    middle = [world.task(f"m{n}", root) for n in range(WIDE)]
    return root, middle, world.task("end", *middle)


def changed(world: World, status: str, step: object) -> int:
    before = world.counts().get(status, 0)
    step()  # type: ignore[operator]
    return world.counts().get(status, 0) - before


def test_ten_thousand_dependents_are_told_256_at_a_time(slow: World) -> None:
    root, middle, end = fan(slow)
    records = [slow.record(task) for task in (root, *middle, end)]
    slow.run(graphs.submit(str(uuid4()), records))
    assert slow.fields("task", end.id)["w"] == str(WIDE)
    slow.beat(slots=0)
    told = slow.start()
    assert told.task_id == str(root.id)
    assert changed(slow, "ready", lambda: slow.report(told)) == 256
    slow.elect()
    pieces = []
    while "rel" in slow.fields("task", root.id):
        pieces.append(changed(slow, "ready", lambda: slow.run(coordination.continue_releases(slow.term))))
    assert max(pieces) == 256
    assert slow.counts() == {"completed": 1, "ready": WIDE, "pending": 1}


def test_ten_thousand_dependents_are_closed_and_reopened_in_pieces(slow: World) -> None:
    root = slow.task("root")
    slow.submit(root, *(slow.task(f"m{n}", root) for n in range(3000)))
    slow.finish(root, disposition="failed")
    slow.think()
    assert slow.counts() == {"failed": 1, "cancelled": 3000}
    assert slow.run(tasks.reopen(str(root.id))).ok
    slow.think()
    assert slow.counts() == {"ready": 1, "pending": 3000}


def test_task_with_ten_thousand_dependencies_runs_and_reads_in_bounded_trips(slow: World) -> None:
    """It is told 64 of its dependencies at once; the others are read when they are asked for."""
    middle = [slow.task(f"m{n}") for n in range(2000)]
    end = slow.task("end", *middle)
    slow.submit(*middle, end)
    slot = slow.slot()
    slow.beat(slots=0)
    told = slow.claim(slot).assignment
    while told and told.task_id != str(end.id):
        told = slow.report(told, slot, output="{}", pull=True).assignment
    assert told is not None
    assert (len(told.inputs), told.more_inputs) == (64, True)
    assert slow.fields("exec", eid(end))["st"] == "running"


def test_commit_of_ten_thousand_tasks_is_one_short_script_and_the_waits_fall_in_chunks(slow: World) -> None:
    new = [slow.task(f"t{n}") for n in range(WIDE)]
    batch = slow.staged(*new)
    slow.run(graphs.commit(batch))
    assert slow.counts() == {"pending": WIDE}
    assert changed(slow, "ready", lambda: slow.run(coordination.settle_batch(batch))) == 256
    slow.settle(batch)
    assert slow.counts() == {"ready": WIDE}


def test_reads_are_cut_at_about_a_mebibyte(real: World) -> None:
    large = {"x": "y" * 200_000}
    new = [real.new(f"t{n}", input=large) for n in range(12)]
    sent: list[int] = []
    def send(call: object) -> object:
        answer = real.run(call)  # type: ignore[arg-type]
        sent.append(len(answer))
        return answer

    found = steps(tasks.read([str(t.id) for t in new]), send)
    assert [t.name for t in found if t] == [t.name for t in new]
    assert max(sent) <= 6
