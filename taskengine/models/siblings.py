"""Rules over a list of steps and over the whole tree, asked of what was given, however wrong the rest of it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from taskengine.models.definition import Found, Location, Part, did_you_mean

#: Steps of a definition, with all that lie in each other.
MAX_STEPS = 10_000
#: Steps inside each other.
MAX_LEVELS = 32
#: Fields of steps and definitions that hold steps.
BODIES = ("steps", "sub_steps", "true_steps", "false_steps", "loop_steps", "finally_steps")


def given(part: Any, name: str) -> Any:
    """Return a field of a part or of what shall become one; None where it has none."""
    if isinstance(part, Mapping):
        return part.get(name)
    return getattr(part, name, None) if isinstance(part, Part) else None


def bounds(part: Any) -> Iterator[Found]:
    """Too many steps, or too many inside each other: the first of each, found without recursion."""
    count, deepest = 0, False
    waiting: list[tuple[Any, Location, int]] = [(part, (), 0)]
    while waiting:
        each, location, level = waiting.pop()
        for field in BODIES:
            held = given(each, field)
            steps = held if isinstance(held, Sequence) and not isinstance(held, str) else ()
            count += len(steps)
            if steps and level == MAX_LEVELS and not deepest:
                deepest = True
                yield (*location, field), f"more than {MAX_LEVELS} steps inside each other; make a workflow of a part"
            if level < MAX_LEVELS and count <= MAX_STEPS:
                waiting += [(step, (*location, field, place), level + 1) for place, step in enumerate(steps)]
        if count > MAX_STEPS:
            yield (), f"has more than {MAX_STEPS} steps; use a map step, or make workflows of its parts"
            return
        if level < MAX_LEVELS and not isinstance(inline := given(each, "workflow"), str | None):
            waiting.append((inline, (*location, "workflow"), level + 1))


def sibling_faults(steps: Sequence[Any], *, in_parallel: bool = False) -> Iterator[Found]:
    """Names that are used twice, ``depends_on`` of nobody, and cycles."""
    names = [given(step, "name") for step in steps]
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        if isinstance(name, str) and places.setdefault(name, place) != place:
            yield (place, "name"), f"{name!r:.80} is also the name of its sibling [{places[name]}]; rename one"
    parents: dict[str, list[str]] = {}
    for place, step in enumerate(steps):
        if isinstance(names[place], str):
            before = names[place - 1 : place] if place and not in_parallel else []
            parents.setdefault(names[place], [name for name in before if isinstance(name, str)])
            yield from _dependencies(place, step, places, parents)
    if cycle := find_cycle(parents):
        yield (places[cycle[0]], "depends_on"), f"a cycle: {' -> '.join(cycle[:20])}; remove one of its edges"


def _dependencies(place: int, step: Any, places: Mapping[str, int], parents: dict[str, list[str]]) -> Iterator[Found]:
    """Note what a step depends on by name; unknown ones are faults."""
    named = given(step, "depends_on")
    if not isinstance(named, list | tuple):
        return
    wanted = [word for word in named if isinstance(word, str)]
    parents[given(step, "name")] = [word for word in wanted if word in places]
    for word in wanted:
        if word not in places:
            yield (place, "depends_on"), f"{word!r:.80} is no sibling of this step{did_you_mean(word, places)}"


def find_cycle(parents: Mapping[str, Collection[str]]) -> list[str]:
    """Names along a cycle, the first one repeated at the end; empty when there is none."""
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as exc:
        found: list[str] = exc.args[1]
        return found[::-1]
    return []
