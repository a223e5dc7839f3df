"""What a run uses of its agent's limits beyond its first request, and what its provider says of them.

The first request came with the start. A further one is taken before it is made, and waits in this process: a wait at
the server would hold a connection, and one of 30 s is not rare.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from itertools import count

from taskengine.errors import ConflictError, InvalidInputError
from taskengine.store import limits
from taskengine.store.call import Call, Operation
from taskengine.store.replies import Assignment, Reply

#: Seconds between two trips of a process about one agent.
_BETWEEN = 1.0
#: What a provider may say is left.
_LEFT = ("requests", "input_tokens", "output_tokens")
_MOST = 10**12


class Permits:
    """The permits of one attempt, in the order in which it asks for them."""

    def __init__(self, told: Assignment) -> None:
        self._told = told
        self._numbers = count(1)

    def wanted(self, requests: int, input_tokens: int, output_tokens: int) -> Permit:
        """Return one that is not taken yet; InvalidInputError unless these are numbers from 0."""
        named = dict(zip(_LEFT, (requests, input_tokens, output_tokens), strict=True))
        for name, value in named.items():
            if type(value) is not int or not 0 <= value <= _MOST:
                raise InvalidInputError(f"permit: {name} is {value!r:.40}; use a whole number from 0", field=name)
        return Permit(self._told, next(self._numbers), (requests, input_tokens, output_tokens))


class Permit:
    """One of them: asked for until it is taken."""

    def __init__(self, told: Assignment, number: int, costs: tuple[int, int, int]) -> None:
        self._told = told
        self._number = number
        self._costs = costs
        #: Whether it was taken.
        self.is_taken = False

    def ask(self) -> Operation[float]:
        """Return the seconds to wait: until it may be used, or, while it is not taken, until to ask again.

        ConflictError when the attempt is over. Safe to repeat.
        """
        told = self._told
        answer = yield from limits.permit(told.execution_id, told.attempt, self._number, self._costs)
        if answer.word not in {"ok", "later"}:
            raise ConflictError(
                f"attempt {told.attempt} of task {told.task_id} is over; stop what it pays for, and return"
            )
        self.is_taken = answer.ok
        return answer.number() / 1000


class ProviderNews:
    """What providers said lately, told once a second by agent: with each response comes the next."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[str, float] = {}

    def worth(self, agent: str, remaining: Mapping[str, float]) -> Call[Reply] | None:
        """Return what tells the limits of *agent*; None where that was done a moment ago, or nothing is said."""
        left = {name: int(remaining[name]) for name in _LEFT if name in remaining}
        now = self._clock()
        if not left or now < self._told.get(agent, -_BETWEEN) + _BETWEEN:
            return None
        self._told[agent] = now
        return limits.observe(agent, *(left.get(name) for name in _LEFT))


#: Of this process.
NEWS = ProviderNews()
