"""Best of some rounds, taken in turns: what else the machine does then falls on both sides alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def in_turns(rounds: int, sides: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """What each side measured, round by round: every side once, then every side again, the other way round."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    order = list(sides)
    for _ in range(rounds):
        for name in order:
            found[name].append(sides[name]())
        order.reverse()
    return found
