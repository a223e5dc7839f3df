"""Orders on the board reach the execution that they name, and no other."""

from __future__ import annotations

from uuid import uuid4

from workers.board import Board, key_of

A, B = str(uuid4()), str(uuid4())


def test_an_order_reaches_the_execution_that_it_names() -> None:
    board = Board()
    board.enter(3, 77, A)
    board.ask_to_cancel(77, A)
    assert board.cancelled(3, A)
    assert list(board.running()) == [(3, 77, key_of(A))]


def test_an_order_that_comes_late_meets_no_other_execution() -> None:
    board = Board()
    board.enter(0, 77, A)
    board.leave(0)
    board.ask_to_cancel(77, A)
    board.end(77, key_of(A))
    board.enter(0, 77, B)
    board.ask_to_cancel(77, A)
    board.end(77, key_of(A))
    assert not board.cancelled(0, B)
    assert board.is_protected(0)


def test_who_is_ended_is_told_too_and_no_longer_protected() -> None:
    board = Board()
    board.enter(0, 77, A)
    assert board.is_protected(0)
    board.end(77, key_of(A))
    assert board.cancelled(0, A)
    assert not board.is_protected(0)
    board.enter(0, 77, B)
    assert (board.cancelled(0, B), board.is_protected(0)) == (False, True)


def test_samples_keep_the_highest_and_begin_anew() -> None:
    board = Board()
    board.enter(0, 77, A)
    for memory in (5, 9, 7):
        board.sample(0, memory)
    assert board.peak(0) == 9
    board.enter(0, 77, B)
    assert board.peak(0) == 0


def test_nobody_runs_on_a_new_board() -> None:
    board = Board()
    assert list(board.running()) == []
    assert not board.is_protected(0)
