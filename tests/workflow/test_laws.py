"""The deep check knows the laws of steps: it finds each fault that is planted, and names the step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from taskengine import Workflow, WorkflowStep, agent
from taskengine.core.identity import step_id
from taskengine.store.call import Call
from taskengine.store.invariants import check_invariants
from taskengine.store.keys import Keys
from taskengine.store.step_rules import STEP_RULES
from taskengine.testing import Engine

from .conftest import QUEUE, START, work


class Scene:
    """A workflow of which some steps are over, and the others wait."""

    def __init__(self, engine: Engine) -> None:
        def task(name: str, **more: Any) -> WorkflowStep:
            return WorkflowStep(name=name, task_template=work() | {"hold": name == "held"}, **more)

        def step(kind: str, name: str, **more: Any) -> WorkflowStep:
            return WorkflowStep(kind=kind, name=name, **more)

        waits = step(
            "parallel", "waits", mode="wait_all",
            sub_steps=[
                task("held", outputs={"v": "1"}), step("wait", "time", wait_seconds=900),
                step("wait", "hear", signal="go"), step("wait", "change", wait_condition="variables.go"),
                step("map", "each", items=[1, 2, 3], max_parallel=2, steps=[task("held")]),
                step("approval", "word", prompt="?"),
            ],
        )  # fmt: skip
        over = step("loop", "over", loop_condition="iteration < 2", max_iterations=3, loop_steps=[task("turn")])
        self.engine = engine
        self.id = engine.api.start_workflow(Workflow(name="w", steps=[over, waits]))
        engine.run_until_idle()

    def do(self, command: str, kind: str, path: str, *args: str | int, more: str = "") -> str:
        """Send a command about a step's key; the step's id."""
        id = str(step_id(self.id, path))
        key = Keys("te").of(kind, id + more)
        self.engine._store.run(Call(command, (key, *args), str, command=True))
        return id


@pytest.fixture
def scene() -> Iterator[Scene]:
    @agent("idle-worker", capabilities={QUEUE})
    def worker(_: Any, __: Any) -> None:
        """Do nothing."""

    with Engine([worker], start=START) as engine:
        yield Scene(engine)


PLANTS: list[tuple[str, Any]] = [
    ("children", lambda s: s.do("HINCRBY", "task", "waits", "w", 1)),
    ("children", lambda s: s.do("HINCRBY", "task", "waits", "w", -1)),
    ("children", lambda s: s.do("HINCRBY", "task", "waits", "tot", 1)),
    ("children", lambda s: s.do("HINCRBY", "task", "over", "f", 1)),
    ("children", lambda s: s.do("HINCRBY", "task", "waits/each", "w", 1)),
    ("children", lambda s: s.do("HSET", "task", "waits", "st", "completed")),
    ("waits", lambda s: s.do("HSET", "task", "waits", "w", 0)),
    ("waits", lambda s: s.do("SREM", "condition_waiters", "", str(step_id(s.id, "waits/change")))),
    ("waits", lambda s: s.do("DEL", "signal_waiters", "", more=":go")),
    ("waits", lambda s: s.do("DEL", "signal_waiters", "", more=":~approve/waits/word")),
    ("orphan", lambda s: s.engine._store.run(Call("RPUSH", ("te:inbox:nobody:go", "x"), str, command=True))),
    ("orphan", lambda s: s.engine._store.run(Call("HSET", ("te:items:nobody", "0", "x"), str, command=True))),
]


def test_a_workflow_that_waits_breaks_no_law(scene: Scene) -> None:
    assert scene.engine._store.run(check_invariants(Keys("te"))) == []


@pytest.mark.parametrize(("kind", "plant"), PLANTS)
def test_a_planted_fault_is_found_and_named(scene: Scene, kind: str, plant: Any) -> None:
    plant(scene)
    found = scene.engine._store.run(check_invariants(Keys("te")))
    assert kind in {one.kind for one in found}, found


def test_every_law_of_steps_is_planted() -> None:
    assert STEP_RULES.keys() <= {kind for kind, _ in PLANTS}
