"""Puts a script together: of the library those functions that a verb reaches, and the lazy ones when they are first
called.

Lua makes every local function anew each time a script runs, and a closure with its captured variables is as dear as a
short command: of the 634 000 instructions of a report a fifth went into 56 functions, most of which it never called.
So what a verb cannot reach is left out: nobody lists what he uses, a name that a verb does not define itself is
looked for in the library. (Rejected: Redis Functions, which make them once at load. They gain as much and no more,
fakeredis has none, and a server out of memory refuses them as a whole: also those that free some.)

The library is one, in a file for each subject: no two functions have the same name. A file is a list of ``local
function`` and one-line ``local name = …`` at the left edge. Of these two lines one may stand alone above a definition:

``-- lazy``
    Seldom needed. A verb whose header says ``-- links: lazily`` makes all of these together, when it calls the first,
    with what nobody else uses.
``-- lazy: GROUP``
    The same, made with those of its group alone: what one kind of fleet needs in every script, and another never.
``-- at end``
    Called when the verb has answered, whichever way it returned, if the verb reaches what it works off.

Comments stay out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from taskengine.store.header import words

_FUNCTION = re.compile(r"local function (\w+)")
_NAMES = re.compile(r"local ([\w, ]+?) *(?:=|$)")
_WORD = re.compile(r"(?<![\w.:])[A-Za-z_]\w*")
_TEXT = re.compile(r"'(?:\\.|[^'\\\n])*'|--.*")
#: Where names become local: a statement, a loop, the parameters of a function.
_DECLARED = re.compile(
    r"\blocal function (\w+)\(([^)]*)\)|\bfunction ?\w*\(([^)]*)\)|\blocal ([\w, ]+)|\bfor ([\w, ]+?) (?:=|in\b)"
)
#: A field of a table that is being made.
_KEY = re.compile(r"([{,]\s*)\w+(?= = )")
_LAZY, _AT_END = re.compile(r"-- lazy(?:: (\w+))?"), "-- at end"


@dataclass(frozen=True, slots=True)
class Unit:
    """One function, or one statement, of the library."""

    names: tuple[str, ...]
    text: str
    is_function: bool
    #: Name of those with which it is made when one of them is called first, '' for most; None: at once.
    group: str | None
    is_at_end: bool
    #: Names that it uses and does not make local itself.
    uses: frozenset[str]

    @property
    def is_lazy(self) -> bool:
        """Whether it is made when one of its group is called first."""
        return self.group is not None


class Library:
    """All that verbs share."""

    def __init__(self, parts: Iterable[str]) -> None:
        self._units = [unit for part in parts for unit in _units(part)]
        self._place: dict[str, int] = {}
        for place, unit in enumerate(self._units):
            for name in unit.names:
                if name in self._place:
                    raise ValueError(f"two parts define {name}")
                self._place[name] = place

    def link(self, verb: str) -> str:
        """Return the source of *verb* behind what it reaches, each once and before whoever uses it."""
        body = _strip(verb)
        units = self._reached(_uses(body))
        ends = [unit.names[0] for unit in units if unit.is_at_end]
        if words(verb, "links") == ["lazily"]:
            units, body = _lazy(units, body)
        lines = _with_ends(body, ends)
        return "\n".join([_names_first(units), *(_assigned(unit) for unit in units), *lines])

    def _reached(self, wanted: Iterable[str]) -> list[Unit]:
        """Return the units that somebody who is wanted may mean; each stands behind all that it means itself."""
        found: dict[int, Unit] = {}
        self._visit(self._places(wanted), found, ())
        while more := [end for end in self._ends() if end not in found and self._works_off(end, found)]:
            self._visit(more, found, ())
        return list(found.values())

    def _visit(self, places: Iterable[int], found: dict[int, Unit], above: Sequence[int]) -> None:
        for place in places:
            if place in above:
                circle = ", ".join(self._units[each].names[0] for each in above)
                raise ValueError(f"{circle}: each needs the next one before itself")
            if place not in found:
                unit = self._units[place]
                self._visit(self._places(unit.uses - {*unit.names}), found, (*above, place))
                found[place] = unit

    def _places(self, names: Iterable[str]) -> list[int]:
        return sorted({self._place[name] for name in names if name in self._place})

    def _ends(self) -> list[int]:
        return [place for place, unit in enumerate(self._units) if unit.is_at_end]

    def _works_off(self, end: int, found: dict[int, Unit]) -> bool:
        """Return whether somebody else reaches a variable that this function looks at; clocks and constants are
        none.
        """
        return any(
            place in found and self._is_state(place) for place in self._places(self._units[end].uses)
        )

    def _is_state(self, place: int) -> bool:
        return not self._units[place].is_function and self._units[place].text.endswith("{}")


def _names_first(units: Sequence[Unit]) -> str:
    """Return the line that makes all names local, those that most functions mean last.

    A closure looks for each variable that it captures along all that are captured already, from the youngest local on.
    """
    used = Counter(name for unit in units if unit.is_function for name in unit.uses)
    names = sorted((name for unit in units for name in unit.names), key=lambda name: used[name])
    return f"local {', '.join(names)}" if names else ""


def _assigned(unit: Unit) -> str:
    """Return the text of a unit whose names are local already."""
    if unit.is_function or "=" in unit.text.partition("\n")[0]:
        return unit.text.removeprefix("local ")
    return ""


def _units(part: str) -> list[Unit]:
    units: list[Unit] = []
    lines: list[str] = []
    marks: frozenset[str] = frozenset()
    for line in [*part.splitlines(), "-- the end"]:
        if lines and line != "end" and not line.startswith(" "):
            units.append(_unit(lines, marks))
            lines, marks = [], frozenset()
        if line.startswith("--"):
            marks |= {line}
        elif line.strip() and not line.lstrip().startswith("--"):
            lines.append(line)
    return units


def _unit(lines: Sequence[str], marks: frozenset[str]) -> Unit:
    text = "\n".join(lines)
    group = next((found[1] or "" for mark in marks if (found := _LAZY.fullmatch(mark))), None)
    is_at_end = _AT_END in marks
    if found := _FUNCTION.match(text):
        return Unit((found[1],), text, True, group, is_at_end, _uses(text))
    found = _NAMES.match(lines[0])
    if found is None:
        raise ValueError(f"a part holds functions and 'local name = …' at its left edge, not {lines[0]!r}")
    names = tuple(name.strip() for name in found[1].split(","))
    return Unit(names, text, False, group, is_at_end, _uses(text))


def _lazy(units: Sequence[Unit], body: str) -> tuple[list[Unit], str]:
    """Return the units with the lazy functions behind those that make them, a group each, and the body that calls them
    through these.
    """
    group_of = {unit.names[0]: unit.group for unit in units if unit.group is not None}
    if not group_of:
        return list(units), body
    groups = list(dict.fromkeys(group_of.values()))
    call = re.compile(rf"(?<![\w.:])({'|'.join(group_of)})(?=\()")

    def through(text: str, own: str | None = None) -> str:
        """*text* of that group, which calls those of other ones through what makes them."""
        return call.sub(lambda m: m[1] if group_of[m[1]] == own else f"{_maker(group_of[m[1]])}().{m[1]}", text)

    def meant(uses: frozenset[str]) -> frozenset[str]:
        return frozenset(_maker(group_of[name]) if name in group_of else name for name in uses)

    placed = _with_their_own(units, body)
    eager = [replace(unit, text=through(unit.text), uses=meant(unit.uses)) for unit in placed[None]]
    _refuse_values(group_of, [*(unit.text for unit in eager), call.sub("", body)])
    entries = [_entry(group, [through(unit.text, group) for unit in placed[group]], group_of) for group in groups]
    makers = ", ".join(f"made_{_maker(group)}, {_maker(group)}" for group in groups)
    uses = [meant(frozenset().union(*(unit.uses for unit in placed[group]))) for group in groups]
    lasts = [Unit((), entry, True, None, False, used) for entry, used in zip(entries, uses, strict=True)]
    return [_unit([f"local {makers}"], frozenset()), *eager, *lasts], through(body)


def _maker(group: str | None) -> str:
    return f"lazy_{group}" if group else "lazy"


def _entry(group: str, texts: Sequence[str], group_of: Mapping[str, str]) -> str:
    """Return the function that makes those of a group once."""
    made = f"made_{_maker(group)}"
    table = ", ".join(f"{name} = {name}" for name, of in group_of.items() if of == group)
    lines = [f"function {_maker(group)}()", f"if {made} then return {made} end", *texts]
    return "\n".join([*lines, f"{made} = {{{table}}}", f"return {made}", "end"])


def _with_their_own(units: Sequence[Unit], body: str) -> dict[str | None, list[Unit]]:
    """Return the units by the group with which they are made: what one group alone means is made with it, and costs
    nothing before. None: at once.
    """
    named = _uses(body)
    place = [unit.group for unit in units]
    users = [
        [n for n, user in enumerate(units) if user is not unit and not user.uses.isdisjoint(unit.names)]
        for unit in units
    ]
    may_move = [n for n, unit in enumerate(units) if not unit.is_at_end and named.isdisjoint(unit.names)]
    moved = True
    while moved:
        moved = False
        for n in may_move:
            groups = {place[user] for user in users[n]}
            if place[n] is None and len(groups) == 1 and None not in groups:
                place[n], moved = groups.pop(), True
    return {group: [unit for n, unit in enumerate(units) if place[n] == group] for group in {None, *place}}


def _refuse_values(names: Iterable[str], texts: Iterable[str]) -> None:
    """A lazy function can only be called: as a value it would be a name that nobody knows."""
    code = re.sub(r"'[^'\n]*'|lazy\w*\(\)\.\w+|\blocal \w+(?:, \w+)*", "", "\n".join(texts))
    used = set(_WORD.findall(re.sub(r"\b\w+ = ", "", code))) & set(names)
    if used:
        raise ValueError(f"{', '.join(sorted(used))}: it is lazy, so it can only be called")


def _with_ends(body: str, ends: Sequence[str]) -> list[str]:
    if not ends:
        return [body]
    calls = [f"{name}()" for name in ends]
    return ["local function verb()", body, "end", "local reply = verb()", *calls, "return reply"]


def _uses(text: str) -> frozenset[str]:
    """Names in *text* that it does not make local itself, outside strings and comments."""
    code = _TEXT.sub("''", text)
    declared = ",".join(names for found in _DECLARED.findall(code) for names in found if names)
    return frozenset(_WORD.findall(_KEY.sub(r"\1", code))) - {name.strip() for name in declared.split(",")}


def _strip(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if line.strip() and not line.lstrip().startswith("--"))
