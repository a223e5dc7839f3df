"""What a parent hands back of a slot whose execution lasts: what waits behind it in that slot, and nothing else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from taskengine.store.nodes import Held
from workers.stalled_batches import StalledBatches


def held(execution: str, slot: str) -> Held:
    """One of a message that came twice, to two slots of one process."""
    return Held(execution, "m", 7, None, None, 1, f"task of {execution}", slot=slot)


def batches(*running: str) -> StalledBatches:
    node: Any = SimpleNamespace(forks=False, local=SimpleNamespace(runs=dict.fromkeys(running)))
    return StalledBatches(node)


def test_what_waits_behind_one_that_lasts_is_handed_back_at_the_second_look() -> None:
    looks, slot = batches("a"), [held("a", "s1"), held("b", "s1")]
    assert looks.look(slot) == ([slot[0]], [])
    assert looks.look(slot) == ([slot[0]], [slot[1]])
    assert looks.beside(slot[0]) == [slot[1]]


def test_slots_to_which_one_message_came_twice_are_two() -> None:
    """A grant that was withdrawn is made again under the same id while its first message still waits here."""
    looks, slots = batches("a", "b"), [held("a", "s1"), held("b", "s2")]
    for _ in range(3):
        assert looks.look(slots) == (slots, [])
    assert looks.beside(slots[0]) == []
