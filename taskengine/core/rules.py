"""Trigger rules: when a task starts, as a pure function of how many of its dependencies stand how.

They are Airflow's, by name and by meaning. What Airflow calls *skipped* is CANCELLED here, whoever cancelled it: a
client, ``expires_at``, or the rule of that very dependency (so a failure further up reaches a task only through what
it depends on directly; Airflow's *upstream_failed* has no state of its own here).

==============================  ==========================================  =====================================
rule                            starts when                                 can never start any more when
==============================  ==========================================  =====================================
all_success                     all COMPLETED                               one FAILED or was CANCELLED
all_done                        all are over, however                       (it always starts in the end)
all_failed                      all FAILED                                  one COMPLETED or was CANCELLED
one_success                     one COMPLETED, the others still running     all are over and none COMPLETED
one_failed                      one FAILED, the others still running        all are over and none FAILED
none_failed                     all are over, none FAILED                   one FAILED
none_failed_min_one_success     all are over, none FAILED, one COMPLETED    one FAILED, or all were CANCELLED
always                          at once                                     (it starts at once)
==============================  ==========================================  =====================================

Without a dependency every rule holds. A task that can never start any more is closed as soon as that is certain:
CANCELLED, with the dependency to blame; what depends on it goes by its own rule. A task that once was READY is not
called back when a dependency is opened again, ends otherwise, or takes its word back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import assert_never

from taskengine.models.enums import TaskStatus, TriggerRule

_HOW = {
    TaskStatus.COMPLETED: "completed",
    TaskStatus.FAILED: "failed",
    TaskStatus.CANCELLED: "was cancelled",
}
_FAILED = frozenset({TaskStatus.FAILED})
_CANCELLED = frozenset({TaskStatus.CANCELLED})
_NOT_COMPLETED = _FAILED | _CANCELLED
_NOT_FAILED = _CANCELLED | {TaskStatus.COMPLETED}


class Verdict(Enum):
    """What a trigger rule says of a task."""

    RUN = auto()
    WAIT = auto()
    #: The rule can not hold any more, whatever the others do.
    NEVER = auto()


@dataclass(frozen=True, slots=True)
class Counters:
    """How a task's dependencies stand."""

    #: Not ended.
    waiting: int
    failed: int
    cancelled: int
    succeeded: int = 0

    @property
    def total(self) -> int:
        """All dependencies."""
        return self.waiting + self.failed + self.cancelled + self.succeeded


def judge(rule: TriggerRule, of: Counters) -> Verdict:
    """What *rule* says of a task whose dependencies stand like this."""
    if not of.total:
        return Verdict.RUN
    match rule:
        case TriggerRule.ALL_SUCCESS:
            return _all(of, against=of.failed + of.cancelled)
        case TriggerRule.ALL_FAILED:
            return _all(of, against=of.succeeded + of.cancelled)
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
            return Verdict.RUN
        case _:
            assert_never(rule)


def _all(of: Counters, against: int) -> Verdict:
    if against:
        return Verdict.NEVER
    return Verdict.WAIT if of.waiting else Verdict.RUN


def _one(of: Counters, wanted: int) -> Verdict:
    if wanted:
        return Verdict.RUN
    return Verdict.WAIT if of.waiting else Verdict.NEVER


def blamed(rule: TriggerRule, of: Counters) -> frozenset[TaskStatus]:
    """How a dependency must have ended to be the one because of which *rule* never holds."""
    match rule:
        case TriggerRule.ALL_SUCCESS | TriggerRule.ONE_SUCCESS:
            return _NOT_COMPLETED
        case TriggerRule.ALL_FAILED | TriggerRule.ONE_FAILED:
            return _NOT_FAILED
        case TriggerRule.NONE_FAILED:
            return _FAILED
        case TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS:
            return _FAILED if of.failed else _CANCELLED
        case TriggerRule.ALL_DONE | TriggerRule.ALWAYS:
            return frozenset()
        case _:
            assert_never(rule)


def why_never(rule: TriggerRule, of: Counters, name: str, status: TaskStatus) -> str:
    """Why *rule* never holds, for people; the dependency called *name* ended as *status* and is to blame."""
    if rule is TriggerRule.ONE_FAILED:
        return "no dependency failed"
    alone = of.total == 1 or rule in _ONE_IS_ENOUGH or (rule is _MIN_ONE and of.failed)
    return f"dependency {name} {_HOW[status]}" + ("" if alone else ", and none completed")


_MIN_ONE = TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
#: Rules that one bad end settles.
_ONE_IS_ENOUGH = frozenset({TriggerRule.ALL_SUCCESS, TriggerRule.ALL_FAILED, TriggerRule.NONE_FAILED})
