"""What is read so that the steps of a workflow can say what they wait for: some values, and one look around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from taskengine.core.bindings import Bindings
from taskengine.core.lifecycle import TERMINAL
from taskengine.core.refs import references_in, references_of
from taskengine.core.status_tree import StepFields
from taskengine.core.step_why import Surroundings
from taskengine.core.steps.paths import find_step
from taskengine.core.steps.snapshot import ENTERED
from taskengine.errors import ExpressionError
from taskengine.models import ApprovalStep, WaitStep
from taskengine.store import nodes, poison
from taskengine.store.call import Operation
from taskengine.store.codec import moment
from taskengine.store.keys import Keys
from taskengine.store.step_values import Where, read_values

#: Waiting steps whose values are read.
MOST = 20
#: Decisions that were put aside, the newest, among which theirs are looked for.
_POISONED = 100


def surroundings(
    keys: Keys, where: Where, found: Mapping[str, StepFields], *, paused: bool
) -> Operation[Surroundings]:
    """Return what the steps of one definition need to tell; *found* is what is stored of them, by path."""
    prefix = where.prefix
    values: dict[str, Bindings] = {}
    for path, step in found.items():
        if step.fields.get("k") in ("wait", "approval") and step.fields["st"] in ENTERED and len(values) < MOST:
            own = path.removeprefix(prefix).removeprefix("/") if prefix else path
            read = yield from _values(replace(where, path=own))
            if read is not None:
                values[path] = read
    leads, poisoned = True, {}
    if any(_may_be_undecided(step.fields) for step in found.values()):
        leads = (yield from nodes.leader())[1] is not None
        errors = yield from poison.poisoned(keys, _POISONED)
        poisoned = {path: errors[str(step.id)] for path, step in found.items() if str(step.id) in errors}
    return Surroundings(where.workflow_id, moment, values, paused, leads, poisoned)


def _values(where: Where) -> Operation[Bindings | None]:
    """Return what a waiting step reads; None where that is nothing, or cannot be known."""
    try:
        step = find_step(where.definition, where.path)
        match step:
            case WaitStep() if step.wait_condition is not None:
                wanted = references_of(step.wait_condition)
            case ApprovalStep():
                wanted = references_in(step.prompt)
            case _:
                return None
        return (yield from read_values(where, wanted)).bindings
    except ExpressionError:
        return None


def _may_be_undecided(fields: Mapping[str, str]) -> bool:
    return "k" in fields and fields["st"] not in TERMINAL and fields.get("w", "0") == "0"
