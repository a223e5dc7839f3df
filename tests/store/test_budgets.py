"""What one script does is bounded whatever the number of queues, scopes and nodes: every script that has a budget is
run in a crowd where each of them could do too much.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from taskengine.store import coordination
from taskengine.store.scripts import link, names

from .crowd import WANTS, Crowd, Size, Stored, commands_of
from .world import World

#: Too much of everything.
SIZE = Size(
    queues=40, nodes=10, agents=20, pauses=400, dependents=270, held=(260, 100, 100), heads=8, releases=2000
)  # fmt: skip
#: Tasks that a script may touch besides those it was told by name, heads that it moves aside, tasks that it grants.
MOST, PARKED, GRANTED = 256, 16, 16
#: Redis commands of one script: some for each task, queue and node, none for each pair of them.
COMMANDS = 20 * MOST


@dataclass(frozen=True)
class Places:
    """Where every task is, and what it holds."""

    parked: int
    granted: int
    of: dict[bytes, frozenset[Any]]

    @classmethod
    def now(cls, world: World) -> Places:
        of: dict[bytes, set[Any]] = {}
        counts = dict.fromkeys(("park", "granted", "ready", "suspended", "timers"), 0)
        pipe, asked = world.raw.pipeline(), []
        for name in world.key_names():
            kind = name.removeprefix(world.keys.prefix).partition(":")[0]
            if kind == "task":
                pipe.hgetall(name)
            elif kind == "granted":
                pipe.smembers(name)
            elif kind in counts:
                pipe.zrange(name, 0, -1)
            else:
                continue
            asked.append((kind, name))
        for (kind, name), held in zip(asked, pipe.execute(), strict=True):
            if kind == "task":
                of.setdefault(name[-36:].encode(), set()).update(held.items())
                continue
            counts[kind] += len(held)
            for member in held if kind != "granted" else ():
                of.setdefault(member[-36:], set()).add((name, member))
        return cls(counts["park"], counts["granted"], {id: frozenset(held) for id, held in of.items()})

    def touched(self, before: Places) -> int:
        return sum(self.of.get(id) != before.of.get(id) for id in self.of.keys() | before.of.keys())


def budgeted() -> set[str]:
    """Scripts that reach a budget of a part."""
    return {name for name in names() if re.search(r"^(?:local )?(left|parks_left) = \d+$", link(name), re.MULTILINE)}


def test_every_script_with_a_budget_is_under_the_law() -> None:
    assert set(WANTS) == budgeted()


@pytest.fixture(scope="module")
def made() -> list[Stored]:
    """The crowd as the first test made it."""
    return []


@pytest.fixture
def crowd(real: World, made: list[Stored]) -> Crowd:
    if not made:
        made.append(Crowd.of(real, SIZE).stored())
    return made[0].put_back(real)


@pytest.mark.parametrize("name", sorted(WANTS))
def test_one_script_is_bounded_in_every_crowd(crowd: Crowd, name: str) -> None:
    world = crowd.world
    call = WANTS[name](crowd)
    assert call.name == name
    before = Places.now(world)
    commands = commands_of(world, call)
    after = Places.now(world)
    parked = 256 if name == "grant" else PARKED
    assert after.parked - before.parked <= parked
    assert after.granted - before.granted <= GRANTED
    assert after.touched(before) <= MOST + parked + GRANTED + coordination.PIECE
    assert commands <= COMMANDS
