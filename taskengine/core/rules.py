"""Trigger rules: when a task starts, as a pure function of how many of its dependencies stand how.

They are Airflow's, by name and by meaning. A dependency that is over counts in one of three ways:

- *succeeded*: it COMPLETED.
- *failed*: it FAILED, or it *failed before it*: it could never start, and a dependency that counts as failed is to
  blame. Airflow calls that upstream_failed. A failure is passed on as failure, through however many tasks: an alarm
  (one_failed) at the end of a chain rings whichever link broke.
- *skipped*: somebody cancelled it, its ``expires_at`` came, or its rule left it out without a failure being to blame
  (all_failed where one COMPLETED, one_failed where none failed). That is nobody's failure, and none is passed on.

What failed before it and what was skipped are both CANCELLED: the status says what became of a task, the counters of
its dependents say what that means for them. Which of the two it was is decided once, when it is closed, and stored
with it. (Rejected: to work it out from its dependencies whenever somebody asks. They may be opened again or deleted by
then, and a counter must be taken back as it was given.)

==============================  ==========================================  =====================================
rule                            starts when                                 can never start any more when
==============================  ==========================================  =====================================
all_success                     all succeeded                               one failed (*), or was skipped
all_done                        all are over, however                       (it always starts in the end)
all_failed                      all failed                                  one succeeded or was skipped
one_success                     one succeeded, the others still running     all are over, none succeeded (*)
one_failed                      one failed, the others still running        all are over, none failed
none_failed                     all are over, none failed                   one failed (*)
none_failed_min_one_success     all are over, none failed, one succeeded    one failed (*), or all were skipped
always                          at once                                     (it starts at once)
==============================  ==========================================  =====================================

(*) It failed before it, if one of its dependencies counts as failed by then; else, and without (*), it is skipped.

Without a dependency every rule holds. A task that can never start any more is closed as soon as that is certain:
CANCELLED, with the dependency to blame; what depends on it goes by its own rule. A task that once was READY is not
called back when a dependency is opened again, ends otherwise, or takes its word back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import assert_never

from taskengine.models.enums import TriggerRule


class End(StrEnum):
    """How a dependency ended, as its dependents see it; the scripts use the same letters."""

    COMPLETED = "s"
    FAILED = "f"
    #: It could not start because of one that failed, or failed before it: CANCELLED, and counts as failed.
    FAILED_BEFORE = "b"
    #: CANCELLED for any other reason.
    SKIPPED = "c"


#: Ends that count as failed.
FAILURES = frozenset({End.FAILED, End.FAILED_BEFORE})
_SKIPPED = frozenset({End.SKIPPED})
_NOT_FAILED = frozenset({End.COMPLETED, End.SKIPPED})
_HOW = {
    End.COMPLETED: "completed",
    End.FAILED: "failed",
    End.FAILED_BEFORE: "could not start because of a failure",
    End.SKIPPED: "was cancelled",
}


class Evaluation(Enum):
    """What a trigger rule says of a task."""

    RUN = auto()
    WAIT = auto()
    #: The rule cannot hold any more, whatever the others do.
    NEVER = auto()


@dataclass(frozen=True, slots=True)
class Counters:
    """How a task's dependencies stand."""

    #: Not ended.
    waiting: int
    #: With those that failed before it.
    failed: int
    skipped: int
    succeeded: int = 0

    @property
    def total(self) -> int:
        """The number of all dependencies."""
        return self.waiting + self.failed + self.skipped + self.succeeded


def evaluate(rule: TriggerRule, of: Counters) -> Evaluation:
    """Return what *rule* says of a task whose dependencies stand like this."""
    if not of.total:
        return Evaluation.RUN
    match rule:
        case TriggerRule.ALL_SUCCESS:
            return _all(of, against=of.failed + of.skipped)
        case TriggerRule.ALL_FAILED:
            return _all(of, against=of.succeeded + of.skipped)
        case TriggerRule.NONE_FAILED:
            return _all(of, against=of.failed)
        case TriggerRule.ALL_DONE:
            return _all(of, against=0)
        case TriggerRule.ONE_SUCCESS:
            return _one(of, of.succeeded)
        case TriggerRule.ONE_FAILED:
            return _one(of, of.failed)
        case TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS:
            # While one is open it may still complete.
            return _all(of, against=of.failed or not (of.waiting or of.succeeded))
        case TriggerRule.ALWAYS:
            return Evaluation.RUN
        case _:
            assert_never(rule)


def _all(of: Counters, against: int) -> Evaluation:
    if against:
        return Evaluation.NEVER
    return Evaluation.WAIT if of.waiting else Evaluation.RUN


def _one(of: Counters, wanted: int) -> Evaluation:
    if wanted:
        return Evaluation.RUN
    return Evaluation.WAIT if of.waiting else Evaluation.NEVER


def blamed(rule: TriggerRule, of: Counters) -> frozenset[End]:
    """Return how a dependency must have ended to be the one because of which *rule* never holds.

    A failure before anything else: whoever is closed because of one failed before it.
    """
    match rule:
        case TriggerRule.ALL_SUCCESS | TriggerRule.ONE_SUCCESS | TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS:
            return FAILURES if of.failed else _SKIPPED
        case TriggerRule.ALL_FAILED | TriggerRule.ONE_FAILED:
            return _NOT_FAILED
        case TriggerRule.NONE_FAILED:
            return FAILURES
        case TriggerRule.ALL_DONE | TriggerRule.ALWAYS:
            return frozenset()
        case _:
            assert_never(rule)


def why_never(rule: TriggerRule, of: Counters, name: str, end: End) -> str:
    """Return why *rule* never holds, for people; the dependency called *name* ended so and is to blame."""
    if rule is TriggerRule.ONE_FAILED:
        return "no dependency failed"
    alone = of.total == 1 or rule in _ONE_IS_ENOUGH or (rule is _MIN_ONE and of.failed)
    return f"dependency {name} {_HOW[end]}" + ("" if alone else ", and none completed")


_MIN_ONE = TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
#: Rules that one bad end settles.
_ONE_IS_ENOUGH = frozenset({TriggerRule.ALL_SUCCESS, TriggerRule.ALL_FAILED, TriggerRule.NONE_FAILED})
