"""Decisions that failed: how often each did, who has which in hand, and those that were put aside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taskengine.store.call import Call
from taskengine.store.codec import loads_object, pairs
from taskengine.store.keys import Keys


def poisoned(keys: Keys, most: int) -> Call[dict[str, str]]:
    """Task or step -> the error of the latest decision about it that was put aside, of the newest *most* of all."""

    def decode(raw: Sequence[str]) -> dict[str, str]:
        found = [loads_object(text) for text in reversed(raw)]
        return {str(one["task"]): str(one["error"]) for one in found}

    return Call("LRANGE", (keys.fixed("poison"), 0, most - 1), decode, command=True)


def poison_counts(keys: Keys) -> Call[tuple[dict[str, int], str, str]]:
    """Return how often what happened with which decision, and who has which one in hand ('' and '' for nobody)."""

    def decode(raw: Any) -> tuple[dict[str, int], str, str]:
        found = dict(raw) if isinstance(raw, dict) else pairs(raw)
        who, _, entry = found.pop("hand", "").partition(" ")
        return {field: int(times) for field, times in found.items()}, who, entry

    return Call("HGETALL", (keys.fixed("poison_counts"),), decode, command=True)


def count_poison(keys: Keys, field: str) -> Call[int]:
    """Count what happened with a decision once more."""
    return Call("HINCRBY", (keys.fixed("poison_counts"), field, 1), int, command=True)


def take_in_hand(keys: Keys, who: str, entry: str) -> Call[int]:
    """Note that *who* makes a decision alone now."""
    return Call("HSET", (keys.fixed("poison_counts"), "hand", f"{who} {entry}"), int, command=True)


def let_go(keys: Keys) -> Call[int]:
    """Note that nobody has a decision in hand."""
    return Call("HDEL", (keys.fixed("poison_counts"), "hand"), int, command=True)


def forget_poison_counts(keys: Keys) -> Call[int]:
    """Forget how often decisions raised or ended a coordinator."""
    return Call("DEL", (keys.fixed("poison_counts"),), int, command=True)
