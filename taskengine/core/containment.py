"""Whether one JSON value holds another, as PostgreSQL's ``jsonb @>`` means it: what listings filter metadata
by.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def contains(whole: Any, part: Any) -> bool:
    """Whether *part* is in *whole*.

    An object holds another when it has all its keys, each with a value that holds the other's. A list holds
    another when each element of it is held by one of its own, in any order. Anything else must be equal;
    ``true`` is not 1.
    """
    if isinstance(part, Mapping):
        return isinstance(whole, Mapping) and all(
            key in whole and contains(whole[key], value) for key, value in part.items()
        )
    if isinstance(part, list):
        return isinstance(whole, list) and all(any(contains(w, p) for w in whole) for p in part)
    return isinstance(whole, bool) == isinstance(part, bool) and bool(whole == part)
