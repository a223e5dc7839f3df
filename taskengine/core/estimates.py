"""How long a task will take, from what its kind took before.

Tasks of one queue whose names differ in digits only are one kind: ``chunk 17 of 300`` takes what ``chunk 16 of 300``
took. A queue is a kind of its own, too: the estimate of a task whose name nobody has seen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Characters of a name that tell kinds apart.
_NAME_LENGTH = 80
_DIGITS = re.compile(r"[0-9]+")
#: Weight of one run against all before it: about the last ten count.
_WEIGHT = 0.2
#: Seconds that are taken for a task of which nothing is known.
UNKNOWN = 1.0


def kind_of(queue: str, name: str) -> str:
    """Return the kind of a task; queues hold no space, so no queue is a kind with a name."""
    return f"{queue} {_DIGITS.sub('#', name[:_NAME_LENGTH])}"


def expected_seconds(known: Mapping[str, float], queue: str, name: str) -> float | None:
    """Return what a task will take by what is *known* of kinds: its own, else its queue's; None when neither is."""
    found = known.get(kind_of(queue, name))
    return known.get(queue) if found is None else found


def blend(before: float | None, runs: int, mean: float) -> float:
    """Return the estimate behind *runs* more of a kind that took *mean* each; *before* is None for the first ones."""
    if before is None:
        return mean
    return before + (mean - before) * (1 - (1 - _WEIGHT) ** runs)
