"""Every transition is an event of its run, without a gap, and the events tell the same states as the records."""

from __future__ import annotations

from uuid import UUID

from taskengine.core.lifecycle import TASK_TRANSITIONS
from taskengine.core.replay import MOVES, replay
from taskengine.models import Event
from taskengine.settings import Settings
from taskengine.store import coordination, history, nodes, tasks

from .world import World


def story(world: World, run: str) -> list[Event]:
    found: list[Event] = []
    while piece := world.run(history.events(world.keys, run, len(found), 3)):
        found += piece
    return found


def test_sequence_of_a_run_has_no_gap_and_other_runs_do_not_move_it(world: World) -> None:
    runs = [world.submit(world.task("a")), world.submit(world.task("b"))]
    for name in world.ready():
        world.finish(world.task("x", id=UUID(name)))
    for run in runs:
        events = story(world, run)
        assert [e.sequence for e in events] == list(range(1, len(events) + 1))
        assert [e.what for e in events] == ["created", "ready", "started", "completed", "run_finished"]


def test_events_carry_time_task_and_note(world: World) -> None:
    a = world.task("a")
    run = world.submit(a)
    before = world.run(coordination.server_ms())
    told = world.start()
    world.report(told, disposition="failed", error="boom", error_kind="crash")
    started, failed = [e for e in story(world, run) if e.what in {"started", "failed"}]
    assert (started.task_id, started.note) == (a.id, "1 n1")
    assert (failed.task_id, failed.note) == (a.id, "crash")
    assert abs(started.at.timestamp() * 1000 - before) < 10_000
    assert world.run(history.history_of(world.keys, run, str(a.id), 2)) == [started, failed]


def test_long_history_is_trimmed_and_says_so(world: World) -> None:
    world.store = world.other(Settings(namespace="te", max_events=100))
    run = world.submit(world.task("a", hold=True))
    for n in range(250):
        world.new(f"t{n}", hold=True) if n % 2 else world.create(world.task(f"t{n}", hold=True), run)
    for n in range(130):
        world.create(world.task(f"u{n}", hold=True), run)
    events = [e for e in story_from(world, run) if e.what != "trimmed"]
    assert len(events) <= 110
    trims = [e for e in story_from(world, run) if e.what == "trimmed"]
    assert trims
    assert trims[-1].note == f"before {int(trims[-1].note.split()[1])}"
    sequence = [e.sequence for e in story_from(world, run)]
    assert sequence == list(range(sequence[0], sequence[-1] + 1))
    assert not replay(story_from(world, run)).whole


def story_from(world: World, run: str) -> list[Event]:
    return world.run(history.events(world.keys, run, 0, 1000))


def test_every_transition_that_scripts_make_is_in_the_table(world: World) -> None:
    """Each event that moves a task has a start from which the table allows it."""
    for finish in MOVES.values():
        assert any(finish in finishes for finishes in TASK_TRANSITIONS.values())
    a = world.task("a")
    world.submit(a, world.task("b", a))
    world.finish(a, disposition="failed")
    world.think()
    world.run(tasks.reopen(str(a.id)))
    world.think()
    told = world.start()
    world.run(nodes.remove_node("n1"))
    assert world.report(told).word == "fenced"
    assert [event["e"] for event in world.events(world.run_of(a.id)) if event["k"] == str(a.id)] == [
        "created", "ready", "started", "failed", "reopened", "ready", "started", "lost", "ready", "fenced",
    ]  # fmt: skip
