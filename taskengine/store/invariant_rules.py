"""What must hold of everything stored, as pure functions over facts; :mod:`taskengine.store.invariants`
gathers them.

A task's own rules look at one moment of it and of all that must agree with it, so a fleet at work does not
disturb them. ``tests/store/test_invariants.py`` plants every kind of violation that :data:`RULES` names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from taskengine.core.lifecycle import EXECUTION_TERMINAL, TERMINAL
from taskengine.core.order import unpack
from taskengine.core.rules import Counters, Evaluation, evaluate
from taskengine.models.enums import ExecutionStatus, TaskStatus, TriggerRule
from taskengine.store.fields import ExecutionField, TaskField
from taskengine.store.inspection import Fields, Member, Tally, TaskFacts
from taskengine.store.keys import RULED, SERVICE
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

_OVER = frozenset(status.value for status in TERMINAL)
_EXECUTION_OVER = frozenset(status.value for status in EXECUTION_TERMINAL)
_READY = frozenset({TaskStatus.READY.value})
_RUNNING = frozenset({TaskStatus.RUNNING.value})
_PENDING = frozenset({TaskStatus.PENDING.value})
_RETRYING = frozenset({TaskStatus.RETRYING.value})
_PAUSED = frozenset({TaskStatus.PAUSED.value})
_COMPLETED = frozenset({TaskStatus.COMPLETED.value})
#: What the field ``extra`` says is there.
_TOLD = frozenset({TaskField.reference, TaskField.question, TaskField.answers, TaskField.most_tokens, TaskField.demand})
_FAILED = frozenset({TaskStatus.FAILED.value})
_EXECUTION_RUNNING = frozenset({ExecutionStatus.RUNNING.value})
_EXECUTION_QUEUED = frozenset({ExecutionStatus.QUEUED.value})
#: Places in lists that are worked off in pieces: of dependents to tell, to take back from, of parents to pin or unpin.
#: What a task waits for beside its dependencies: its commit, the end of its take-back, its place in a map.
_WAITS = (TaskField.batch, TaskField.undoing, TaskField.windowed)
_CURSORS = frozenset({TaskField.releasing, TaskField.undoing, TaskField.pinning})
_CANCELLED = frozenset({TaskStatus.CANCELLED.value})
_SAYS = {TaskStatus.FAILED.value: TaskField.failed, TaskStatus.CANCELLED.value: TaskField.skipped}


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


def is_over(status: str) -> bool:
    """Return whether a stored task status is terminal."""
    return status in _OVER


def check_task(task: TaskFacts, asked: frozenset[str]) -> Iterator[Violation]:
    """Yield what is wrong with one task; *asked* are the tasks that the coordinator has yet to decide about."""
    yield from check_counters(task)
    yield from _place(task)
    yield from _executions(task)
    yield from _timers(task)
    yield from _stuck(task, asked)
    if (task.status in _PAUSED) != (TaskField.pause in task.fields):
        says = task.fields.get(TaskField.pause, "nothing")
        yield Violation("pause", task.id, f"it is {task.status}, and its pause says {says}")
    yield from _kept(task)
    closed_by = task.fields.get(TaskField.closed_by)
    if TaskField.failed_before in task.fields and not (task.status in _CANCELLED and closed_by is not None):
        yield Violation("before", task.id, f"it is {task.status}, closed by {closed_by or 'nobody'}")
    yield from check_dependencies(task)
    yield from _early(task)
    yield from _index(task)
    yield from _deadline(task)
    if not task.is_staged and task.fields.get("owner", task.id) != task.id:
        yield Violation("key", task.id, f"its idempotency key names {task.fields['owner'] or 'nobody'}")
    if "in dead" in task.fields and task.status not in _FAILED:
        yield Violation("letter", task.id, f"it is {task.status}")
    if ("in releases" in task.fields) != bool(task.fields.keys() & _CURSORS):
        yield Violation("cursor", task.id, "it has a cursor or stands among the releases, not both")
    if ("in erasing" in task.fields) != (TaskField.deleting in task.fields):
        yield Violation("cursor", task.id, "it is being deleted or stands among those that are, not both")


def _kept(task: TaskFacts) -> Iterator[Violation]:
    if TaskField.question in task.fields and task.status not in _PAUSED:
        yield Violation("kept", task.id, f"it is {task.status} and asks {task.fields[TaskField.question]:.80}")
    if task.status in _COMPLETED and task.fields.keys() & {TaskField.reference, TaskField.answers}:
        yield Violation("kept", task.id, "it completed, and keeps what its next attempt would be told")
    if task.fields.keys() & _TOLD and TaskField.extra not in task.fields:
        yield Violation("kept", task.id, "it has something that its workers are not told")


def is_whole(task: TaskFacts) -> bool:
    """Return whether its facts hold all of its dependencies."""
    return len(task.dependencies) == len(task.depends_on)


def check_counters(task: TaskFacts) -> Iterator[Violation]:
    """Yield where the counters differ from what the dependencies say; nothing where some of these are not known."""
    if TaskField.deleting in task.fields or task.is_given_up or _has_begun(task):
        return
    if not is_whole(task) or not all(TaskField.status in parent for parent in task.dependencies):
        return
    expected = {
        TaskField.waiting: sum(name in task.fields for name in _WAITS),
        TaskField.failed: 0, TaskField.skipped: 0,
    }  # fmt: skip
    for parent in task.dependencies:
        counter = _counted(parent)
        if counter:
            expected[counter] += 1
    if TaskField.rule in task.fields:
        expected[TaskField.waiting] -= RULED
    stored = {name: task.number(name) for name in expected}
    if stored != expected:
        yield Violation("counters", task.id, f"stored {stored}, dependencies say {expected}")


def check_dependencies(task: TaskFacts) -> Iterator[Violation]:
    """Yield which of its dependencies were taken from an open task. One that was opened again may lack what went
    before.
    """
    if is_over(task.status) or task.is_given_up or TaskField.reopened in task.fields:
        return
    for parent in task.dependencies:
        if TaskField.status not in parent or TaskField.deleting in parent:
            yield Violation("lost", task.id, f"its dependency {parent['id']} is not there")


def _has_begun(task: TaskFacts) -> bool:
    """Whether it is a step whose counters are of its children, which :mod:`taskengine.store.invariants` compares."""
    return TaskField.planned in task.fields


def _counted(parent: Fields) -> str:
    """Return the counter that holds this dependency: w, f, c, or '' when it completed and said so."""
    told_before = int(parent.get(TaskField.releasing, parent.get(TaskField.undoing, -1)))
    heard = "place" in parent and int(parent["place"]) < told_before
    if TaskField.undoing in parent:
        return TaskField.waiting if heard else parent[TaskField.counted_as]
    if parent[TaskField.status] not in _OVER:
        return TaskField.waiting
    if TaskField.releasing in parent and "place" in parent and not heard:
        return TaskField.waiting
    return TaskField.failed if TaskField.failed_before in parent else _SAYS.get(parent[TaskField.status], "")


def _place(task: TaskFacts) -> Iterator[Violation]:
    places = [name for name in ("in ready", "in park", TaskField.granted) if name in task.fields]
    ready = task.status in _READY
    if len(places) != ready or (TaskField.parked in task.fields) != ("in park" in task.fields):
        yield Violation("place", task.id, f"it is {task.status} and stands: {', '.join(places) or 'nowhere'}")
    for name in ("in ready", "in park"):
        if name in task.fields and float(task.fields[name]) != float(task.fields[TaskField.score]):
            detail = f"its score is {task.fields[TaskField.score]}, its place {task.fields[name]}"
            yield Violation("place", task.id, detail)


def _executions(task: TaskFacts) -> Iterator[Violation]:
    if task.queue.startswith("%"):  # nobody runs it; a result of its own has the form of an execution
        return
    for number, execution in enumerate(reversed(task.executions)):
        yield from _execution(task, execution, latest=number == 0)
    accepted = [e["id"] for e in task.executions if e.get(ExecutionField.status) in _COMPLETED]
    if len(accepted) != (task.status in _COMPLETED):
        yield Violation("outcome", task.id, f"it is {task.status}; accepted: {', '.join(accepted) or 'none'}")
    if task.status in _RUNNING and not task.executions:
        yield Violation("execution", task.id, "it is running without an execution")


def _execution(task: TaskFacts, e: Fields, *, latest: bool) -> Iterator[Violation]:
    status = e.get(ExecutionField.status, "not there")
    granted = latest and task.fields.get(TaskField.granted) == e["id"]
    running = latest and task.status in _RUNNING
    wanted = _EXECUTION_QUEUED if granted else _EXECUTION_RUNNING if running else _EXECUTION_OVER
    if status not in wanted or e.get(ExecutionField.task) != task.id:
        detail = f"execution {e['id']} of task {e.get('task')} is {status}, the task {task.status}"
        yield Violation("execution", task.id, detail)
    if status in _EXECUTION_RUNNING and _is_slotless(e):
        yield from _slotless(e)
    elif status in _EXECUTION_RUNNING and "lease" not in e:
        yield Violation("lease", e["id"], "its slot is not leased")
    if status in _EXECUTION_RUNNING and e["id"] not in e.get("held", "").partition("|")[0].split():
        yield Violation("slot", e["id"], f"its slot holds {e.get('held', 'nothing')}")
    if ExecutionField.hold in e and status not in _EXECUTION_RUNNING:
        yield Violation("hold", e["id"], f"it is {status} and holds {e[ExecutionField.hold]}")
    elif "uncounted" in e:
        yield Violation("hold", e["id"], f"limit {e['uncounted']} does not count it")
    if "unreserved" in e:
        yield Violation("reservation", e["id"], f"host {e['unreserved']} does not count it")
    queued = status in _EXECUTION_QUEUED
    if ("claim" in e) != queued or (e.get("granted") == "1") != queued:
        yield Violation("grant", e["id"], f"it is {status}; claim deadline {e.get('claim', 'none')}")


def _is_slotless(e: Fields) -> bool:
    return e.get(ExecutionField.node) == SERVICE


def _slotless(e: Fields) -> Iterator[Violation]:
    for name, says in (("polled", "nobody polls for it"), ("overdue", "nobody watches its time")):
        if name not in e:
            yield Violation("remote", e["id"], says)
    if ExecutionField.reference not in e:
        yield Violation("remote", e["id"], "it does not say where its work is")


def _timers(task: TaskFacts) -> Iterator[Violation]:
    expected = timers_of(task.fields)
    found = {kind for kind in TIMERS if f"in {kind}" in task.fields}
    if found != expected:
        says = ", ".join(sorted(found)) or "none"
        wants = ", ".join(sorted(expected)) or "none"
        yield Violation("timer", task.id, f"it is {task.status}; timers: {says}, it waits for: {wants}")


#: What a task may have a timer for.
TIMERS = ("schedule", "retry", "expire", "queue", "total", "step", "moment", "limit")


def timers_of(fields: Fields) -> set[str]:
    """Return the kinds of timers that a task's record asks for."""
    status, clocks = fields.get(TaskField.status, ""), fields.get(TaskField.clocks, "")
    begun = int(fields.get(TaskField.attempts, 0)) > (TaskField.granted in fields)
    asks = {
        "retry": status in _RETRYING and TaskField.due in fields,
        "schedule": status in _PENDING and TaskField.due in fields,
        "expire": "exp=" in clocks and not begun and not is_over(status) and status not in _PAUSED,
        "queue": "qt=" in clocks and status in _READY,
        "total": TaskField.total_end in fields and not is_over(status) and status not in _PAUSED,
        **{kind: f"{kind}=" in clocks and not is_over(status) for kind in ("step", "moment", "limit")},
    }
    return {kind for kind, asked in asks.items() if asked}


