"""The check of a definition and the engine take a name for the same step, whatever the definition."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from taskengine import WorkflowDefinition
from taskengine.core.step_index import Place, StepIndex
from taskengine.core.steps.names import UnknownStepError, resolve

names = st.sampled_from("abcd")


def step(kind: str, name: str, inner: list[dict[str, Any]]) -> dict[str, Any]:
    unique = list({each["name"]: each for each in inner}.values())
    bodies: dict[str, dict[str, Any]] = {
        "task": {"task_template": {}},
        "sequential": {"sub_steps": unique},
        "parallel": {"sub_steps": unique},
        "loop": {"loop_condition": "iteration < 2", "loop_steps": unique, "max_iterations": 2},
        "map": {"items": [1], "steps": unique},
        "conditional": {"condition": "context.x", "true_steps": unique, "false_steps": inner[:1]},
    }
    return {"kind": kind, "name": name, **bodies[kind]}


leaves = names.map(lambda name: step("task", name, []))
kinds = st.sampled_from(["sequential", "parallel", "loop", "map", "conditional"])
trees = st.recursive(
    leaves, lambda inner: st.builds(step, kinds, names, st.lists(inner, min_size=1, max_size=3)), max_leaves=12
)
scopes = st.lists(trees, min_size=1, max_size=4, unique_by=lambda each: each["name"])


@given(scopes, st.lists(names, min_size=1, max_size=3))
@settings(max_examples=500, deadline=None)
def test_both_mean_the_same_step(steps: list[dict[str, Any]], wanted: list[str]) -> None:
    definition = WorkflowDefinition(name="w", steps=steps)
    index = StepIndex(definition)
    for place in index.places:
        found = index.find(wanted, place)
        if isinstance(found, Place):
            try:
                theirs = resolve(definition, place.path, wanted).path
            except UnknownStepError as exc:
                theirs = str(exc)
            assert (place.path, theirs) == (place.path, found.path)
