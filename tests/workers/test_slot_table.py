"""Orders on the slot table reach the execution that they name, and no other."""

from __future__ import annotations

from uuid import uuid4

from workers.slot_table import SlotTable, key_of

A, B = str(uuid4()), str(uuid4())


def test_an_order_reaches_the_execution_that_it_names() -> None:
    slot_table = SlotTable()
    slot_table.enter(3, 77, A)
    slot_table.ask_to_cancel(77, A)
    assert slot_table.cancelled(3, A)
    assert list(slot_table.running()) == [(3, 77, key_of(A))]


def test_an_order_that_comes_late_meets_no_other_execution() -> None:
    slot_table = SlotTable()
    slot_table.enter(0, 77, A)
    slot_table.leave(0)
    slot_table.ask_to_cancel(77, A)
    slot_table.end(77, key_of(A))
    slot_table.enter(0, 77, B)
    slot_table.ask_to_cancel(77, A)
    slot_table.end(77, key_of(A))
    assert not slot_table.cancelled(0, B)
    assert slot_table.is_protected(0)


def test_who_is_ended_is_told_too_and_no_longer_protected() -> None:
    slot_table = SlotTable()
    slot_table.enter(0, 77, A)
    assert slot_table.is_protected(0)
    slot_table.end(77, key_of(A))
    assert slot_table.cancelled(0, A)
    assert not slot_table.is_protected(0)
    slot_table.enter(0, 77, B)
    assert (slot_table.cancelled(0, B), slot_table.is_protected(0)) == (False, True)


def test_samples_keep_the_highest_and_begin_anew() -> None:
    slot_table = SlotTable()
    slot_table.enter(0, 77, A)
    for memory in (5, 9, 7):
        slot_table.sample(0, memory)
    assert slot_table.peak(0) == 9
    slot_table.enter(0, 77, B)
    assert slot_table.peak(0) == 0


def test_nobody_runs_on_a_new_board() -> None:
    slot_table = SlotTable()
    assert list(slot_table.running()) == []
    assert not slot_table.is_protected(0)