def _stuck(task: TaskFacts, asked: frozenset[str]) -> Iterator[Violation]:
    if task.status not in _PENDING or TaskField.batch in task.fields:
        return
    held = bool(task.fields.keys() & {TaskField.held, TaskField.due})
    evaluation = evaluate(TriggerRule(task.fields.get(TaskField.rule, TriggerRule.ALL_SUCCESS)), _counters(task))
    if evaluation is Evaluation.NEVER:
        taken_back = any(TaskField.undoing in parent for parent in task.dependencies)
        if task.id not in asked and not taken_back and is_whole(task):
            yield Violation("stuck", task.id, "its rule cannot hold and nobody was asked to close it")
    elif evaluation is Evaluation.RUN and not held and not _is_asked_about(task, asked):
        yield Violation("stuck", task.id, "it is pending and waits for nothing")


def _is_asked_about(task: TaskFacts, asked: frozenset[str]) -> bool:
    """Return whether the coordinator starts it: one with a rule of its own, asked now or when its take-back ends."""
    if task.queue.startswith("%"):
        return task.id in asked
    return TaskField.rule in task.fields and (task.id in asked or TaskField.undoing in task.fields)


def _counters(task: TaskFacts) -> Counters:
    """Return how its dependencies stand, as its record says; for a plain task the waits that are none count too."""
    waiting, failed = task.number(TaskField.waiting), task.number(TaskField.failed)
    skipped = task.number(TaskField.skipped)
    if TaskField.rule in task.fields:
        waiting += RULED - (TaskField.batch in task.fields) - (TaskField.undoing in task.fields)
    known = waiting + failed + skipped
    return Counters(waiting, failed, skipped, max(0, len(task.depends_on) - known))


