"""What a decision about a step sees."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import JsonValue

from taskengine.core.bindings import Bindings
from taskengine.core.lifecycle import TERMINAL
from taskengine.models.enums import TaskStatus


class StepStimulus(StrEnum):
    """Why a step needs thought, beyond what tasks are asked about (:class:`~taskengine.core.decide.Stimulus`)."""

    #: The step around it is to end.
    CLOSE = "close"
    #: What it waits for in time has come.
    TIMER = "timer"
    #: Its ``timeout`` is over.
    TIMEOUT = "timeout"
    #: A variable that it may wait for changed.
    CHANGED = "changed"
    SIGNAL = "signal"
    #: Many steps wait for a change, and the next of them are to be asked.
    CONDITION_WAITERS = "condition_waiters"
    #: It is to be opened again, with what in it did not complete.
    RETRY = "retry"
    #: Some of what its old turns made is yet to be erased.
    OLD_TURNS = "old_turns"


@dataclass(frozen=True, slots=True)
class Child:
    """A child that ended, as its step hears of it."""

    path: str
    status: TaskStatus
    #: Its error, or the reason of its cancel.
    error: str
    kind: str
    #: The path of the failure that it ended by, where that is deeper.
    culprit: str


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal that a step may take."""

    payload: JsonValue
    #: As it is stored: whoever takes it says which one.
    text: str


@dataclass(frozen=True, slots=True)
class StepSnapshot:
    """All that a decision about one step needs, beside its part of the definition."""

    step_id: str
    #: '' for a workflow.
    path: str
    status: TaskStatus
    #: Children, or dependencies before it was entered: not over, failed, cancelled.
    waiting: int = 0
    failed: int = 0
    cancelled: int = 0
    #: Children announced, and put.
    planned: int = 0
    put: int = 0
    #: What becomes of it once its children are over; '' while nothing ended it early.
    end_as: str = ""
    #: Why it is to end.
    reason: str = ""
    #: Pieces of its children that heard so, of how many.
    closed: int = 0
    pieces: int = 0
    #: The branch taken, or the phase that a workflow is in.
    branch: str = ""
    #: Turns of a loop that were begun; items of a map.
    turns: int = 0
    #: The next item of a map that may start.
    next_item: int = 0
    #: Why a client cancelled it, if one did.
    cancel: str = ""
    #: Whether it is noted which of its children failed.
    is_blamed: bool = False
    #: Whether its children are being opened again.
    is_retrying: bool = False
    #: Whether it waits for a time that has not come.
    is_timed: bool = False
    #: The oldest signal of those that it waits for; None while there is none.
    signal: Signal | None = None
    #: The child in question; None when none is known.
    child: Child | None = None
    #: What the decision rests on, as the scripts spell it.
    revision: str = ""
    is_paused: bool = False
    #: The values that its expressions see, as far as the decision needs them.
    bindings: Bindings = field(default_factory=Bindings)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to decide."""
        return self.status in TERMINAL

    @property
    def is_entered(self) -> bool:
        """Whether it has children, or waits for something that is none."""
        return self.status in ENTERED

    @property
    def ended_badly(self) -> int:
        """Children that did not complete."""
        return self.failed + self.cancelled


#: A step in one of these was entered and is not over.
ENTERED = frozenset({TaskStatus.RUNNING})
