"""How a script is put together: what a verb can not reach is left out, what it seldom needs is made late."""

from __future__ import annotations

import re

import pytest

from taskengine.settings import Settings
from taskengine.store import assembly
from taskengine.store.scripts import Scripts, header, names

PARTS = {
    "clock": "-- The time.\nlocal call = redis.call\nlocal now = call('TIME')[1]\n",
    "count": (
        "-- Counts.\n-- uses: clock\n-- finally: flush\nlocal moved = {}\nlocal LIMIT = 5\n"
        "local function flush()\n  call('SET', 'n', moved.n)\nend\n"
        "local function move(n)\n  moved.n = n\nend\n"
        "local function undo()\n  moved.n = LIMIT\nend\n"
    ),
    "say": "-- uses: count\nlocal function shout(x)\n  undo()\n  return x .. '!'\nend\n"
    "local function say(x)\n  if x == 'no' then\n    undo()\n  end\n  return shout(x)\nend\n",
}


def put(verb: str) -> str:
    return assembly.assemble(verb, PARTS.__getitem__)


def functions(source: str) -> list[str]:
    return re.findall(r"function (\w+)", source)


def test_a_verb_carries_nothing_that_it_can_not_reach() -> None:
    source = put("-- uses: say\nmove(1)\nreturn now\n")
    assert functions(source) == ["flush", "move", "verb"]
    assert "LIMIT" not in source
    assert source.index("local call") < source.index("local now") < source.index("local moved")
    assert source.endswith("local reply = verb()\nflush()\nreturn reply")


def test_a_verb_without_ends_is_not_wrapped() -> None:
    assert put("-- uses: clock\nreturn now\n").endswith("return now")


def test_functions_that_are_not_plain_are_made_behind_a_door_in_their_order() -> None:
    source = put("-- uses: say\n-- plain: move, say\nmove(1)\nreturn say('x')\n")
    assert functions(source) == ["flush", "move", "say", "seldom", "undo", "shout", "verb"]
    assert "return seldom().shout(x)" in source
    assert "    seldom().undo()\n" in source
    assert "  undo()\n  return x .. '!'" in source  # among themselves they know each other
    assert "made_late = {undo = undo, shout = shout}" in source
    assert source.startswith("local made_late, seldom\n")


def test_a_late_function_can_not_be_handed_on() -> None:
    with pytest.raises(ValueError, match="undo: not in 'plain', so it can only be called"):
        put("-- uses: say\n-- plain: move\nmove(1)\nundo()\nlocal f = undo\nreturn f\n")


def test_a_part_with_a_loose_statement_is_refused() -> None:
    with pytest.raises(ValueError, match="not 'now = 1'"):
        assembly.assemble("-- uses: loose\nreturn 1\n", lambda _: "now = 1\n")


@pytest.mark.parametrize("name", names())
def test_every_verb_is_a_program_and_names_only_functions_that_it_can_reach(valkey_script, name: str) -> None:
    assert valkey_script(Scripts(Settings())[name].source)
    for plain in header(name, "plain"):
        assert f"local function {plain}(" in Scripts(Settings())[name].source


@pytest.fixture(scope="module")
def valkey_script(shared_valkey):
    return lambda source: shared_valkey.client.script_load(source)