def _early(task: TaskFacts) -> Iterator[Violation]:
    """Of a task with a rule of its own nothing is said: a dependency that was opened again since does not tell when it
    had ended before.
    """
    started = [int(e[ExecutionField.started]) for e in task.executions if ExecutionField.started in e]
    if not started or TaskField.rule in task.fields or task.is_step:
        return
    for parent in task.dependencies:
        if TaskField.status not in parent:
            continue
        if parent[TaskField.status] not in _COMPLETED or int(parent.get(TaskField.finished, 0)) > min(started):
            yield Violation("early", task.id, f"it started before its dependency {parent['id']} completed")


def _index(task: TaskFacts) -> Iterator[Violation]:
    expected = "step" if task.is_step else "staged" if TaskField.batch in task.fields else task.status
    if task.listed_as != expected:
        yield Violation("index", task.id, f"it is {expected}, lists see {task.listed_as or 'nothing'}")
    if task.fields["at arrival"] != task.id:
        yield Violation("index", task.id, f"at its arrival stands {task.fields['at arrival'] or 'nobody'}")
    if task.fields["unmarked"]:
        yield Violation("index", task.id, f"not found by {task.fields['unmarked']}")


def _has_deadline(fields: Fields) -> bool:
    return TaskField.score in fields and unpack(float(fields[TaskField.score])).deadline_seconds is not None


