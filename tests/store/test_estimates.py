"""What kinds of tasks took is kept, and bounded."""

from __future__ import annotations

import pytest

from taskengine.store import estimates

from .world import World


def test_estimates_are_kept_to_the_millisecond(world: World) -> None:
    assert world.run(estimates.update_estimates({"lint": 1.5, "lint a": 0.0123, "lint b": 0})).ok
    assert world.run(estimates.read_estimates(world.keys, ["lint", "lint a", "lint b", "lint c"])) == {
        "lint": 1.5, "lint a": 0.012, "lint b": 0.0,
    }  # fmt: skip


def test_kinds_that_nobody_ran_for_longest_are_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "MOST_KINDS", 3)
    for n in range(5):
        world.run(estimates.update_estimates({f"lint {'abcde'[n]}": n}))
        key = world.keys.fixed("estimated")
        for kind, ms in world.raw.zrange(key, 0, -1, withscores=True):
            world.raw.zadd(key, {kind: ms - 1000})
    kinds = [f"lint {name}" for name in "abcde"]
    assert list(world.run(estimates.read_estimates(world.keys, kinds))) == kinds[2:]
    assert (world.raw.hlen(world.keys.fixed("estimates")), world.raw.zcard(world.keys.fixed("estimated"))) == (3, 3)


def test_many_kinds_are_read_in_pieces(real: World) -> None:
    for at in range(0, 2000, 200):
        real.run(estimates.update_estimates({f"lint {n}": n for n in range(at, at + 200)}))
    found = real.run(estimates.read_estimates(real.keys, [f"lint {n}" for n in range(2500)]))
    assert found == {f"lint {n}": float(n) for n in range(2000)}
