"""What follows from an object that never changes, worked out once as long as that object lives.

Definitions and their steps are frozen and are asked the same again and again: which references a template holds, what
a scope reads. They have no hash, and a cache with a size of its own would keep definitions of a MiB that nobody runs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import ref

K = TypeVar("K")
V = TypeVar("V")


def once_each(work_out: Callable[[K], V]) -> Callable[[K], V]:
    """Return *work_out* with a memory for each object, which goes with it; what it raises is not kept."""
    known: dict[int, tuple[ref[K], V]] = {}

    @wraps(work_out)
    def of(what: K) -> V:
        place = id(what)
        found = known.get(place)
        if found is not None and found[0]() is what:
            return found[1]
        made = work_out(what)
        known[place] = ref(what, lambda _: known.pop(place, None)), made
        return made

    return of