def _deadline(task: TaskFacts) -> Iterator[Violation]:
    watched = _has_deadline(task.fields) and TaskField.at_risk not in task.fields
    if not is_over(task.status) and ("in deadlines" in task.fields) != watched:
        yield Violation("deadline", task.id, "its deadline is " + ("not watched" if watched else "watched for nothing"))


def check_member(member: Member) -> Iterator[Violation]:
    """Yield what is wrong with one member of one of the engine's sets."""
    wrong = _wrong_member(member)
    if wrong:
        of = f"{member.kind}:{member.name}" if member.name else member.kind
        yield Violation("stray", member.member, f"in {of}, but {wrong}")


def _wrong_member(m: Member) -> str:
    status = m.task.get(TaskField.status, "")
    what = f"task {m.task_id or '?'} is {status or 'not there'}"
    match m.kind:
        case "ready":
            elsewhere = m.task.keys() & {TaskField.parked, TaskField.granted}
            fits = status in _READY and m.task[TaskField.queue] == m.name and not elsewhere
        case "park":
            fits = status in _READY and m.task.get(TaskField.parked) == m.name
        case "granted" | "granted_all":
            fits = m.execution in _EXECUTION_QUEUED and m.task.get(TaskField.granted) == m.member
            fits = fits and m.name in {"", m.task[TaskField.queue]}
        case "leases" | "slots" | "overdue" | "remote":
            fits = m.execution in _EXECUTION_RUNNING and status in _RUNNING
        case "orphans":  # its task may be gone
            return f"its execution is {m.execution}" if m.execution in _EXECUTION_RUNNING else ""
        case "flight":
            held = [word.partition("=")[0] for word in m.value.split()]
            fits = m.execution in _EXECUTION_RUNNING and m.name in held
        case "reserved":
            fits = m.execution in _EXECUTION_RUNNING and f"&{m.name}" in m.value.split()
        case "timers" if m.member.startswith(("resume:", "open:")):
            return ""  # checked with the pauses and the limits
        case "timers" | "suspended":
            fits = m.member.partition(":")[0] in timers_of(m.task)
        case "dead":
            fits = status in _FAILED
        case "deadlines":  # one that is over goes with the next look
            fits = _has_deadline(m.task) and TaskField.at_risk not in m.task
        case "erasing":
            fits = status in _OVER and TaskField.deleting in m.task
        case _:
            fits = bool(m.task.keys() & _CURSORS)
    return "" if fits else what + (f", its execution {m.execution}" if m.execution else "")


def check_tally(tally: Tally) -> Iterator[Violation]:
    """Yield where counts and status codes disagree."""
    for status in TaskStatus:
        listed, counted = tally.listed.get(status, 0), tally.counts.get(status, 0)
        spare = tally.listed.get("staged", 0) if tally.settling and status in _PENDING else 0
        if not listed <= counted <= listed + spare:
            yield Violation("counts", status.value, f"counted {counted}, there are {listed}")


def check_rest(task: TaskFacts) -> Iterator[Violation]:
    """Yield what is wrong with one task when all work is done."""
    if not is_over(task.status):
        yield Violation("open", task.id, f"it is {task.status}")
