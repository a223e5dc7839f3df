"""What a duty is, and what it holds while it runs: the store, the term that fences it, and the end of its
turn.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeVar

from taskengine.settings import Settings
from taskengine.store.call import Call, Operation
from taskengine.store.keys import Keys
from taskengine.store.replies import Reply

T = TypeVar("T")


class Store(Protocol):
    """What the coordinator needs of a store: :class:`~taskengine.store.sync.SyncStore`, or one wrapped around
    it.
    """

    def run(self, work: Call[T] | Operation[T]) -> T:
        """Return the answer of one Call, or of an operation that makes several trips."""
        ...


@dataclass(slots=True)
class DutyContext:
    """One bounded run of one duty."""

    store: Store
    keys: Keys
    settings: Settings
    term: str
    clock: Callable[[], float]
    #: When the duty must be over, on *clock*: the term has to be renewed in between.
    ends: float
    #: A script answered that the term is over: somebody else leads, or the lease lapsed.
    fenced: bool = False

    def read(self, work: Call[T] | Operation[T]) -> T:
        """Return the answer of something that no term fences."""
        return self.store.run(work)

    def write(self, verb: Call[Reply]) -> Reply:
        """Return the answer of a fenced verb; ``stale`` ends the turn."""
        answer = self.store.run(verb)
        self.note(answer.word)
        return answer

    def note(self, word: str) -> None:
        """Look at the first word of an answer that did not come through :meth:`write`."""
        if word == "stale":
            self.fenced = True

    @property
    def over(self) -> bool:
        """Whether the duty must leave the rest to its next turn."""
        return self.fenced or self.clock() >= self.ends


class Duty(ABC):
    """A recurring verb of the leader. Safe to run at any time, twice, or by the next leader."""

    name: ClassVar[str]

    @abstractmethod
    def run_once(self, context: DutyContext) -> float:
        """Do a bounded piece; seconds until it is due again, 0 while work is left."""

    def blame(self, exc: Exception) -> None:  # noqa: B027  # most duties have nobody to blame
        """Hear that :meth:`run_once` raised *exc*; Redis being away is not among these."""
