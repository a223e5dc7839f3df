"""What a workflow must come to, read from its definition alone: no engine, no store, no time.

Where the outcome depends on who is quicker (a failure ends the steps beside it), it does not guess: such steps are left
out of what it says, and a definition that reads what they set raises :class:`UnsettledError`. It knows the expressions
of the trees: ``PATH``, ``PATH + 1``, ``PATH < 1``, ``PATH == 1``. A task's ``input`` says what its agent does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import taskengine.models as m

OK, SKIPPED, FAILED = "completed", "skipped", "failed"
#: How a step ended: its status and what it came to.
Ended: TypeAlias = tuple[str, Any]


class StepFailedError(Exception):
    """A step fails."""


class UnsettledError(Exception):
    """The outcome depends on who is quicker."""


@dataclass
class Record:
    """What happened, as far as it is settled, by path."""

    statuses: dict[str, str] = field(default_factory=dict)
    #: How often the agent of a task was called.
    calls: dict[str, int] = field(default_factory=dict)
    #: Tasks, and tasks that must be called after all of them.
    order: list[tuple[list[str], list[str]]] = field(default_factory=list)
    #: Tasks that may be called or not.
    unsettled: set[str] = field(default_factory=set)
    sets: set[str] = field(default_factory=set)
    signals: list[tuple[str, Any]] = field(default_factory=list)
    approvals: list[tuple[str, bool]] = field(default_factory=list)

    def add(self, other: Record, *, settled: bool = True) -> None:
        self.signals += other.signals
        self.approvals += other.approvals
        self.sets |= other.sets
        self.unsettled |= other.unsettled if settled else other.unsettled | other.calls.keys()
        if settled:
            self.statuses |= other.statuses
            self.calls |= other.calls
            self.order += other.order


@dataclass
class Frame:
    """A running definition: what its expressions see."""

    context: Mapping[str, Any]
    variables: dict[str, Any]
    unsettled: set[str] = field(default_factory=set)
    others: Mapping[str, Any] = field(default_factory=dict)
    #: Ended steps by name, from the innermost scope outwards.
    scopes: Sequence[dict[str, Ended]] = ()
    previous: Any = None

    def value(self, path: str) -> Any:
        root, *rest = path.split(".")
        roots = {"context": self.context, "variables": self.variables, **self.others, "true": True, "false": False}
        if root == "steps":
            name, *rest = rest
            status, output = next((scope[name] for scope in self.scopes if name in scope), ("", None))
            if not status:
                raise UnsettledError(path)
            roots = {"steps": {"output": output} if status == OK else {}}
        if (rest[0] if root == "variables" else root) in self.unsettled:
            raise UnsettledError(path)
        if root in roots:
            return _walk(roots[root], rest)
        places = (self.variables, self.context, self.previous)
        return _walk(next((one for one in places if isinstance(one, Mapping) and root in one), {}), [root])

    def evaluate(self, text: str) -> Any:
        path, *compared = text.split()
        value = self.value(path)
        if not compared:
            return value
        if not isinstance(value, int) or isinstance(value, bool):
            raise StepFailedError(text)
        number = int(compared[1])
        return {"+": value + number, "<": value < number, "==": value == number}[compared[0]]

    def bound(self, template: Any) -> Any:
        if isinstance(template, Mapping):
            return {name: self.bound(value) for name, value in template.items()}
        return self.evaluate(template[2:-1]) if isinstance(template, str) else template

    def holds(self, condition: m.WorkflowCondition) -> bool:
        operator = "<" if condition.operator == "less_than" else "=="
        return bool(self.evaluate(condition.expression or f"{condition.field} {operator} {condition.value}"))


def _walk(value: Any, path: Iterable[str]) -> Any:
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            raise StepFailedError(name)
        value = value[name]
    return value


def play(definition: m.WorkflowDefinition, at: str, frame: Frame, record: Record) -> tuple[str, Any]:
    """Status and outputs of a workflow; what else it comes to is in its frame and in its record."""
    ends, ended = _scope(definition.steps, at, frame, record)
    inner, last = replace(frame, scopes=(ended,)), Record()
    ends_well, _ = _scope(definition.finally_steps, f"{at}~finally/", inner, last)
    record.order.append((list(record.calls), list(last.calls)))
    record.add(last)
    with suppress(StepFailedError):
        return (OK, inner.bound(definition.outputs)) if ends and ends_well else (FAILED, None)
    return FAILED, None


def _scope(
    steps: Sequence[m.WorkflowStep], at: str, frame: Frame, record: Record, *, parallel: bool = False, mode: str = "",
) -> tuple[bool, dict[str, Ended]]:  # fmt: skip
    """Whether all of them ended well, and how each did. *at* stands before their paths."""
    ended: dict[str, Ended] = {}
    records, failed = dict[str, Record](), list[str]()
    behind: dict[str, set[str]] = {}  # a step -> all that stand before it
    for number, step in enumerate(steps):
        chained = () if parallel or not number else (steps[number - 1].name,)
        before = step.depends_on if step.depends_on is not None else chained
        behind[step.name] = set(before).union(*(behind[name] for name in before))
        if any(name not in ended or name in failed for name in before):
            continue
        own = records[step.name] = Record()
        inner = replace(frame, scopes=(ended, *frame.scopes))
        inner.previous = ended[before[0]][1] if len(before) == 1 else None
        ended[step.name], stops = _step(step, at + step.name, inner, own)
        failed += [step.name] if stops else []
        for name in behind[step.name]:
            own.order.append((list(records[name].calls), list(own.calls)))
    for name, own in records.items():
        settled = not failed or mode == "wait_all" or all(name in behind[one] for one in failed) or failed == [name]
        record.add(own, settled=settled)
        if not settled:
            frame.unsettled |= own.sets
            ended.pop(name)
    return not failed, ended


def _step(step: m.WorkflowStep, path: str, frame: Frame, record: Record) -> tuple[Ended, bool]:
    """How a step ended, and whether what is around it fails by that."""
    try:
        if step.when is not None and not frame.holds(step.when):
            made: Ended = (SKIPPED, None)
        else:
            made = (OK, _output(step, path, frame, record))
            sets = replace(frame, others={**frame.others, "output": made[1] or {}}).bound(step.outputs)
            frame.variables |= sets
            record.sets |= sets.keys()
    except StepFailedError:
        made = (FAILED, None)
    record.statuses[path] = made[0]
    return made, made[0] == FAILED and step.on_failure == "fail"


def _output(step: m.WorkflowStep, path: str, frame: Frame, record: Record) -> Any:
    """What a step comes to; StepFailedError where it fails."""
    match step:
        case m.SequentialStep():
            return _last(step.sub_steps, f"{path}/", frame, record)
        case m.ParallelStep():
            well, ended = _scope(step.sub_steps, f"{path}/", frame, record, parallel=True, mode=step.mode)
            return _or_fail(well, {one.name: ended[one.name][1] for one in step.sub_steps if well})
        case m.ConditionalStep():
            taken = step.true_steps if frame.holds(step.condition) else step.false_steps
            return _last(taken, f"{path}/", frame, record)
        case m.SubWorkflowStep():
            called: Any = step.workflow
            inner = Frame({**called.context, **frame.bound(step.context)}, dict(called.variables))
            status, result = play(called, f"{path}/", inner, record)
            return _or_fail(status == OK, result)
        case m.ApprovalStep():
            record.approvals.append((path, says := step.prompt == "yes"))
            return _or_fail(says or step.on_reject == "continue", {"approved": says, "by": "ann"})
    return _OTHERS[step.kind](step, path, frame, record)


def _or_fail(well: bool, output: Any) -> Any:
    if well:
        return output
    raise StepFailedError


def _last(steps: Sequence[m.WorkflowStep], at: str, frame: Frame, record: Record) -> Any:
    well, ended = _scope(steps, at, frame, record)
    return _or_fail(well, ended[steps[-1].name][1] if steps and well else None)


def _task(step: m.TaskStep, path: str, frame: Frame, record: Record) -> Any:
    record.calls[path] = 0
    script = frame.bound(step.task_template["input"])
    retries: Any = step.task_template["max_retries"]
    record.calls[path] = script["not_now"] + min(script["fails"], retries) + 1
    return _or_fail(script["fails"] <= retries, script["gives"])


def _loop(step: m.LoopStep, path: str, frame: Frame, record: Record) -> Any:
    results, before = list[Any](), list[str]()
    while True:
        turn = replace(frame, others={**frame.others, "iteration": len(results)})
        if not turn.holds(step.loop_condition) or (len(results) == step.max_iterations and step.at_limit == "complete"):
            return {"turns": len(results), "last": (results or [None])[-1], "results": results[-20:]}
        _or_fail(len(results) < step.max_iterations, None)
        own = Record()
        try:
            results.append(_last(step.loop_steps, f"{path}[{len(results)}]/", turn, own))
        finally:
            record.add(own)
            record.order.append((list(before), list(own.calls)))
            before += own.calls


def _map(step: m.MapStep, path: str, frame: Frame, record: Record) -> Any:
    items = frame.evaluate(step.items) if isinstance(step.items, str) else step.items
    records = [Record() for _ in items]
    results: list[Any] = [None] * len(items)
    failed = len(items)
    for index, item in enumerate(items):
        inner = replace(frame, others={**frame.others, "item": item, "index": index})
        with suppress(StepFailedError):
            results[index] = _last(step.steps, f"{path}[{index}]/", inner, records[index])
            failed -= 1
    for own in records:
        record.add(own, settled=failed <= step.tolerate)
    return _or_fail(failed <= step.tolerate, results)


def _wait(step: m.WaitStep, _: str, __: Frame, record: Record) -> Any:
    if step.signal is None:
        return {}
    if step.signal.startswith("never"):
        return _or_fail(step.on_timeout == "continue", {"timed_out": True})
    record.signals.append((step.signal, {"n": 2}))
    return {"n": 2}


_OTHERS: dict[str, Any] = {"task": _task, "loop": _loop, "map": _map, "wait": _wait}
