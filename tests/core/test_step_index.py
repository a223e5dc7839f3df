"""Which step a name means, from wherever it is said."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine import WorkflowDefinition
from taskengine.core.step_index import Place, StepIndex


def task(name: str) -> dict[str, Any]:
    return {"name": name, "task_template": {}}


INDEX = StepIndex(
    WorkflowDefinition(
        name="w",
        steps=[
            task("build"),
            {"kind": "sequential", "name": "one", "sub_steps": [task("build"), task("use"), task("only")]},
            {
                "kind": "conditional",
                "name": "gate",
                "condition": "context.x",
                "true_steps": [task("ship"), task("after")],
                "false_steps": [task("ship"), task("else_after")],
            },
            {
                "kind": "loop",
                "name": "again",
                "loop_condition": "iteration < 2",
                "max_iterations": 2,
                "loop_steps": [task("turn"), {"kind": "map", "name": "each", "items": [1], "steps": [task("item")]}],
            },
            task("last"),
        ],
        finally_steps=[task("clean"), task("build")],
    )
)


@pytest.mark.parametrize(
    ("said_at", "name", "means"),
    [
        ("one/use", "build", "one/build"),
        ("last", "build", "build"),
        ("last", "one.build", "one/build"),
        ("last", "only", "one/only"),
        ("gate/after", "ship", "gate/ship"),
        ("gate/else_after", "ship", "gate/ship~else"),
        ("again/each", "turn", "again/turn"),
        ("again/each/item", "turn", "again/turn"),
        ("~finally/clean", "build", "~finally/build"),
        ("~finally/clean", "last", "last"),
        (None, "last", "last"),
    ],
)
def test_a_name_means_the_nearest_step(said_at: str | None, name: str, means: str) -> None:
    found = INDEX.find(name.split("."), INDEX.at(said_at) if said_at else None)
    assert isinstance(found, Place)
    assert found.path == means


@pytest.mark.parametrize(
    ("said_at", "name", "why"),
    [
        ("last", "gate.ship", "'ship' may be gate.ship, gate.ship~else"),
        ("last", "again.turn", "'again' runs its steps many times; read steps.again.output"),
        ("last", "item", "'again/each/item' runs many times; read steps.each.output"),
        ("again/turn", "again", "the step lies in 'again', which is not over while it runs"),
        ("last", "bulid", "there is no step 'bulid' in this workflow; did you mean 'build'?"),
        ("last", "one.nobody", "there is no step 'nobody' in 'one'"),
        ("last", "last", "'last' is the step itself"),
        ("one/build", "build", "'one/build' is the step itself"),
        ("again", "turn", "'again/turn' runs many times; let it set a variable by its outputs"),
    ],
)
def test_a_name_that_means_no_step_is_told_why(said_at: str, name: str, why: str) -> None:
    found = INDEX.find(name.split("."), INDEX.at(said_at))
    assert isinstance(found, str)
    assert found.startswith(why)


def test_every_place_is_where_the_definition_has_it() -> None:
    paths = " ".join(place.path for place in INDEX.places)
    assert paths == (
        "build one one/build one/use one/only gate gate/ship gate/after gate/ship~else gate/else_after again "
        "again/turn again/each again/each/item last ~finally/clean ~finally/build"
    )
    assert INDEX.at("gate/ship~else").location == ("steps", 2, "false_steps", 0)
    assert [place.before for place in INDEX.places][:4] == [(), ("build",), (), ("build",)]
