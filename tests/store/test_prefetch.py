"""Work that is prepared while the server is at something else: each piece once, in order, and its errors in place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from taskengine.errors import StoreUnavailableError
from taskengine.store import graphs
from taskengine.store.call import Prefetch
from taskengine.store.records import Record

from .world import World


def pieces(made: list[int], *, broken_at: int | None = None) -> Iterator[int]:
    for number in range(3):
        if number == broken_at:
            raise StoreUnavailableError(f"piece {number}")
        made.append(number)
        yield number


def test_a_piece_is_made_once_however_often_it_is_prepared() -> None:
    made: list[int] = []
    ahead = Prefetch(pieces(made))
    ahead.prepare()
    ahead.prepare()
    assert made == [0]
    assert [ahead.take() for _ in range(4)] == [0, 1, 2, None]
    assert made == [0, 1, 2]


def test_what_goes_wrong_is_told_to_who_takes_the_piece() -> None:
    ahead = Prefetch(pieces([], broken_at=1))
    assert ahead.take() == 0
    ahead.prepare()
    with pytest.raises(StoreUnavailableError, match="piece 1"):
        ahead.take()


@pytest.mark.parametrize("broken", [0, 1, graphs.CHUNK, 2 * graphs.CHUNK + 1])
def test_a_record_that_cannot_be_made_leaves_nothing_of_its_graph(world: World, broken: int) -> None:
    before = world.dump()
    new = [world.record(world.task(f"t{n}")) for n in range(3 * graphs.CHUNK)]

    def records() -> Iterator[Record]:
        for number, record in enumerate(new):
            if number == broken:
                raise StoreUnavailableError("no record")
            yield record

    with pytest.raises(StoreUnavailableError, match="no record"):
        world.run(graphs.submit("4e6b5d3d-0e33-48cd-b3bc-4f610e0c3821", records()))
    assert world.dump().keys() - before.keys() <= {world.keys.fixed("arrivals")}
    assert world.counts() == {}
    world.check()


def test_a_graph_of_nothing_is_nothing(world: World) -> None:
    assert world.run(graphs.submit("4e6b5d3d-0e33-48cd-b3bc-4f610e0c3821", iter(()))) == []
    assert world.counts() == {}
