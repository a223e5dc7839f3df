"""Each driver on each server: what the laws of the store, which are said on one of them, take for granted.

Run on all pairs whatever ``--stores`` says; small, so that it may.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any
from uuid import uuid4

import pytest

from taskengine.errors import StoreError
from taskengine.store import coordination, nodes
from taskengine.store.call import Call

from .world import World


def echo(text: str) -> Call[str]:
    return Call("ECHO", (text,), str, command=True)


def test_a_command_is_answered_in_the_letters_that_were_sent(any_store: World) -> None:
    for text in ("", "a", "é 漢 🙂", "two\r\nlines", "x" * 100_000):
        assert any_store.run(echo(text)) == text


def test_trips_of_one_operation_are_made_in_order_and_each_gets_its_answer(any_store: World) -> None:
    asked: list[str] = []

    def operation() -> Generator[Call[Any], Any, list[str]]:
        for text in "abc":
            answer = yield echo(text)
            asked.append(answer)
        return asked[::-1]

    assert any_store.run(operation()) == ["c", "b", "a"]
    assert asked == ["a", "b", "c"]


def test_an_operation_that_asks_nothing_is_its_answer(any_store: World) -> None:
    def operation() -> Generator[Call[Any], Any, int]:
        yield from ()
        return 7

    assert any_store.run(operation()) == 7


def test_a_mistake_in_reading_an_answer_is_the_callers_and_the_next_call_is_answered(any_store: World) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        any_store.run(Call("ECHO", ("x",), int, command=True))
    assert any_store.run(echo("after")) == "after"


def test_an_error_of_the_server_is_the_librarys(any_store: World) -> None:
    with pytest.raises(StoreError, match="Redis at "):
        any_store.run(Call("NO-SUCH-COMMAND", (), str, command=True))
    assert any_store.run(echo("after")) == "after"


def test_a_server_that_forgot_its_scripts_is_given_them_again(any_store: World) -> None:
    assert any_store.run(nodes.fleet()).nodes == ()
    any_store.raw.script_flush()
    assert any_store.run(nodes.fleet()).nodes == ()


def test_a_read_that_waits_ends_without_an_answer(any_store: World) -> None:
    args = ("BLOCK", 10, "STREAMS", f"{any_store.keys.prefix}nothing", "0")
    assert not any_store.run(Call("XREAD", args, lambda raw: raw, command=True))


def test_a_script_that_grants_has_the_envelope_and_a_life_ends_with_every_law_kept(any_store: World) -> None:
    first = any_store.task("é")
    then = any_store.task("then", first, input={"text": "漢" * 20_000})
    any_store.submit(first, then, run=uuid4())
    any_store.beat(slots=1)
    any_store.run(coordination.grant(any_store.elect(), ["lint"]))
    (message,) = any_store.messages()
    assert "@" not in str(message), "a place of the envelope was not filled in"
    any_store.finish(first, then)
    assert any_store.statuses([first.id, then.id]) == ["completed", "completed"]
    assert any_store.read(then.id).input == {"text": "漢" * 20_000}
