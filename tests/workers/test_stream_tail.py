"""Streams: nothing goes anywhere until somebody looks, then the tail and what follows."""

from __future__ import annotations

import asyncio

import pytest

from workers.known_secrets import learn
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


SECRET = "canary-of-the-stream-0815"


@pytest.fixture
def watcher() -> Watcher:
    learn(SECRET)
    made = Watcher()
    made.looks = True
    return made


@pytest.mark.parametrize("size", range(1, len(SECRET)))
def test_a_secret_in_two_pieces_is_hidden(watcher: Watcher, size: int) -> None:
    watcher.tail.add(f"it is {SECRET[:size]}")
    watcher.tail.flush()
    watcher.tail.add(f"{SECRET[size:]}, and that")
    watcher.tail.flush(is_last=True)
    assert "".join(watcher.shown) == "it is ***, and that"


def test_what_only_begins_like_a_secret_comes_with_the_next_piece(watcher: Watcher) -> None:
    watcher.tail.add("a canary")
    assert watcher.shown == ["a "]
    watcher.tail.add(" sings")
    watcher.tail.flush()
    assert watcher.shown == ["a ", "canary sings"]


def test_a_stream_that_ends_within_a_secret_shows_no_more_than_a_few_characters_of_it(watcher: Watcher) -> None:
    watcher.tail.add(f"x {SECRET[:-1]}")
    watcher.tail.flush(is_last=True)
    assert "".join(watcher.shown) == "x ***"
    watcher.tail.add("can")
    watcher.tail.flush(is_last=True)
    assert watcher.shown[-1] == "can"


def test_a_secret_at_the_edge_of_what_is_forgotten_is_hidden(watcher: Watcher) -> None:
    watcher.looks = False
    for at in range(40):
        watcher.tail.add(SECRET[:10])
        watcher.tail.add(SECRET[10:] + "-" * (TAIL // 20 + at))
    watcher.looks = True
    watcher.tail.flush(is_last=True)
    (shown,) = watcher.shown
    assert set(shown) == {"*", "-"}
