"""What is told to many is kept once, and no longer than somebody needs it; who is too far behind is sent away."""

from __future__ import annotations

import asyncio

import pytest

from taskengine.rest import rings
from taskengine.rest.rings import AT_ONCE, Ring, pause


async def test_all_who_stand_at_the_same_place_are_given_the_same_bytes() -> None:
    ring = Ring()
    seats = [ring.join() for _ in range(3)]
    ring.tell([b"a", b"b"])
    ring.tell([b"c"])
    given = [await seat.next() for seat in seats]
    assert given[0] == b"abc"
    assert all(each is given[0] for each in given)


async def test_a_listener_hears_what_is_told_behind_its_place_and_then_why_it_is_over() -> None:
    ring = Ring()
    ring.tell([b"before"])
    seat = ring.join()
    waiting = asyncio.ensure_future(seat.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    ring.tell([b"a"])
    assert await waiting == b"a"
    ring.tell([b"b"])
    ring.end_with("gone")
    ring.end_with("reset")
    assert (await seat.next(), seat.word) == (b"b", None)
    assert (await seat.next(), seat.word) == (None, "gone")


async def test_what_all_have_heard_is_forgotten() -> None:
    ring = Ring()
    quick, slow = ring.join(), ring.join()
    for n in range(100):
        ring.tell([b"%d" % n])
        assert await quick.next() == b"%d" % n
    assert ring.end - ring.begin == 100
    assert await slow.next() == b"".join(b"%d" % n for n in range(100))
    ring.tell([b"x"])
    assert ring.end - ring.begin == 1
    quick.leave()
    slow.leave()
    ring.tell([b"y"])
    assert ring.end - ring.begin == 1


async def test_who_is_too_far_behind_is_sent_away_and_the_others_hear_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rings, "MOST_BYTES", 10)
    ring = Ring()
    quick, slow = ring.join(), ring.join()
    for n in range(12):
        ring.tell([b"%d" % (n % 10)])
        assert await quick.next() == b"%d" % (n % 10)
    assert ring.end - ring.begin == 10
    assert (await slow.next(), slow.word) == (None, "lagged")


async def test_what_was_told_at_once_is_kept_however_much_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rings, "MOST_BYTES", 3)
    ring = Ring()
    seat = ring.join()
    ring.tell([b"ab", b"cd", b"ef"])
    assert await seat.next() == b"abcdef"


async def test_a_listener_is_given_a_bounded_piece_at_once() -> None:
    ring = Ring()
    seat = ring.join()
    piece = b"x" * (AT_ONCE // 4)
    ring.tell([piece] * 9)
    assert [len(await seat.next() or b"") for _ in range(3)] == [AT_ONCE, AT_ONCE, AT_ONCE // 4]
    ring.tell([b"x" * (2 * AT_ONCE), b"y"])
    assert [len(await seat.next() or b"") for _ in range(2)] == [2 * AT_ONCE, 1]


async def test_the_latest_piece_alone_is_given_to_whom_the_others_say_nothing() -> None:
    ring = Ring()
    seat = ring.join()
    ring.tell([b"a"])
    ring.tell([b"b"])
    assert await seat.latest() == b"b"
    ring.end_with("gone")
    assert (await seat.latest(), seat.word) == (None, "gone")


def test_so_many_are_told_together_that_a_server_has_time_for_all() -> None:
    assert pause(1, 0.05) == 0.05
    assert pause(500, 0.05) == 0.2
    assert pause(1000, 0.1) == 0.4
