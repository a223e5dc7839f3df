"""The list of what must hold, and what it is called that something does not.

``tests/store/test_invariants.py`` plants every kind of violation that :data:`RULES` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from taskengine.store.step_rules import STEP_RULES

#: Kind of violation -> what it means that it holds.
RULES: Mapping[str, str] = {
    "counters": "waiting, failed and skipped are what the dependencies say",
    "before": "only what a dependency closed failed before it",
    "place": "a READY task is ready, parked or granted, and no other task is",
    "execution": "the latest execution fits the task's status, earlier ones are over, each is its task's",
    "outcome": "one outcome was accepted, and a COMPLETED task has it",
    "agent": "exactly the agents that are known have a record, and it can be read",
    "hold": "limits count exactly what RUNNING executions hold of them",
    "limit": "agents and the limits that they share name each other, and one that opens by itself is watched",
    "reservation": "hosts count exactly what RUNNING executions reserve of them, and who waits for room is looked for",
    "lease": "the slot of every RUNNING execution is leased",
    "slot": "every RUNNING execution is held by its slot",
    "remote": "a slotless execution that runs is polled, its time is watched, and it says where its work is",
    "grant": "exactly the QUEUED executions are granted, with a claim deadline",
    "timer": "exactly the tasks that wait for a time have a timer",
    **STEP_RULES,
    "stuck": "a PENDING task waits for something, or the coordinator was asked about it",
    "lost": "an open task has all of its dependencies, but for those that went while it was over",
    "early": "no plain task started before its dependencies completed",
    "index": "lists find a task under its status, its arrival and its filters, and under no others",
    "key": "an idempotency key names the task that carries it",
    "pause": "what is paused has its record, the open queues agree with it, and a pause with an end has a timer",
    "deadline": "exactly the open tasks with a deadline that is not at risk are looked at",
    "kept": "what is left for the next attempt is told to it, and gone once the task completed; who asks is PAUSED",
    "artifact": "every artifact of an execution is listed and stored",
    "letter": "only FAILED tasks are dead letters",
    "cursor": "exactly the tasks with a cursor are being released or deleted",
    "stray": "every member of a set is what the set says",
    "counts": "the counts are what the records say",
    "edge": "the list of dependents is what the dependents say",
    "pin": "a task is pinned by its open dependents in other runs",
    "run": "a run's numbers are what its tasks say",
    "graph": "the list of graphs holds exactly the runs with a name or more than one task, by their creation",
    "history": "the events of a run replay to the stored states without a gap",
    "orphan": "every key belongs to something",
    "open": "at rest: every task is over",
    "left": "at rest: nothing waits for anything",
}


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """Something that does not hold."""

    #: A key of :data:`RULES`.
    kind: str
    #: Task, execution, run, key or status.
    id: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id}: {self.detail} (must hold: {RULES[self.kind]})"
