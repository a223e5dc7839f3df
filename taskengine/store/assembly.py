"""Puts a script together: the parts that a verb uses, of them only what it can reach, and the seldom ones late.

Lua makes every local function anew each time a script runs, and a closure with its captured variables is as dear as a
short command: of the 634 000 instructions of a report a fifth went into 56 functions, most of which it never called.
So what a verb can not reach is left out, and a verb whose header has a line::

    -- plain: name, name

makes just these functions of its parts at once; the others are made together when the first of them is called.
(Rejected: Redis Functions, which make them once at load. They gain as much and no more, fakeredis has none, and a
server out of memory refuses them as a whole: also those that free some.)

A part is a list of ``local function`` and one-line ``local name = …`` at the left edge. Comments stay out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from taskengine.store.header import words

_FUNCTION = re.compile(r"local function (\w+)")
_NAMES = re.compile(r"local ([\w, ]+?) *(?:=|$)")
_WORD = re.compile(r"(?<![\w.:])[A-Za-z_]\w*")
_TEXT = re.compile(r"'(?:\\.|[^'\\\n])*'|--.*")


@dataclass(frozen=True, slots=True)
class Unit:
    """One function, or one statement, of a part."""

    names: tuple[str, ...]
    text: str
    is_function: bool

    @property
    def words(self) -> set[str]:
        """Every name that may be meant in it."""
        return _words(self.text)


def assemble(verb: str, read_part: Callable[[str], str]) -> str:
    """The source of *verb* with its parts, each once and before whoever uses it."""
    units = [unit for part in parts(verb, read_part) for unit in _units(_strip(part))]
    finals = [word for part in parts(verb, read_part) for word in words(part, "finally")]
    body = _strip(verb)
    units = _reached(units, {*_words(body), *finals})
    plain = words(verb, "plain")
    if plain:
        units, body = _late(units, body, {*plain, *finals})
    return "\n".join([*(unit.text for unit in units), *_with_ends(body, finals)])


def parts(text: str, read_part: Callable[[str], str]) -> list[str]:
    """The texts of all parts that *text* uses, each once and behind those that it uses itself."""
    order: dict[str, str] = {}

    def collect(text: str) -> None:
        for part in words(text, "uses"):
            if part not in order:
                collect(read_part(part))
                order.setdefault(part, read_part(part))

    collect(text)
    return list(order.values())


def _units(part: str) -> list[Unit]:
    units: list[Unit] = []
    lines: list[str] = []
    for line in [*part.splitlines(), ""]:
        if lines and line != "end" and not line.startswith(" "):
            units.append(_unit(lines))
            lines = []
        lines.append(line)
    return units


def _unit(lines: Sequence[str]) -> Unit:
    text = "\n".join(lines)
    if found := _FUNCTION.match(text):
        return Unit((found[1],), text, is_function=True)
    found = _NAMES.match(lines[0])
    if found is None:
        raise ValueError(f"a part holds functions and 'local name = …' at its left edge, not {lines[0]!r}")
    return Unit(tuple(name.strip() for name in found[1].split(",")), text, is_function=False)


def _reached(units: Sequence[Unit], wanted: set[str]) -> list[Unit]:
    """Those that somebody who is wanted may mean; each unit stands behind all that it means."""
    kept = []
    for unit in reversed(units):
        if not wanted.isdisjoint(unit.names):
            kept.append(unit)
            wanted = wanted | unit.words
    return kept[::-1]


def _late(units: Sequence[Unit], body: str, plain: Collection[str]) -> tuple[list[Unit], str]:
    """The units with all functions but the *plain* ones behind a door, and the body that goes through it."""
    late = [unit for unit in units if unit.is_function and unit.names[0] not in plain]
    names = [unit.names[0] for unit in late]
    if not names:
        return list(units), body
    call = re.compile(rf"(?<![\w.:])({'|'.join(names)})(?=\()")
    told = [Unit(u.names, call.sub(r"seldom().\1", u.text), u.is_function) for u in units if u not in late]
    _refuse_values(names, [*(unit.text for unit in told), call.sub("", body)])
    table = ", ".join(f"{name} = {name}" for name in names)
    made = f"made_late = {{{table}}}"
    door = ["function seldom()", "if made_late then return made_late end", *(unit.text for unit in late), made]
    first = Unit(("made_late", "seldom"), "local made_late, seldom", is_function=False)
    last = Unit(("seldom",), "\n".join([*door, "return made_late", "end"]), is_function=True)
    return [first, *told, last], call.sub(r"seldom().\1", body)


def _refuse_values(names: Iterable[str], texts: Iterable[str]) -> None:
    """A late function can only be called: as a value it would be a name that nobody knows."""
    code = re.sub(r"'[^'\n]*'|seldom\(\)\.\w+|\blocal \w+(?:, \w+)*", "", "\n".join(texts))
    used = set(_WORD.findall(re.sub(r"\b\w+ = ", "", code))) & set(names)
    if used:
        raise ValueError(f"{', '.join(sorted(used))}: not in 'plain', so it can only be called")


def _with_ends(body: str, finals: Sequence[str]) -> list[str]:
    if not finals:
        return [body]
    ends = [f"{word}()" for word in finals]
    return ["local function verb()", body, "end", "local reply = verb()", *ends, "return reply"]


def _words(text: str) -> set[str]:
    """Every name in *text*, outside strings and comments."""
    return set(_WORD.findall(_TEXT.sub("''", text)))


def _strip(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if line.strip() and not line.lstrip().startswith("--"))
