"""Holds what an attempt returned against the schema of its task: the same for every type of agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from taskengine.core.schemas import result_faults
from taskengine.errors import InvalidInputError
from taskengine.models import Outcome
from taskengine.store.codec import loads_object
from workers.output import encoded

#: Asks the agent once more, told what is wrong.
Repair = Callable[[Outcome, list[str]], Outcome]


def fitted(schema: Mapping[str, Any] | None, outcome: Outcome, repair: Repair | None = None) -> Outcome:
    """Return *outcome*, if its output fits *schema*; else what one repair comes to, or it is ``invalid_output``.

    The output that did not fit stays with the execution. Never raises.
    """
    faults = misfits(schema, outcome)
    if schema is None or not faults:
        return outcome
    if repair is not None:
        again = repair(outcome, faults)
        outcome = again if again.spent or not outcome.spent else replace(again, spent=outcome.spent)
        if outcome.kind != "completed":
            return outcome
        faults = _faults(schema, outcome)
    if not faults:
        return outcome
    error = f"the result does not fit the task's output_schema: {'; '.join(faults)}"
    return replace(outcome, kind="failed", error=error, error_kind="invalid_output", retryable=False)


def misfits(schema: Mapping[str, Any] | None, outcome: Outcome) -> list[str]:
    """Return what of a completed outcome does not fit *schema*, a line each; nothing of any other. Never raises."""
    return [] if schema is None or outcome.kind != "completed" else _faults(schema, outcome)


def _faults(schema: Mapping[str, Any], outcome: Outcome) -> list[str]:
    try:
        output = loads_object(encoded(outcome.output or {}))
    except (InvalidInputError, ValueError):
        return []  # it cannot be stored either, which is told as that
    try:
        faults = result_faults(schema, output)
        # What is no object stands as {"value": …} in a result, and its schema says what it is by itself.
        if faults and output.keys() == {"value"} and _asks_for_no_object(schema):
            faults = result_faults(schema, output["value"])
    except InvalidInputError as exc:
        return [str(exc)]
    return faults


def _asks_for_no_object(schema: Mapping[str, Any]) -> bool:
    """Whether it says what is wanted, and that is no object: one that says less would let any other value through."""
    kind = schema.get("type")
    return "object" not in (kind if isinstance(kind, list) else [kind]) and ("enum" in schema or kind is not None)
