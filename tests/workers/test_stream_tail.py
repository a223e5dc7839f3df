"""Streams: nothing goes anywhere until somebody looks, then the tail and what follows."""

from __future__ import annotations

import asyncio

from workers.stream_tail import PAUSE, TAIL, StreamTail


class Watcher:
    def __init__(self) -> None:
        self.looks = False
        self.shown: list[str] = []
        self.tail = StreamTail(lambda: self.looks, self.shown.append)


def test_nothing_is_shown_until_somebody_looks_and_then_the_tail() -> None:
    watcher = Watcher()
    for word in ("a", "b", "c"):
        watcher.tail.add(word)
    watcher.tail.flush()
    assert watcher.shown == []
    watcher.looks = True
    watcher.tail.add("d")
    assert watcher.shown == ["abcd"]
    watcher.tail.add("e")
    watcher.tail.flush()
    watcher.tail.flush()
    assert watcher.shown == ["abcd", "e"]


def test_what_nobody_saw_is_forgotten_but_for_its_end() -> None:
    watcher = Watcher()
    for number in range(3 * TAIL // 10):
        watcher.tail.add(f"{number:09} ")
    watcher.looks = True
    watcher.tail.flush()
    (shown,) = watcher.shown
    assert len(shown) <= TAIL
    assert shown.endswith(f"{3 * TAIL // 10 - 1:09} ")


async def test_pieces_come_a_few_times_a_second_and_the_last_one_by_itself() -> None:
    watcher = Watcher()
    watcher.looks = True
    for word in "abcdef":
        watcher.tail.add(word)
    assert watcher.shown == ["a"]
    async with asyncio.timeout(10 * PAUSE + 5):
        while len(watcher.shown) < 2:
            await asyncio.sleep(0.01)
    assert watcher.shown == ["a", "bcdef"]
