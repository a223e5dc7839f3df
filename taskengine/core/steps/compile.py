"""A scope of steps as rows, dependencies before dependents.

What is a task stays one; sequential and parallel steps without further wishes are flattened: their steps stand in the
scope around them, and a gate at their own path waits for the last of them. So edges between tasks need no thought,
whatever they are nested in, and whoever comes after a group depends on one row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from taskengine.core.steps.paths import child
from taskengine.core.steps.rows import GATE, Row, StepRow, TaskRow
from taskengine.models import ParallelStep, SequentialStep, TaskStep, WorkflowStep

#: Steps of a flattened group: its gate depends on as many, and one script puts it.
MOST_FLAT = 200


@dataclass(frozen=True, slots=True)
class Scope:
    """Some steps, where they stand, and what they may refer to."""

    #: Of what they belong to; '' for a workflow's own.
    path: str
    steps: Sequence[WorkflowStep]
    in_parallel: bool = False
    #: Names -> what they are called in paths, where that differs.
    called: Mapping[str, str] = field(default_factory=dict)
    #: The row of a task step, or None where it takes a thought first.
    as_task: Callable[[TaskStep, str, tuple[str, ...]], TaskRow | None] = field(
        default=lambda step, path, on: TaskRow(path, step.name, step.task_template, on)
    )

    def path_of(self, name: str) -> str:
        """The path of one of the steps."""
        return child(self.path, self.called.get(name, name))


def rows_of(scope: Scope) -> list[Row]:
    """The rows of a scope; each stands behind all that it depends on."""
    return list(_rows(scope, ()))


def _rows(scope: Scope, before: tuple[str, ...]) -> Iterator[Row]:
    """Rows whose first ones depend on *before*."""
    for place, step in _in_order(scope):
        on = tuple(map(scope.path_of, _dependencies(scope, place, step))) or before
        yield from _row(scope, step, on)


def _row(scope: Scope, step: WorkflowStep, on: tuple[str, ...]) -> Iterator[Row]:
    path = scope.path_of(step.name)
    if is_plain(step):
        match step:
            case TaskStep():
                row = scope.as_task(step, path, on)
                if row is not None:
                    yield row
                    return
            case SequentialStep() | ParallelStep():
                inner = Scope(path, step.sub_steps, isinstance(step, ParallelStep), as_task=scope.as_task)
                yield from _rows(inner, on)
                yield StepRow(path, step.name, step.kind, GATE, tuple(map(inner.path_of, _last(inner))))
                return
    yield StepRow(path, step.name, step.kind, depends_on=on)


def is_plain(step: WorkflowStep) -> bool:
    """Whether a step asks for nothing but that it be done: then nobody has to think about it."""
    if step.when is not None or step.outputs or step.timeout is not None or step.on_failure != "fail":
        return False
    match step:
        case TaskStep():
            return True
        case SequentialStep():
            return len(step.sub_steps) <= MOST_FLAT
        case ParallelStep():
            return step.mode == "fail_fast" and len(step.sub_steps) <= MOST_FLAT
        case _:
            return False


def _dependencies(scope: Scope, place: int, step: WorkflowStep) -> Sequence[str]:
    if step.depends_on is not None:
        return step.depends_on
    return () if scope.in_parallel or place == 0 else (scope.steps[place - 1].name,)


def _in_order(scope: Scope) -> Iterator[tuple[int, WorkflowStep]]:
    """The steps, each behind those that it depends on, in the given order otherwise."""
    waiting = dict(enumerate(scope.steps))
    done: set[str] = set()
    while waiting:
        free = [at for at, step in waiting.items() if done.issuperset(_dependencies(scope, at, step))]
        for at in free:
            step = waiting.pop(at)
            done.add(step.name)
            yield at, step
        if not free:
            raise ValueError(f"the steps of {scope.path or 'the workflow'} wait for each other")


def _last(scope: Scope) -> list[str]:
    """Names of the steps that no other one waits for."""
    waited_for = {name for at, step in enumerate(scope.steps) for name in _dependencies(scope, at, step)}
    return [step.name for step in scope.steps if step.name not in waited_for]
