"""A log buffer's bounds, without processes: what is cut, dropped, kept for later, and joined to lines."""

from __future__ import annotations

import json
import os
import threading
from typing import Any

import pytest

from taskengine.errors import StoreUnavailableError
from taskengine.models import LogLevel
from taskengine.store.replies import Assignment, Reply
from workers import log_buffer as room
from workers.capture import LEVELS
from workers.log_buffer import LogBuffer, LogStream

from ..forks import fork

TOLD = Assignment("e", "t", 3, 0, "r", "name", "{}", 0, "")
OK = Reply("ok")


class Wire:
    """Takes what log buffers send."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.woken = 0
        self.calls: list[Any] = []
        self.is_away = False

    def wake(self, _: LogBuffer) -> None:
        self.woken += 1

    def run(self, call: Any) -> Reply:
        if self.is_away:
            raise StoreUnavailableError("away")
        self.calls.append(call)
        return OK

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(text) for call in self.calls for text in call.args[7:]]

    @property
    def words(self) -> list[str]:
        return [line["message"] for line in self.lines]


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def log_buffer(wire: Wire) -> LogBuffer:
    return LogBuffer(TOLD, wire)


def test_many_lines_are_one_wake_up_and_one_trip(wire: Wire, log_buffer: LogBuffer) -> None:
    for n in range(100):
        log_buffer.add(LogLevel.INFO, str(n))
    assert (wire.woken, wire.calls) == (1, [])
    assert not log_buffer.send(wire.run)
    assert (len(wire.calls), wire.words) == (1, [str(n) for n in range(100)])


def test_nothing_said_is_no_trip(wire: Wire) -> None:
    LogStream(TOLD, wire).finish(wire.run, LEVELS)
    assert (wire.woken, wire.calls) == (0, [])


def test_a_piece_that_was_not_taken_is_sent_again_with_its_numbers(wire: Wire, log_buffer: LogBuffer) -> None:
    log_buffer.add(LogLevel.INFO, "one")
    wire.is_away = True
    with pytest.raises(StoreUnavailableError):
        log_buffer.send(wire.run)
    log_buffer.add(LogLevel.INFO, "two")
    wire.is_away = False
    log_buffer.finish(wire.run, LEVELS)
    assert [(call.args[6], len(call.args) - 7) for call in wire.calls] == [(1, 1), (2, 1)]
    assert wire.words == ["one", "two"]


def test_printed_pieces_are_joined_to_lines(wire: Wire, log_buffer: LogBuffer) -> None:
    for text in ("a", " ", "b", "\n", "\n", "c\nd\ne", "f"):
        log_buffer.write("stdout", LogLevel.INFO, text)
    log_buffer.write("stderr", LogLevel.WARNING, "oops\n")
    log_buffer.finish(wire.run, LEVELS)
    assert [(line["logger"], line["level"], line["message"]) for line in wire.lines] == [
        ("stdout", "info", "a b"), ("stdout", "info", "c"), ("stdout", "info", "d"), ("stderr", "warning", "oops"),
        ("stdout", "info", "ef"),
    ]  # fmt: skip


@pytest.mark.parametrize("texts", [["\r10%", "\r20%", "\r30%", "\n"], ["10%\r", "20%\r", "30%\r", "\n"]])
def test_a_progress_bar_is_its_last_state(wire: Wire, log_buffer: LogBuffer, texts: list[str]) -> None:
    for text in texts:
        log_buffer.write("stderr", LogLevel.WARNING, text)
    log_buffer.finish(wire.run, LEVELS)
    assert wire.words == ["30%"]


@pytest.mark.parametrize("letter", ["x", "é", "\N{GRINNING FACE}"])
def test_a_long_line_is_cut_at_64_kib_and_says_so(wire: Wire, log_buffer: LogBuffer, letter: str) -> None:
    log_buffer.add(LogLevel.INFO, letter * 100_000)
    log_buffer.finish(wire.run, LEVELS)
    (text,) = wire.words
    kept, note = text.split("…")
    assert len(kept.encode()) in range(room.LINE_BYTES - 3, room.LINE_BYTES + 1)
    assert note == " (a line of 100000 characters)"


def test_lines_that_come_too_fast_are_dropped_and_counted(wire: Wire, log_buffer: LogBuffer) -> None:
    for n in range(room.BURST + 500):
        log_buffer.add(LogLevel.INFO, str(n))
    log_buffer.finish(wire.run, LEVELS)
    *kept, note = wire.words
    assert kept[: room.BURST] == [str(n) for n in range(room.BURST)]
    assert kept == sorted(kept, key=int)  # while these came, room for some more came about
    assert note == f"{room.BURST + 500 - len(kept)} lines dropped: they came faster than 200 a second"


def test_what_waits_for_a_server_is_bounded_and_the_newest_is_kept(wire: Wire, log_buffer: LogBuffer) -> None:
    for n in range(100):
        log_buffer.add(LogLevel.INFO, f"{n:03}" + "x" * 50_000)
    log_buffer.finish(wire.run, LEVELS)
    *kept, note = wire.words
    assert sum(map(len, kept)) <= room.WAITING_BYTES
    assert kept[-1].startswith("099")
    assert note.startswith(f"{100 - len(kept)} lines dropped: they came while the server was away")


def test_of_progress_only_the_latest_is_sent(wire: Wire, log_buffer: LogBuffer) -> None:
    for n in range(10):
        log_buffer.progress(n / 10, f"step {n}")
    log_buffer.finish(wire.run, LEVELS)
    assert [call.args[4:6] for call in wire.calls] == [("0.9", "step 9")]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("password=hunter2 and more", "password=*** and more"),
        ("API_KEY: abc", "API_KEY: ***"),
        ("authorization=Bearer", "authorization=***"),
        ("the token is long", "the token is long"),
    ],
)
def test_obvious_secrets_are_not_kept(wire: Wire, log_buffer: LogBuffer, said: str, kept: str) -> None:
    log_buffer.write("stdout", LogLevel.INFO, said + "\n")
    log_buffer.finish(wire.run, LEVELS)
    assert wire.words == [kept]


def test_a_fenced_execution_says_nothing_more(wire: Wire, log_buffer: LogBuffer) -> None:
    log_buffer.add(LogLevel.INFO, "late")
    log_buffer.send(lambda _: Reply("fenced"))
    log_buffer.add(LogLevel.INFO, "later")
    log_buffer.finish(wire.run, LEVELS)
    assert wire.calls == []


def test_lone_surrogates_are_spelled_out(wire: Wire, log_buffer: LogBuffer) -> None:
    log_buffer.add(LogLevel.INFO, "caf\udce9", logger="l\udce9")
    log_buffer.finish(wire.run, LEVELS)
    assert (wire.words, wire.lines[0]["logger"]) == (["caf\\udce9"], "l\\udce9")


def test_a_fork_of_the_agents_adds_nothing_and_waits_for_nobody(wire: Wire) -> None:
    wire.pid += 1
    log_stream = LogStream(TOLD, wire)
    log_stream.log_buffer.add(LogLevel.INFO, "lost")
    log_stream.log_buffer.write("stdout", LogLevel.INFO, "lost\n")
    log_stream.finish(wire.run, LEVELS)
    assert (wire.woken, wire.calls) == (0, [])


@pytest.mark.process
def test_a_forked_child_says_nothing_and_waits_for_no_lock_of_its_parent(wire: Wire, log_buffer: LogBuffer) -> None:
    held, over = threading.Barrier(2), threading.Event()

    def hold() -> None:
        with log_buffer._adding:
            held.wait(5)
            over.wait(20)

    holding = threading.Thread(target=hold)
    holding.start()
    held.wait(5)

    def speak() -> int:
        log_buffer.progress(0.5, "half")
        log_buffer.add(LogLevel.INFO, "said")
        log_buffer.write("stdout", LogLevel.INFO, "printed\n")
        return wire.woken

    child = fork(speak)
    assert child.answer() == 0
    over.set()
    holding.join()
