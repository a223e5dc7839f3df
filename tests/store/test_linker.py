"""How a script is put together: what a verb cannot reach is left out, what it lazy needs is made late."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from taskengine.settings import Settings
from taskengine.store.linker import Library
from taskengine.store.scripts import Scripts, header, names

from ..cases import each

PARTS = (
    "-- The time.\n-- fields:\n\nlocal call = redis.call\nlocal now = call('TIME')[1]\n",
    "-- Shouts.\n-- lazy\nlocal function shout(x)\n  undo()\n  return x .. '!'\nend\n"
    "local function say(x)\n  if x == 'no' then\n    undo()\n  end\n  return shout(x)\nend\n",
    "-- Counts.\nlocal moved = {}\nlocal LIMIT = 5\n"
    "-- At the end, all at once.\n-- at end\nlocal function flush()\n  call('SET', 'n', moved.n)\nend\n"
    "local function move(n)\n  moved.n = n\nend\n"
    "-- lazy\nlocal function undo()\n  moved.n = LIMIT\nend\n",
)


def put(verb: str, *parts: str) -> str:
    return Library(parts or PARTS).link(verb)


def functions(source: str) -> list[str]:
    return re.findall(r"function (\w+)", source)


def test_a_verb_carries_nothing_that_it_cannot_reach() -> None:
    source = put("-- A verb.\nmove(1)\nreturn now\n")
    assert functions(source) == ["move", "flush", "verb"]
    assert "LIMIT" not in source
    assert source.endswith("local reply = verb()\nflush()\nreturn reply")


def test_whatever_is_used_stands_before_who_uses_it_in_whichever_part() -> None:
    source = put("return say('x') .. now\n")
    assert source.index("\ncall = ") < source.index("\nnow = ")
    assert functions(source) == ["undo", "shout", "say", "flush", "verb"]


def test_what_works_off_nothing_is_not_called_at_the_end() -> None:
    assert put("return now\n") == "local call, now\ncall = redis.call\nnow = call('TIME')[1]\nreturn now"


def test_names_that_most_functions_mean_are_local_last_where_closures_look_for_them_first() -> None:
    parts = ("local a, b = 1, 2\nlocal function f()\n  return a\nend\nlocal function g()\n  return a + b + f()\nend\n",)
    assert put("return g()\n", *parts).startswith("local g, b, f, a\na, b = 1, 2\nfunction f()\n")


@pytest.mark.parametrize(
    "verb",
    [
        "local move = 1\nreturn move\n",
        "local function move() end\nreturn move()\n",
        "for _, move in ipairs(ARGV) do f(move) end\n",
        "for move = 1, 2 do f(move) end\n",
        "local function f(a, move) return move end\nreturn f(1, 2)\n",
        "return t.move, t:move(), 'move'\n",
        "return {move = 1}\n",
        "return 1  -- move\n",
        "local a, move = 1, 2\nreturn move\n",
    ],
)
def test_a_name_of_its_own_is_not_one_of_the_library(verb: str) -> None:
    assert "moved" not in put(verb)


def test_lazy_functions_are_made_together_when_the_first_is_called() -> None:
    source = put("-- links: lazily\nmove(1)\nreturn say('x')\n")
    assert functions(source) == ["say", "move", "flush", "lazy", "undo", "shout", "verb"]
    assert "return lazy().shout(x)" in source
    assert "    lazy().undo()\n" in source
    assert "  undo()\n  return x .. '!'" in source  # among themselves they know each other
    assert "made_lazy = {undo = undo, shout = shout}" in source
    assert source.startswith("local made_lazy, say, move, flush, call, lazy, moved\n"), source


def test_a_verb_that_does_not_say_so_makes_all_at_once() -> None:
    assert "made_lazy" not in put("return say('x')\n")


def test_what_lazy_functions_alone_mean_is_made_with_them() -> None:
    lazily = put("-- links: lazily\nmove(1)\nreturn say('x')\n")
    assert lazily.index("function lazy()") < lazily.index("local LIMIT = 5") < lazily.index("local function undo()")
    used = put("-- links: lazily\nmove(LIMIT)\nreturn say('x')\n")
    assert used.index("\nLIMIT = 5") < used.index("function lazy()")


def test_a_group_is_made_without_the_others_and_calls_them_through_what_makes_them() -> None:
    parts = (
        "local call = redis.call\n",
        "local FEW = 3\n-- lazy: rare\nlocal function few(x)\n  return seldom(x) + FEW\nend\n",
        "local both = {}\n-- lazy\nlocal function seldom(x)\n  both[1] = twice(x)\n  return both[1]\nend\n"
        "-- lazy\nlocal function twice(x)\n  return 2 * x\nend\n"
        "-- lazy: rare\nlocal function look()\n  return both\nend\n",
    )
    source = put("-- links: lazily\nif call('GET', 'n') then return few(1) end\nlook()\nreturn twice(2)\n", *parts)
    assert functions(source) == ["lazy", "twice", "seldom", "lazy_rare", "few", "look"]
    assert "return lazy().seldom(x) + FEW" in source
    assert "both[1] = twice(x)" in source
    assert "then return lazy_rare().few(1) end\nlazy_rare().look()\nreturn lazy().twice(2)" in source
    # What one group alone means is made with it, what two mean before both.
    assert source.index("function lazy_rare()") < source.index("local FEW = 3") < source.index("local function few")
    assert source.index("\nboth = {}") < source.index("function lazy()")


def test_a_lazy_function_cannot_be_handed_on() -> None:
    with pytest.raises(ValueError, match="undo: it is lazy, so it can only be called"):
        put("-- links: lazily\nmove(1)\nundo()\nlocal f = undo\nreturn f\n")


def test_a_part_with_a_loose_statement_is_refused() -> None:
    with pytest.raises(ValueError, match="not 'now = 1'"):
        put("return 1\n", "now = 1\n")


def test_no_two_functions_have_one_name() -> None:
    with pytest.raises(ValueError, match="two parts define f"):
        put("return 1\n", "local function f()\nend\n", "local f = 1\n")


def test_a_circle_is_refused() -> None:
    with pytest.raises(ValueError, match="f, g: each needs the next one before itself"):
        put("return f()\n", "local function f()\n  g()\nend\nlocal function g()\n  f()\nend\n")


def test_a_function_may_call_itself() -> None:
    assert functions(put("return f()\n", "local function f()\n  return f()\nend\n")) == ["f"]


@each("name", names())
def test_every_verb_is_a_program(valkey_script: Callable[[str], Any], name: str) -> None:
    assert valkey_script(Scripts(Settings())[name].source)
    assert header(name, "links") in ([], ["lazily"])


@pytest.fixture(scope="module")
def valkey_script(shared_valkey: Any) -> Callable[[str], Any]:
    return lambda source: shared_valkey.client.script_load(source)
