"""How long it takes until a task is done, as far as anybody knows."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine.core.deadlines import DeadlineWeight, next_look, remaining
from taskengine.models import TaskStatus

NOW = 1000.0


def weight(id: str, *on: str, status: str = "pending", **more: Any) -> DeadlineWeight:
    fields: dict[str, Any] = {
        "queue": "lint", "name": id, "given": 10.0, "started": None, "due": None, "position": None,
        "deadline": None,
    }  # fmt: skip
    return DeadlineWeight(id=id, status=TaskStatus(status), depends_on=on, **{**fields, **more})


def left(of: str, *weights: DeadlineWeight) -> float:
    return remaining(
        of,
        {w.id: w for w in weights},
        NOW,
        takes=lambda w: w.given or 0.0,
        waits=lambda w: (w.position or 0) * 2.0,
    )


def test_longest_way_counts() -> None:
    graph = [weight("a"), weight("b", given=50.0), weight("c", "a", "b"), weight("d", "c", "a")]
    assert left("d", *graph) == 50 + 10 + 10


def test_what_is_over_or_unknown_takes_no_time() -> None:
    assert left("c", weight("a", status="completed"), weight("c", "a", "nobody", "b"), weight("b", given=None)) == 10


def test_what_runs_is_credited_and_never_less_than_nothing() -> None:
    running = weight("a", status="running", started=NOW - 4)
    late = weight("a", status="running", started=NOW - 400)
    assert (left("a", running), left("a", late)) == (6, 0)
    assert left("b", late, weight("b", "a")) == 10


def test_timers_and_places_are_charged() -> None:
    assert left("a", weight("a", status="retrying", due=NOW + 30)) == 40
    assert left("a", weight("a", status="ready", position=7)) == 24


def test_records_older_than_an_edge_are_no_endless_way() -> None:
    assert left("a", weight("a", "b"), weight("b", "a")) == pytest.approx(20)


def test_chain_of_thousands_is_walked() -> None:
    chain = [weight("0"), *(weight(str(n), str(n - 1)) for n in range(1, 5000))]
    assert left("4999", *chain) == 50_000


def test_wide_diamond_is_walked_once() -> None:
    layers = [weight("top")]
    before = ["top"]
    for layer in range(30):
        names = [f"{layer}.{n}" for n in range(8)]
        layers += [weight(name, *before) for name in names]
        before = names
    assert left("29.0", *layers) == 310


def test_looks_come_closer_and_never_sooner_than_a_second() -> None:
    assert [next_look(slack) for slack in (3600, 10, 1, 0.1)] == [1800, 5, 1, 1]
