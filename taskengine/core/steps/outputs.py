"""What a step comes to: its task's result, or what its children's results make; computed when somebody asks.

A sequence is its last step, a parallel step an object of its steps by name, a conditional step the branch that was
taken, a loop ``{turns, last, results}`` with its last turns, a map the list of its items, ``null`` where one failed. A
map of more items than an expression sees has none that could be read: whoever asks for it is told so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from taskengine.core.steps.paths import DO, child, numbered, second_branch
from taskengine.core.steps.plain import last_of
from taskengine.errors import ExpressionError
from taskengine.models import (
    ConditionalStep,
    LoopStep,
    MapStep,
    ParallelStep,
    SequentialStep,
    StepStatus,
    TaskStep,
    WorkflowStep,
)

#: Turns of a loop, the last ones, that an expression sees; items of a map, of which it sees all or none.
MOST_TURNS, MOST_ITEMS = 20, 1000


class TooManyItemsError(ExpressionError):
    """An expression asks for the output of a map of more items than one sees."""

    def __init__(self, path: str, items: int) -> None:
        super().__init__(
            f"output of {path}",
            f"it is that of a map of {items} items, and an expression sees at most {MOST_ITEMS}; map at most "
            f"{MOST_ITEMS} items a step, or let each item write its result where a later step reads it (status and "
            "failed of the map can be read)",
        )


@dataclass(frozen=True, slots=True)
class Record:
    """What is stored of a step that somebody reads."""

    fields: Mapping[str, str]
    #: A result of its own; None without one.
    output: JsonValue = None

    @property
    def is_step(self) -> bool:
        """Whether no worker runs it."""
        return "k" in self.fields


Found = Mapping[str, Record | None]


def parts(step: WorkflowStep, path: str, record: Record | None) -> list[tuple[str, WorkflowStep]]:
    """Return the steps, with their paths, of whose results the step's is made; none where it has its own, none yet, or
    more of them than may be read.
    """
    if record is None or not record.is_step or record.output is not None:
        return []
    return list(_parts(step, path, record.fields))


def _parts(step: WorkflowStep, path: str, fields: Mapping[str, str]) -> Iterator[tuple[str, WorkflowStep]]:
    match step:
        case TaskStep():
            yield path + DO, step
        case SequentialStep():
            yield from _last(step.sub_steps, path)
        case ParallelStep():
            yield from ((child(path, one.name), one) for one in step.sub_steps)
        case ConditionalStep() if fields.get("br") == "true":
            yield from _last(step.true_steps, path)
        case ConditionalStep() if fields.get("br") == "false":
            yield from _last(step.false_steps, path, second_branch(step))
        case LoopStep():
            turns = int(fields.get("n", 0))
            for turn in range(max(0, turns - min(step.keep, MOST_TURNS)), turns):
                yield from _last(step.loop_steps, numbered(path, turn))
        case MapStep():
            items = int(fields.get("n", 0))
            for item in range(items if items <= MOST_ITEMS else 0):
                yield from _last(step.steps, numbered(path, item))


def _last(
    steps: Sequence[WorkflowStep], scope: str, called: Mapping[str, str] | None = None
) -> Iterator[tuple[str, WorkflowStep]]:
    if steps:
        last = last_of(steps)
        yield child(scope, (called or {}).get(last.name, last.name)), last


def output_of(step: WorkflowStep, path: str, found: Found) -> JsonValue:
    """Return what a step came to; None where it came to nothing, or is not over. TooManyItemsError where that cannot be
    read.
    """
    record = found.get(path)
    if record is None:
        return None
    if record.output is not None or not record.is_step:
        return record.output
    made = [(at, output_of(one, at, found)) for at, one in parts(step, path, record)]
    match step:
        case ParallelStep():
            return {one.name: value for one, (_, value) in zip(step.sub_steps, made, strict=True)}
        case LoopStep():
            results = [value for _, value in made]
            turns = int(record.fields.get("n", 0))
            return {"turns": turns, "last": results[-1] if results else None, "results": results}
        case MapStep() if (items := int(record.fields.get("n", 0))) > MOST_ITEMS:
            raise TooManyItemsError(path, items)
        case MapStep():
            return [value for _, value in made]
        case _:
            return made[0][1] if made else None


def view(step: WorkflowStep, path: str, found: Found, *, with_output: bool = True) -> dict[str, Any]:
    """Return what an expression sees of a step: output, status, error, turns, failed; each only where it has one.

    *with_output*: whether it asks for the output. TooManyItemsError where that cannot be read.
    """
    record = found.get(path)
    if record is None:
        return {"status": StepStatus.PENDING.value}
    fields = record.fields
    seen: dict[str, Any] = {"status": fields.get("as") or fields["st"]}
    if with_output and fields["st"] in _HAS_OUTPUT and "as" not in fields:
        seen["output"] = output_of(step, path, found)
    if "err" in fields:
        seen["error"] = {"message": fields["err"], "kind": fields.get("knd", "")}
    if isinstance(step, LoopStep):
        seen["turns"] = int(fields.get("n", 0))
    if isinstance(step, MapStep):
        seen["failed"] = int(fields.get("f", 0)) + int(fields.get("c", 0))
    return seen


_HAS_OUTPUT = frozenset({StepStatus.COMPLETED.value})
