"""Decisions that raised, or were in hand when a coordinator ended: counted in Redis, where the next leader goes on.

A decision in a thousand costs nothing: something is written only when one raised, and around one that is made alone,
which a new leader does with the first it meets and everybody does behind a piece that raised. Those before a deadly one
are made and gone, so it is the first that the next leader meets. Its weakness: who ends a coordinator from outside ten
times at that very moment is taken for the decision.
"""

from __future__ import annotations

import logging
from collections import Counter
from uuid import uuid4

from taskengine.coordinator.duty import DutyContext
from taskengine.store import poison

_log = logging.getLogger(__name__)

#: How often one decision may raise.
MOST_RAISES = 5
#: How many coordinators may end with one decision in hand. More than it may raise: most end for reasons of their own.
MOST_ENDS = 10
_RAISED, _ENDED = "raised", "ended"
#: This process: what it had in hand when its term lapsed did not end it.
_ME = uuid4().hex


class PoisonTracker:
    """The count of one term."""

    def __init__(self) -> None:
        self._is_recalled = False
        #: ``raised ENTRY`` or ``ended ENTRY`` -> times.
        self._times: Counter[str] = Counter()
        #: What Redis does not know yet.
        self._untold: list[str] = []
        self._has_in_hand = False

    def raised(self, entry: str) -> int:
        """Count one raise; how many there were. :meth:`tell` tells Redis."""
        field = f"{_RAISED} {entry}"
        self._times[field] += 1
        self._untold.append(field)
        return self._times[field]

    def tell(self, context: DutyContext) -> None:
        """Learn what earlier leaders counted, and let them know what this one did."""
        if not self._is_recalled:
            self._recall(context)
        while self._untold:
            context.read(poison.count_poison(context.keys, self._untold[0]))
            del self._untold[0]
        self.let_go(context)

    def take(self, context: DutyContext, entry: str) -> None:
        """Note that *entry* is in hand, before anything is done with it."""
        context.read(poison.take_in_hand(context.keys, _ME, entry))
        self._has_in_hand = True

    def let_go(self, context: DutyContext) -> None:
        """Note that nothing is in hand any more."""
        if self._has_in_hand:
            context.read(poison.let_go(context.keys))
            self._has_in_hand = False

    def why_poison(self, entry: str) -> str:
        """Why *entry* is not to be made again; '' when it is."""
        if self._times[f"{_RAISED} {entry}"] >= MOST_RAISES:
            return f"it raised {MOST_RAISES} times; the error stands in the logs of earlier coordinators"
        if self._times[f"{_ENDED} {entry}"] >= MOST_ENDS:
            return f"{MOST_ENDS} coordinators ended while they had it in hand"
        return ""

    def clear(self, context: DutyContext) -> None:
        """Forget all of them: a whole pass found none."""
        if self._times:
            context.read(poison.forget_poison_counts(context.keys))
            self._times.clear()

    def _recall(self, context: DutyContext) -> None:
        times, who, entry = context.read(poison.poison_counts(context.keys))
        self._times.update(times)
        self._is_recalled = True
        if not entry:
            return
        self._has_in_hand = True
        if who != _ME:
            _log.warning("ended entry=%s: the coordinator that had it in hand is gone", entry)
            self._times[f"{_ENDED} {entry}"] += 1
            self._untold.append(f"{_ENDED} {entry}")
