"""Mermaid of definitions: every line is of its grammar, every arrow is between nodes, and large ones are folded."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from taskengine import WorkflowBuilder, WorkflowDefinition, WorkflowStep
from taskengine.builders.diagram import MAX_NODES, escaped, mermaid

_TEXT = r'"(?:[\w .,:/…-]|<br/>|</?i>|#\d+;)*"'
_NODE = re.compile(rf"(n\d+)(?:\[{_TEXT}\]|\{{{_TEXT}\}}|\(\[{_TEXT}\]\)|\[\[{_TEXT}\]\]|\(\({_TEXT}\)\))")
_FRAME = re.compile(rf"subgraph (n\d+)\[{_TEXT}\]")
_ARROW = re.compile(r"(n\d+) (?:-->|-\.->)(?:\|(?:yes|no|again)\|)? (n\d+)")
_STYLE = re.compile(r"classDef [a-z_]+ [\w#:,-]+|class (n\d+)(,n\d+)* [a-z_]+")


def drawn(text: str) -> tuple[set[str], list[tuple[str, str]]]:
    """The nodes and arrows of a flowchart; every line must be one of its grammar."""
    settings, first, *lines = text.splitlines()
    assert (json.loads(settings.strip("%")[len("{init: ") : -1])["flowchart"], first) == (
        {"subGraphTitleMargin": {"top": 4, "bottom": 14}}, "flowchart TD"
    )  # fmt: skip
    nodes, frames, arrows, open_frames = set[str](), set[str](), [], 0
    for line in map(str.strip, lines):
        if found := _FRAME.fullmatch(line):
            frames.add(found[1])
            open_frames += 1
        elif found := _NODE.fullmatch(line):
            assert found[1] not in nodes | frames
            nodes.add(found[1])
        elif found := _ARROW.fullmatch(line):
            arrows.append((found[1], found[2]))
        elif line == "end":
            open_frames -= 1
        else:
            assert _STYLE.fullmatch(line), line
    assert open_frames == 0
    assert {end for arrow in arrows for end in arrow} <= nodes
    return nodes, arrows


def task(name: str) -> WorkflowStep:
    return WorkflowStep(name=name, task_template={})


def test_a_pipeline_is_drawn_with_its_states() -> None:
    made = WorkflowBuilder.create_ci_cd_workflow("w", repository_url="r")
    text = mermaid(
        made, {"build": "completed", "checks": "running", "checks/lint": "failed", "~finally/report": "pending"}
    )
    nodes, arrows = drawn(text)
    assert len(nodes) == 8
    assert len(arrows) == 9
    assert 'n0["build<br/><i>completed</i>"]' in text
    assert "class n1 running" in text
    assert 'subgraph n1["checks, <i>running</i>"]' in text
    assert '{"health_check<br/>not health equals #39;passed#39;"}' in text


def test_a_loop_goes_back_and_a_conditional_has_two_ways_out() -> None:
    builder = WorkflowBuilder("w", context={"x": True})
    builder.add_loop_step("again", "iteration < 3", [task("a"), task("b")], 3)
    builder.add_conditional_step("either", "context.x", [task("yes")])
    builder.add_task_step("after", {})
    text = mermaid(builder.build())
    nodes, arrows = drawn(text)
    assert len(nodes) == 5
    assert "-.->|again|" in text
    assert len(arrows) == 6  # a-b, b-a again, b-either, either-yes, either-after, yes-after


def test_a_loop_of_one_step_is_told_by_its_title_alone() -> None:
    text = mermaid(WorkflowBuilder("w").add_loop_step("again", "iteration < 3", [task("a")], 3).build())
    assert drawn(text)[1] == []
    assert 'subgraph n0["again, up to 3 turns"]' in text


def test_what_is_wide_meets_in_one_point() -> None:
    wide = [task(f"s{at}") for at in range(50)]
    made = WorkflowBuilder("w").add_parallel_step("one", wide).add_parallel_step("two", wide).build()
    assert len(drawn(mermaid(made))[1]) == 100


def test_what_no_eye_could_follow_is_folded() -> None:
    steps = [
        WorkflowStep(kind="sequential", name=f"q{at}", sub_steps=[task(f"s{i}") for i in range(10)]) for at in range(40)
    ]
    text = mermaid(WorkflowBuilder("w").add_step(*steps).build())
    assert len(drawn(text)[0]) == 40
    assert "10 steps" in text
    flat = WorkflowBuilder("w").add_step(*[task(f"s{at}") for at in range(1000)]).build()
    nodes, _ = drawn(mermaid(flat))
    assert len(nodes) == MAX_NODES + 1
    assert "… 700 more steps" in mermaid(flat)


@given(st.text(max_size=80))
def test_no_text_can_break_out_of_its_label(text: str) -> None:
    assert re.fullmatch(r"(?:[\w .,:/…-]|#\d+;)*", escaped(text))


names = st.sampled_from("abcdef")


def step_of(kind: str, name: str, inner: list[dict[str, Any]]) -> dict[str, Any]:
    unique = list({each["name"]: each for each in inner}.values())
    fields: dict[str, dict[str, Any]] = {
        "task": {"task_template": {}},
        "wait": {"wait_seconds": 1},
        "approval": {"prompt": '"]; evil --> x'},
        "sequential": {"sub_steps": unique},
        "parallel": {"sub_steps": unique},
        "loop": {"loop_condition": "iteration < 2", "loop_steps": unique, "max_iterations": 2},
        "map": {"items": [1], "steps": unique},
        "conditional": {"condition": "context.x == '\"}'", "true_steps": unique[:1], "false_steps": unique[1:]},
        "sub_workflow": {"workflow": '"]\nend'.strip().replace("\n", " ")},
    }
    return {"kind": kind, "name": name, **fields[kind]}


leaves = st.builds(step_of, st.sampled_from(["task", "wait", "approval", "sub_workflow"]), names, st.just([]))
kinds = st.sampled_from(["sequential", "parallel", "loop", "map", "conditional"])
trees = st.recursive(
    leaves, lambda inner: st.builds(step_of, kinds, names, st.lists(inner, min_size=1, max_size=4)), max_leaves=20
)


@given(st.lists(trees, min_size=1, max_size=5, unique_by=lambda step: step["name"]))
def test_any_definition_is_drawn_whole(steps: list[dict[str, Any]]) -> None:
    nodes, arrows = drawn(mermaid(WorkflowDefinition(name="w", steps=steps)))
    assert nodes
    if len(steps) > 1:
        assert arrows
