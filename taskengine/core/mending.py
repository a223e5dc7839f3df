"""A definition without what is wrong in it, so that the rest can be looked at: all faults are told at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from taskengine.models.definition import Location
from taskengine.models.siblings import BODIES, given


def without(wrong: Collection[Location], fields: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """Return the same with a task in the place of each wrong step, without other wrong fields; and the names that are
    lost.
    """
    lost: set[str] = set()
    made: Any = dict(fields)
    nameless = {location[:-1] for location in wrong if location[-1:] == ("name",)}
    for location in sorted({_of_step(location) for location in wrong}, key=len):
        made = _replaced(made, location, location in nameless, lost)
    return made, frozenset(lost)


def _of_step(location: Location) -> Location:
    """Return the innermost step that a location lies in; its first key where it lies in none."""
    ends = [at for at in range(1, len(location)) if location[at - 1] in BODIES and isinstance(location[at], int)]
    return location[: ends[-1] + 1] if ends else location[:1]


def _replaced(held: Any, location: Location, is_nameless: bool, lost: set[str]) -> Any:
    if not location:
        return held
    key, *rest = location
    if isinstance(key, int) and isinstance(held, list | tuple) and key < len(held):
        inner = held[key]
        inner = _replaced(inner, tuple(rest), is_nameless, lost) if rest else _harmless(inner, key, is_nameless, lost)
        return [*held[:key], inner, *held[key + 1 :]]
    if isinstance(key, str) and isinstance(held, Mapping) and key in held:
        if not rest:
            return {name: value for name, value in held.items() if name != key}
        return {**held, key: _replaced(held[key], tuple(rest), is_nameless, lost)}
    return held


def _harmless(step: Any, place: int, is_nameless: bool, lost: set[str]) -> dict[str, Any]:
    lost |= set(_names(step))
    name = given(step, "name")
    kept = name if isinstance(name, str) and not is_nameless else f"_{place}_"
    return {"kind": "task", "name": kept, "task_template": {}, "depends_on": []}


def _names(step: Any) -> Iterator[str]:
    if isinstance(name := given(step, "name"), str):
        yield name
    for body in BODIES:
        held = given(step, body)
        for inner in held if isinstance(held, list | tuple) else ():
            yield from _names(inner)
