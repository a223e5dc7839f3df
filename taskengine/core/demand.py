"""What executions reserve of a host: amounts of named resources, and the one form in which scripts compare them.

Amounts are thousandths of a unit, as whole numbers: sums of these come back to zero, those of floats do not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from taskengine.errors import InvalidInputError

#: Resources that one task, agent or host may name.
MOST_RESOURCES: Final = 16
#: The largest amount; sums of these stay exact in scripts.
LARGEST: Final = 1e9
_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")


def amounts(given: Mapping[str, Any], field: str, where: str = "") -> dict[str, int]:
    """Return thousandths by name; InvalidInputError names what is no resource or no amount of one."""
    if len(given) > MOST_RESOURCES:
        raise InvalidInputError(f"{where}{field} names {len(given)} resources; {MOST_RESOURCES} at most", field=field)
    return {name: _milli(name, amount, field, where) for name, amount in given.items()}


def stored(given: Mapping[str, Any]) -> dict[str, int]:
    """Return the same of what was stored; {} where it was stored before there were rules for it."""
    try:
        return amounts(given, "resource_requirements")
    except InvalidInputError:
        return {}


def _milli(name: str, amount: Any, field: str, where: str) -> int:
    at = f"{field}.{name:.60}"
    if not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"{where}{at}: name a resource with small letters, digits and _, such as cpu_cores or memory_gb", field=at
        )
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not math.isfinite(amount):
        raise InvalidInputError(f"{where}{at} is {amount!r:.60}; say how much as a number, such as 2 or 0.5", field=at)
    if not 0 < amount <= LARGEST:
        raise InvalidInputError(f"{where}{at} is {amount!r:.60}; it is above 0 and at most {LARGEST:.0f}", field=at)
    return max(1, round(amount * 1000))


def to_words(milli: Mapping[str, int]) -> str:
    """Return ``NAME=milli,…`` in the order of names; '' for nothing."""
    return ",".join(f"{name}={milli[name]}" for name in sorted(milli))


def from_words(words: str) -> dict[str, int]:
    """Return thousandths by name."""
    return {name: int(milli) for name, _, milli in (word.partition("=") for word in words.split(",") if word)}


def in_units(milli: int) -> str:
    """Return an amount for people: ``2``, ``0.5``."""
    return f"{milli / 1000:.3f}".rstrip("0").rstrip(".")


def for_people(milli: Mapping[str, int]) -> str:
    """Return ``2 cpu_cores and 8 memory_gb``; '' for nothing."""
    return " and ".join(f"{in_units(amount)} {name}" for name, amount in sorted(milli.items()))
