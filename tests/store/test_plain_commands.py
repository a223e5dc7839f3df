"""What verbs of plain tasks send to the server: not one command more than before there were workflows."""

from __future__ import annotations

from collections.abc import Callable

from .world import World

#: Commands of each verb before the first change for workflows. Two of a start, and three of a whole task, are the set
#: of nodes with a free slot, which came later and has nothing to do with workflows.
BEFORE = {"create": 42, "start": 24 + 2, "submit, grant, claim and report": 72 + 3, "submit of three": 70}


def test_plain_tasks_cost_not_one_command_more_than_before_workflows(real: World) -> None:
    real.beat(slots=2)
    numbers = iter(range(2))
    found = {
        "create": commands(real, lambda: real.create(real.task("a"))),
        "start": commands(real, lambda: real.start(real.slot(f"s{5 + next(numbers)}"))),
        "submit, grant, claim and report": commands(real, lambda: real.finish(real.new("x"))),
        "submit of three": commands(real, lambda: real.submit(*(real.task(f"s{n}") for n in range(3)))),
    }
    assert {verb for verb, sent in found.items() if sent > BEFORE[verb]} == set(), found
    real.broken = True  # more is started than there are slots


def commands(world: World, verb: Callable[[], object]) -> int:
    """How many commands the second call of a verb sends, those of its scripts among them."""
    verb()
    before = sent(world)
    verb()
    return sent(world) - before - 1  # the look itself


def sent(world: World) -> int:
    return sum(int(each["calls"]) for each in world.raw.info("commandstats").values())
