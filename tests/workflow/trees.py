"""Workflows of every kind of step, nested, with an outcome for each task: what the reference is compared on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import hypothesis.strategies as st

from taskengine import RetryRules, Workflow, WorkflowStep
from taskengine.models import WorkflowCondition, WorkflowDefinition

from .conftest import QUEUE, START

DEEPEST, MOST_STEPS = 4, 25
#: Examples differ in nothing that was not drawn.
_ID = UUID(int=7)
_NUMBERS = st.integers(0, 3)
_RULES = RetryRules(initial_interval=10, jitter=0).model_dump(mode="json")
#: Before the beginning, and a while after it.
_MOMENTS = [START - timedelta(seconds=5), START + timedelta(seconds=45)]
#: What a task does: how often it says not now, how often it fails, and its retries.
_SCRIPTS = [(0, 0, 0)] * 12 + [(0, 1, 1), (0, 2, 2), (1, 0, 0), (1, 1, 1), (0, 9, 0), (0, 9, 1)]


@dataclass
class _Seen:
    """What the expressions at one place may name."""

    variables: list[str] = field(default_factory=lambda: ["start"])
    #: Ended steps that may be read, outermost first.
    steps: list[str] = field(default_factory=list)
    #: The turn of a loop, the item of a map.
    others: tuple[str, ...] = ()

    def inner(self, *others: str) -> _Seen:
        return _Seen(list(self.variables), list(self.steps), (*self.others, *others))

    @property
    def is_many(self) -> bool:
        """Whether what is set here is set side by side, so that nobody knows by whom last."""
        return "item" in self.others


@dataclass
class _Trees:
    draw: Callable[[Any], Any]
    steps_left: int = MOST_STEPS
    number: int = 0
    #: Definitions around: their variables are not the client's.
    inside: int = 0

    def name(self, kind: str) -> str:
        self.number += 1
        return f"{kind}{self.number}"

    def few(self, most: int) -> int:
        return int(self.draw(st.integers(1, most)))

    def chance(self, percent: int) -> bool:
        return bool(self.draw(st.integers(0, 99)) >= 100 - percent)

    def pick(self, among: Any) -> Any:
        return self.draw(st.sampled_from(among))

    # -- expressions

    def expression(self, seen: _Seen) -> str:
        sources = ["context.c", *(f"variables.{name}" for name in seen.variables)]
        sources += [f"steps.{name}.output.n" for name in seen.steps[-4:]]
        sources += seen.others
        if self.chance(3):
            sources = ["variables.nobody"]
        return f"{self.pick(sources)}{self.pick(['', '', f' + {self.draw(_NUMBERS)}'])}"

    def condition(self, seen: _Seen) -> Any:
        if self.chance(30):
            name = self.pick(["c", "n", *seen.variables])
            operator = self.pick(["less_than", "equals"])
            return WorkflowCondition(field=name, operator=operator, value=self.draw(_NUMBERS))
        source = self.expression(seen).partition(" ")[0]
        return self.pick(["true", "false", f"{source} < {self.draw(_NUMBERS)}", f"{source} == {self.draw(_NUMBERS)}"])

    def common(self, seen: _Seen, name: str) -> dict[str, Any]:
        more: dict[str, Any] = {"name": name}
        if self.chance(10):
            more["when"] = self.condition(seen)
        if self.chance(15):
            more["on_failure"] = "continue"
        if not seen.is_many and self.chance(35):
            variable = f"v_{name}"
            own = "output.turns" if name.startswith("l") else "output.n"
            more["outputs"] = {variable: f"${{{self.pick([own, own, f'{own} + 1', self.expression(seen)])}}}"}
            seen.variables.append(variable)
        return more

    # -- steps

    def scope(self, seen: _Seen, depth: int, *, most: int = 4, parallel: bool = False) -> list[WorkflowStep]:
        """Steps; each sees those before it, but not side by side."""
        made: list[WorkflowStep] = []
        inner, heard = seen.inner(), list(seen.variables)
        for _ in range(self.few(most)):
            if made and not self.steps_left:
                break
            at = seen.inner() if parallel else inner
            step = self.step(at, depth)
            if parallel:
                heard += at.variables[len(seen.variables) :]
                if made and self.chance(20):
                    step = step.model_copy(update={"depends_on": (self.pick(made).name,)})
            else:
                inner.steps.append(step.name)
            made.append(step)
        seen.variables[:] = heard if parallel else inner.variables
        return made

    def step(self, seen: _Seen, depth: int) -> WorkflowStep:
        self.steps_left = max(0, self.steps_left - 1)
        leaves = [self.task] * 4 + [self.wait, self.approval]
        groups = [self.parallel, self.sequential, self.conditional, self.loop, self.sub_workflow, self.map]
        deep = depth < DEEPEST and self.steps_left > 1
        made: WorkflowStep = self.pick(leaves + groups if deep else leaves)(seen, depth)
        return made

    def task(self, seen: _Seen, depth: int) -> WorkflowStep:  # noqa: ARG002  # one of many
        not_now, fails, retries = self.pick(_SCRIPTS)
        n = f"${{{self.expression(seen)}}}" if self.chance(50) else self.draw(_NUMBERS)
        template = {"capability": QUEUE, "max_retries": retries, "retry": _RULES}
        template |= {"input": {"not_now": not_now, "fails": fails, "gives": {"n": n}}}
        return WorkflowStep(task_template=template, **self.common(seen, self.name("t")))

    def wait(self, seen: _Seen, depth: int) -> WorkflowStep:  # noqa: ARG002
        name = self.name("w")
        condition = "variables.start == 2" if self.inside else f"variables.go_{name} == 1"
        what: dict[str, Any] = self.pick([
            {"wait_seconds": 30}, {"wait_condition": condition}, {"signal": f"s_{name}"},
            {"until": self.pick(_MOMENTS)},
            {"signal": f"never_{name}", "timeout": 60, "on_timeout": self.pick(["fail", "continue"])},
        ])  # fmt: skip
        return WorkflowStep(kind="wait", **what, **self.common(seen, name))

    def approval(self, seen: _Seen, depth: int) -> WorkflowStep:  # noqa: ARG002
        more = {"prompt": self.pick(["yes", "yes", "no"]), "on_reject": self.pick(["fail", "continue"])}
        return WorkflowStep(kind="approval", **more, **self.common(seen, self.name("a")))

    def parallel(self, seen: _Seen, depth: int) -> WorkflowStep:
        name, mode = self.name("p"), self.pick(["fail_fast", "wait_all"])
        inner = seen.inner()
        steps = self.scope(inner, depth + 1, parallel=True)
        seen.variables[:] = inner.variables
        return WorkflowStep(kind="parallel", mode=mode, sub_steps=steps, **self.common(seen, name))

    def sequential(self, seen: _Seen, depth: int) -> WorkflowStep:
        name, more = self.name("q"), dict[str, Any]()
        steps = self.scope(seen, depth + 1)
        if self.chance(12):
            forever = self.name("forever")
            steps = [WorkflowStep(kind="wait", name=forever, signal=f"never_{forever}"), *steps]
            more["timeout"] = 60
        return WorkflowStep(kind="sequential", sub_steps=steps, **more, **self.common(seen, name))

    def conditional(self, seen: _Seen, depth: int) -> WorkflowStep:
        name, condition = self.name("c"), self.condition(seen)
        true = self.scope(seen, depth + 1, most=2)
        false = self.scope(seen, depth + 1, most=2) if self.chance(60) else []
        bodies = {"true_steps": true, "false_steps": false}
        return WorkflowStep(kind="conditional", condition=condition, **bodies, **self.common(seen, name))

    def loop(self, seen: _Seen, depth: int) -> WorkflowStep:
        name = self.name("l")
        steps = self.scope(seen.inner("iteration"), depth + 1, most=2)
        turns = self.draw(_NUMBERS)
        conditions = [f"iteration < {turns}", f"iteration < {turns}", "true", self.condition(seen)]
        more = {"loop_condition": self.pick(conditions), "max_iterations": 3, "interval": self.pick([0, 20])}
        more["at_limit"] = self.pick(["fail", "complete"])
        return WorkflowStep(kind="loop", loop_steps=steps, **more, **self.common(seen, name))

    def map(self, seen: _Seen, depth: int) -> WorkflowStep:
        name = self.name("m")
        items = [self.draw(_NUMBERS) for _ in range(self.few(4) - 1)]
        steps = self.scope(seen.inner("item", "index"), depth + 1, most=2)
        more = {"items": items, "max_parallel": self.pick([None, 1, 2]), "tolerate": self.pick([0, 0, 1, 4])}
        return WorkflowStep(kind="map", steps=steps, **more, **self.common(seen, name))

    def sub_workflow(self, seen: _Seen, depth: int) -> WorkflowStep:
        name = self.name("u")
        context = {"c": f"${{{self.expression(seen)}}}"}
        self.inside += 1
        inner = WorkflowDefinition(**self.definition(depth + 1))
        self.inside -= 1
        return WorkflowStep(kind="sub_workflow", workflow=inner, context=context, **self.common(seen, name))

    def definition(self, depth: int) -> dict[str, Any]:
        seen = _Seen()
        steps = self.scope(seen, depth)
        read = seen.inner()
        read.steps = [step.name for step in steps]
        more: dict[str, Any] = {"outputs": {"n": f"${{{self.expression(read)}}}"}} if self.chance(50) else {}
        if self.chance(20):
            more["finally_steps"] = self.scope(seen.inner(), depth + 1, most=2)
        return {"name": "w", "steps": steps, "context": {"c": 1}, "variables": {"start": 2}, **more}


@st.composite
def workflows(draw: Callable[[Any], Any]) -> Workflow:
    """A workflow of a few steps."""
    return Workflow(id=_ID, **_Trees(draw).definition(1))
