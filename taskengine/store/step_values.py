"""The values that expressions of a workflow see at one of its steps, read in as few trips as they lie deep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import JsonValue

from taskengine.core.bindings import Bindings
from taskengine.core.identity import step_id
from taskengine.core.refs import Reference
from taskengine.core.steps.names import UnknownStepError, around, resolve
from taskengine.core.steps.outputs import Record, TooManyItemsError, output_of, parts, view
from taskengine.core.steps.paths import child, find_step, split
from taskengine.errors import ExpressionError
from taskengine.models import LoopStep, MapStep, WorkflowDefinition, WorkflowStep
from taskengine.store.call import Call, Operation
from taskengine.store.codec import loads, loads_object, pairs
from taskengine.store.verb import Verb

#: Steps read by one script.
READ = 64


def _items_of(raw: Sequence[str]) -> list[str | None]:
    return [text or None for text in raw]


_READ_ITEMS = Verb("read_items", _items_of)


@dataclass(frozen=True, slots=True)
class Where:
    """A step, as its expressions are read from it."""

    workflow_id: str
    #: The step with which its definition begins, and that one's path.
    frame: str
    prefix: str
    definition: WorkflowDefinition
    #: Its path below that; '' for a workflow itself.
    path: str

    def id_of(self, path: str) -> str:
        """Return the id of a step of the same definition."""
        return str(step_id(self.workflow_id, child(self.prefix, path) if path else self.prefix))


@dataclass(frozen=True, slots=True)
class Values:
    """What was read."""

    bindings: Bindings
    #: Revision of the variables.
    revision: str


def read_values(where: Where, wanted: Sequence[Reference]) -> Operation[Values]:
    """Return the values of *wanted*; ExpressionError for a step that there cannot be.

    A step of another branch, a variable that nobody set: they are missing, an error only to whoever needs them.
    """
    names = sorted({str(ref.path[0]) for ref in wanted if ref.root == "variables" and ref.path})
    meant = _meant(where, wanted)
    before = _before(where) if names else None
    roots = dict([*meant.values(), *([before] if before else [])])
    #: Whose status, error or counts are all that is asked: what lies in them is not read.
    alone = roots.keys() - {meant[ref.step][0] for ref in wanted if _asks_output(ref)} - {before[0] if before else ""}
    found: dict[str, Record | None] = {}
    waiting = list(roots.items())
    first = True
    revision, context, variables = "0", "{}", {}
    while waiting or first:
        piece, waiting = waiting[:READ], waiting[READ:]
        answer = yield from _read(where, names if first else [], [path for path, _ in piece])
        if first:
            revision, context, variables, first = answer.revision, answer.context, answer.variables, False
        for (path, step), record in zip(piece, answer.records, strict=True):
            found[path] = record
            if path not in alone:
                waiting += [(at, one) for at, one in parts(step, path, record) if at not in found]
    previous = (before[1].name, _previous(before, found)) if before else None
    steps: dict[str, Any] = {}
    for chain, (path, step) in meant.items():
        _put(steps, chain, view(step, path, found, with_output=path not in alone))
    others = fixed(where)
    items = yield from _items(where)
    return Values(
        Bindings(loads_object(context or "{}"), variables, steps, previous, {**others, **items}), revision
    )


def _meant(where: Where, wanted: Iterable[Reference]) -> dict[tuple[str, ...], tuple[str, WorkflowStep]]:
    found = {}
    for ref in wanted:
        if ref.step and ref.step not in found:
            try:
                made = resolve(where.definition, where.path, ref.step)
            except UnknownStepError as exc:
                raise ExpressionError(str(ref), str(exc)) from exc
            found[ref.step] = (made.path, made.step)
    return found


def _before(where: Where) -> tuple[str, WorkflowStep] | None:
    """Return the step before this one, in whose result a bare field is looked for."""
    if not where.path:
        return None
    siblings = around(where.definition, where.path)[0]
    own = find_step(where.definition, where.path)
    place = next((at for at, one in enumerate(siblings.steps) if one is own), 0)
    named = own.depends_on if own.depends_on is not None else [one.name for one in siblings.steps[place - 1 : place]]
    found = siblings.find(named[0]) if len(named) == 1 else None
    return (siblings.path_of(found), found) if found is not None else None


def _asks_output(ref: Reference) -> bool:
    return bool(ref.step) and ref.field in ("output", None)


def _previous(before: tuple[str, WorkflowStep], found: Mapping[str, Record | None]) -> JsonValue:
    """Return the output of the step before; None where nobody could read it, and a field that stands elsewhere is no
    less there.
    """
    path, step = before
    try:
        seen: JsonValue = view(step, path, found).get("output")
    except TooManyItemsError:
        return None
    return seen


def _put(steps: dict[str, Any], chain: Sequence[str], value: Mapping[str, Any]) -> None:
    for name in chain[:-1]:
        steps = steps.setdefault(name, {})
    steps.setdefault(chain[-1], {}).update(value)


def read_output(where: Where, step: WorkflowStep) -> Operation[JsonValue]:
    """Return what the children of a step that is about to end came to; TooManyItemsError where it cannot be read."""
    found: dict[str, Record | None] = {where.path: Record({"k": step.kind, **(yield from _progress(where))})}
    waiting = parts(step, where.path, found[where.path])
    while waiting:
        piece, waiting = waiting[:READ], waiting[READ:]
        answer = yield from _read(where, [], [path for path, _ in piece])
        for (path, one), record in zip(piece, answer.records, strict=True):
            found[path] = record
            waiting += [(at, inner) for at, inner in parts(one, path, record) if at not in found]
    return output_of(step, where.path, found)


def _progress(where: Where) -> Operation[Mapping[str, str]]:
    answer = yield from _read(where, [], [where.path])
    (record,) = answer.records
    return record.fields if record else {}


def fixed(where: Where) -> dict[str, Any]:
    """Return the turn of the loop around it, and the workflow."""
    found: dict[str, Any] = {
        "workflow": {"id": where.workflow_id, "run_id": where.workflow_id, "name": where.definition.name}
    }
    for _, number in _numbered(where, LoopStep):
        found["iteration"] = number
    return found


def _items(where: Where) -> Operation[dict[str, Any]]:
    """Item and index of the map around it."""
    found = _numbered(where, MapStep)
    if not found:
        return {}
    path, index = found[-1]
    (text,) = yield from items(where.id_of(path), [index])
    return {"index": index, "item": None if text is None else loads(text)}


def items(map_id: str, indexes: Sequence[int]) -> Call[list[str | None]]:
    """JSON of some items of a map; None for one that it has not."""
    return _READ_ITEMS(step=map_id, indexes=indexes)


def _numbered(where: Where, kind: type[WorkflowStep]) -> list[tuple[str, int]]:
    """Loops, or maps, around a step with their turn or item, from the outside in."""
    found = []
    at = ""
    for part in split(where.path):
        if part.number is not None:
            plain = child(at, part.called)
            if isinstance(find_step(where.definition, plain), kind):
                found.append((plain, part.number))
        at = child(at, part.text)
    return found


@dataclass(frozen=True, slots=True)
class _Answer:
    revision: str
    context: str
    variables: dict[str, Any]
    records: list[Record | None]


class _Values(NamedTuple):
    """What ``read_values`` says; each step is a flat list behind its result."""

    revision: str
    context: str
    variables: Sequence[str]
    steps: Sequence[Sequence[str]]


_READ_VALUES = Verb("read_values", _Values._make, values=_Values)


def _read(where: Where, names: Sequence[str], paths: Sequence[str]) -> Operation[_Answer]:
    words = [*names, *map(where.id_of, paths)]
    found = yield from _READ_VALUES(frame=where.frame, names=len(names), words=words)
    variables = {name: loads(text) for name, text in zip(names, found.variables, strict=True) if text}
    return _Answer(found.revision, found.context, variables, [_record(one) for one in found.steps])


def _record(raw: Sequence[Any]) -> Record | None:
    if not raw:
        return None
    return Record(pairs(raw[1:]), loads(raw[0]) if raw[0] else None)
