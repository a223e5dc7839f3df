"""Best of some rounds, taken in turns: what else the machine does then falls on both sides alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def in_turns(rounds: int, sides: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """What each side measured, round by round: every side once, then every side again."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, measure in sides.items():
            found[name].append(measure())
    return found
