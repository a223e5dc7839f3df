"""How deep JSON may be nested, at every entry alike: what is accepted can be read again by every reader.

Parsers and validators each have a limit of their own (200 and 255 levels in ours), and what lies between two of them
would be stored and never be read. 64 is far below all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from taskengine.errors import InvalidInputError

#: Lists and objects inside each other.
MAX_DEPTH = 64
_NESTS = (dict, list, tuple)
#: Steps of a path that are shown at its beginning; one more stands for the rest.
_SHOWN = 8


def refuse_deep(value: Any, field: str, *, where: str = "") -> None:
    """InvalidInputError with the path if lists and objects of *value* lie in each other more than 64 deep.

    Also of what holds itself, which no depth is enough for. *where* stands before the path.
    """
    if not _is_deep(value, MAX_DEPTH):
        return
    path = list(_descent(value))
    shown = "".join(path[:_SHOWN]) + ("…" if len(path) > _SHOWN else "")
    raise InvalidInputError(
        f"{where}{field}{shown} holds more than {MAX_DEPTH} lists and objects inside each other; flatten it, "
        "or pass it as text",
        field=field,
    )


def _is_deep(value: Any, most: int) -> bool:
    # Each once, however often it is held: what holds itself twice would double with every level.
    level = {id(value): value} if isinstance(value, _NESTS) else {}
    for _ in range(most):
        if not level:
            return False
        level = {id(held): held for each in level.values() for held in _held(each) if isinstance(held, _NESTS)}
    return bool(level)


def _held(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _descent(value: Any) -> Iterator[str]:
    """Yield the steps to the first that lies too deep."""
    for most in range(MAX_DEPTH - 1, -1, -1):
        steps = value.items() if isinstance(value, dict) else enumerate(value)
        key, value = next((key, held) for key, held in steps if _is_deep(held, most))
        yield f".{key:.40}" if isinstance(key, str) else f"[{key}]"
