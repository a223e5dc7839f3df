"""Who goes first: priority, deadline, remaining path and arrival folded into one sorted-set score.

``score = class · 2^50 + deadline · 2^18 + (2^18 - 1 - rank)``, the smallest first:

========  ====  ==============================================================================================
part      bits  meaning
========  ====  ==============================================================================================
class        3  0 for CRITICAL to 4 for LOW; 5 to 7 are free. Aging lowers it, and nothing else does
deadline    32  seconds since the epoch; ``2^32 - 1`` is "none", so any deadline goes before none
rank        18  logarithm of the longest path to the end, see :func:`rank`; the longer goes first
========  ====  ==============================================================================================

53 bits are what a double carries exactly, and a sorted set's score is a double. Whoever passes a score
through Lua must not use ``tostring`` (14 digits, a score has up to 16): ``string.format('%.0f', score)``.

Equal scores go by member: :func:`member` starts with the arrival number, so first come is first served.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from taskengine.errors import InvalidInputError

RANK_BITS = 18
DEADLINE_BITS = 32
MAX_RANK = (1 << RANK_BITS) - 1
NO_DEADLINE = (1 << DEADLINE_BITS) - 1
#: Between the scores of two classes.
CLASS_STEP = 1 << (DEADLINE_BITS + RANK_BITS)
#: The first digits of a member: its arrival number.
ARRIVAL_DIGITS = 12
#: Rank steps per doubling of the path: 2^32 ms (50 days) nearly fill 18 bits, 1 % more path is 117 steps.
_STEPS_PER_DOUBLING = 8191
_CRITICAL = 5


class Place(NamedTuple):
    """The parts of a score, in the units of the score."""

    priority_class: int
    #: Seconds since the epoch; None without a deadline.
    deadline_seconds: int | None
    rank: int


def queue_priority(priority: int) -> int:
    """Return the class of a priority 1 (LOW) to 5 (CRITICAL), also Celery's message priority: 0 is the highest."""
    if not 1 <= priority <= _CRITICAL:
        raise InvalidInputError(f"priority is {priority}; use 1 (LOW) to 5 (CRITICAL)", field="priority")
    return _CRITICAL - priority


def rank(path_ms: float) -> int:
    """Return how urgent a path of *path_ms* milliseconds to the end is: 0 (no time) to MAX_RANK (50 days or more).

    A logarithm, because 18 bits must hold milliseconds and weeks.
    """
    if path_ms <= 0:
        return 0
    return int(min(MAX_RANK, _STEPS_PER_DOUBLING * math.log2(1 + path_ms)))


def path_ms(rank: int) -> float:
    """Return a path of that *rank*, in milliseconds."""
    return 2 ** (rank / _STEPS_PER_DOUBLING) - 1


def priority_of(score: float) -> int:
    """Return the priority, 1 to 5, among whose tasks a task of that *score* stands: higher than its own once it
    aged.
    """
    return _CRITICAL - unpack(score).priority_class


def score(priority: int, deadline_seconds: float | None, path_ms: float) -> int:
    """Return the place of a task among all that wait for the same slot; the smallest starts first.

    *priority* is 1 (LOW) to 5 (CRITICAL). *deadline_seconds* since the epoch, cut to whole seconds and to
    the years 1970 to 2106; None is no deadline. *path_ms* is the longest path to the end, own time
    included.
    """
    return _score(priority, deadline_seconds, rank(path_ms))


def moved(score: float, priority: int, deadline_seconds: float | None) -> int:
    """Return the place of a task that had *score* once it has another priority or deadline; its rank stays.

    Its path to the end is known only while its whole graph is in hand, at submit.
    """
    return _score(priority, deadline_seconds, unpack(score).rank)


def unpack(score: float) -> Place:
    """Return the parts that a score was made of; a double as Redis returns it will do."""
    upper, low = divmod(int(score), 1 << RANK_BITS)
    priority_class, deadline = divmod(upper, 1 << DEADLINE_BITS)
    return Place(priority_class, None if deadline == NO_DEADLINE else deadline, MAX_RANK - low)


def _score(priority: int, deadline_seconds: float | None, rank: int) -> int:
    deadline = NO_DEADLINE
    if deadline_seconds is not None:
        deadline = int(min(max(deadline_seconds, 0), NO_DEADLINE - 1))
    return ((queue_priority(priority) << DEADLINE_BITS) | deadline) << RANK_BITS | (MAX_RANK - rank)


def member(arrival: int, id: str) -> str:
    """Return the sorted-set member of a task; equal scores sort by *arrival*, a counter below 10^12."""
    if not 0 <= arrival < 10**ARRIVAL_DIGITS:
        raise InvalidInputError(
            f"task {id}: arrival number {arrival} has over {ARRIVAL_DIGITS} digits", field="arrival"
        )
    return f"{arrival:0{ARRIVAL_DIGITS}d}{id}"


def task_of(member: str) -> str:
    """Return the task id in a sorted-set member."""
    return member[ARRIVAL_DIGITS:]
