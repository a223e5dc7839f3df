"""What executions used is counted once, by agent, model and day, whatever is killed or repeated."""

from __future__ import annotations

import json
from datetime import date, timedelta

from taskengine.models.spent import Spent
from taskengine.store import coordination, executions, kept, spent
from taskengine.store.replies import Assignment

from .world import World


def used(world: World) -> dict[str, tuple[int, int, int]]:
    """Requests, input and output tokens by model, of all days."""
    days = [int(name.rpartition(":")[2]) for name in world.key_names() if ":spent:" in name]
    dates = [date(1970, 1, 1) + timedelta(days=day) for day in days]
    found = [one for each in dates for one in world.run(spent.of_day(world.keys, each))]
    assert {one.agent for one in found} <= {"lint"}
    return {one.spent.model: (one.spent.requests, one.spent.input_tokens, one.spent.output_tokens) for one in found}


def begin(world: World, **fields: object) -> Assignment:
    world.new("a", **fields)
    return world.start()


def note(world: World, told: Assignment, *so_far: Spent) -> str:
    return world.run(spent.note(told.execution_id, told.attempt, so_far)).word


def more(*so_far: Spent) -> str:
    return json.dumps({"spent": spent.spent_text(so_far)})


def test_notes_are_cumulative_and_a_late_copy_counts_nothing(world: World) -> None:
    told = begin(world)
    assert note(world, told, Spent("m", 1, 10, 5)) == "ok"
    assert note(world, told, Spent("m", 2, 30, 9)) == "ok"
    assert note(world, told, Spent("m", 1, 10, 5)) == "ok"
    assert used(world) == {"m": (2, 30, 9)}


def test_a_report_adds_what_was_not_noted(world: World) -> None:
    told = begin(world)
    note(world, told, Spent("m", 1, 10, 5))
    world.report(told, more=more(Spent("m", 2, 20, 10), Spent("a b", 1, 1, 1)))
    assert used(world) == {"m": (2, 20, 10), "a b": (1, 1, 1)}
    world.report(told, more=more(Spent("m", 2, 20, 10), Spent("a b", 1, 1, 1)))
    assert used(world) == {"m": (2, 20, 10), "a b": (1, 1, 1)}


def test_a_lost_attempt_counts_what_it_noted_and_what_it_says_too_late(world: World) -> None:
    told = begin(world)
    note(world, told, Spent("m", 1, 10, 5))
    world.age(60)
    world.run(coordination.rescue(world.elect()))
    assert used(world) == {"m": (1, 10, 5)}
    assert world.report(told, more=more(Spent("m", 2, 20, 10))).word == "fenced"
    assert note(world, told, Spent("m", 3, 30, 10)) == "fenced"
    assert used(world) == {"m": (3, 30, 10)}


def test_a_task_counts_the_tokens_of_all_its_attempts_against_its_cap(world: World) -> None:
    told = begin(world, max_total_tokens=100)
    assert (kept.tokens_left(told), kept.tokens_used(told)) == (100, 0)
    note(world, told, Spent("m", 1, 30, 10, 5, 5))
    world.run(executions.hand_back([(told.execution_id, told.attempt)], "it goes"))
    told = world.start(world.slot("s2"))
    assert (kept.tokens_left(told), kept.tokens_used(told)) == (50, 50)
    note(world, told, Spent("m", 1, 80))
    world.run(executions.hand_back([(told.execution_id, told.attempt)], "it goes"))
    assert kept.tokens_left(world.start(world.slot("s3"))) == 0


def test_what_a_task_without_a_cap_used_is_told_as_well(world: World) -> None:
    told = begin(world)
    note(world, told, Spent("m", 1, 30))
    world.run(executions.hand_back([(told.execution_id, told.attempt)], "it goes"))
    told = world.start(world.slot("s2"))
    assert (kept.tokens_left(told), kept.tokens_used(told)) == (None, 30)


def test_numbers_stay_whole_however_large(world: World) -> None:
    told = begin(world)
    note(world, told, Spent("m", 1, 2**52 + 1))
    note(world, told, Spent("m", 2, 2**52 + 3))
    assert used(world) == {"m": (2, 2**52 + 3, 0)}


def test_an_execution_that_is_not_there_counts_nothing(world: World) -> None:
    assert world.run(spent.note("e", 1, [Spent("m", 1)])).word == "missing"
    assert used(world) == {}
