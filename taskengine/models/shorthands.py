"""A step of each kind by one call: ``WorkflowStep.wait("go", signal="go")``, written as the builder's calls are.

The builder collects what may be wrong and tells all of it at once; here a wrong step raises where it is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, Unpack

from pydantic import JsonValue

from taskengine.models.condition import WorkflowCondition
from taskengine.models.task import RequestFields

if TYPE_CHECKING:
    from taskengine.models.step import WorkflowStep
    from taskengine.models.steps import WorkflowDefinition

#: A condition, or an expression.
Condition = WorkflowCondition | str
#: A step, or the same as plain data.
Step: TypeAlias = "WorkflowStep | Mapping[str, Any]"
FailOrContinue = Literal["fail", "continue"]


class StepFields(TypedDict, total=False):
    """What every step may say besides what its kind needs (:class:`~taskengine.models.WorkflowStep`)."""

    when: Condition | None
    depends_on: Sequence[str] | None
    on_failure: FailOrContinue
    outputs: Mapping[str, JsonValue]
    timeout: float | None


class Shorthands:
    """One constructor a kind."""

    @classmethod
    def task(
        cls, name: str, task_template: Mapping[str, Any] | RequestFields, **fields: Unpack[StepFields]
    ) -> WorkflowStep:
        """A task: *task_template* has its fields; its texts may hold ``${…}``."""
        return _made(cls, "task", name, fields, task_template=task_template)

    @classmethod
    def parallel(
        cls,
        name: str,
        sub_steps: Sequence[Step],
        *,
        mode: Literal["fail_fast", "wait_all"] = "fail_fast",
        **fields: Unpack[StepFields],
    ) -> WorkflowStep:
        """Steps at the same time; *mode* ``wait_all`` lets the others end when one failed."""
        return _made(cls, "parallel", name, fields, sub_steps=sub_steps, mode=mode)

    @classmethod
    def sequential(cls, name: str, sub_steps: Sequence[Step], **fields: Unpack[StepFields]) -> WorkflowStep:
        """Steps one after the other."""
        return _made(cls, "sequential", name, fields, sub_steps=sub_steps)

    @classmethod
    def conditional(
        cls,
        name: str,
        condition: Condition,
        true_steps: Sequence[Step] = (),
        false_steps: Sequence[Step] = (),
        **fields: Unpack[StepFields],
    ) -> WorkflowStep:
        """One of two sequences."""
        branches = {"true_steps": true_steps, "false_steps": false_steps}
        return _made(cls, "conditional", name, fields, condition=condition, **branches)

    @classmethod
    def loop(
        cls,
        name: str,
        loop_condition: Condition,
        loop_steps: Sequence[Step],
        max_iterations: int,
        *,
        at_limit: Literal["fail", "complete"] = "fail",
        interval: float = 0.0,
        **fields: Unpack[StepFields],
    ) -> WorkflowStep:
        """A sequence again and again while a condition holds, *interval* seconds between two turns."""
        body = {"loop_condition": loop_condition, "loop_steps": loop_steps, "max_iterations": max_iterations}
        return _made(cls, "loop", name, fields, **body, at_limit=at_limit, interval=interval)

    @classmethod
    def wait(
        cls,
        name: str,
        wait_seconds: float | None = None,
        wait_condition: Condition | None = None,
        *,
        until: datetime | str | None = None,
        signal: str | None = None,
        on_timeout: FailOrContinue = "fail",
        **fields: Unpack[StepFields],
    ) -> WorkflowStep:
        """Wait for one of: seconds, a condition, a moment (or an expression that comes to one), a signal."""
        given = {"wait_seconds": wait_seconds, "wait_condition": wait_condition, "until": until, "signal": signal}
        return _made(cls, "wait", name, fields, **given, on_timeout=on_timeout)

    @classmethod
    def map(
        cls,
        name: str,
        items: Sequence[JsonValue] | str,
        steps: Sequence[Step],
        *,
        max_parallel: int | None = None,
        tolerate: int = 0,
        label: str | None = None,
        **fields: Unpack[StepFields],
    ) -> WorkflowStep:
        """A sequence for each item of a list (or of what an expression comes to), *max_parallel* at once."""
        held = items if isinstance(items, str) else list(items)
        given = {"items": held, "steps": steps, "max_parallel": max_parallel, "tolerate": tolerate, "label": label}
        return _made(cls, "map", name, fields, **given)

    @classmethod
    def sub_workflow(
        cls,
        name: str,
        workflow: str | WorkflowDefinition | Mapping[str, Any],
        context: Mapping[str, JsonValue] | None = None,
        **fields: Unpack[StepFields],
    ) -> WorkflowStep:
        """Another workflow, by its registered name or whole, with its own variables."""
        return _made(cls, "sub_workflow", name, fields, workflow=workflow, context=context or {})

    @classmethod
    def approval(
        cls,
        name: str,
        prompt: str,
        *,
        form: Mapping[str, JsonValue] | None = None,
        approvers: Sequence[str] = (),
        on_timeout: FailOrContinue = "fail",
        on_reject: FailOrContinue = "fail",
        **fields: Unpack[StepFields],
    ) -> WorkflowStep:
        """Wait until somebody says yes or no; *form* is a JSON Schema of what is asked for besides."""
        given = {"prompt": prompt, "form": form, "approvers": approvers}
        return _made(cls, "approval", name, fields, **given, on_timeout=on_timeout, on_reject=on_reject)


def _made(step: type[Any], kind: str, name: str, fields: StepFields, **own: Any) -> WorkflowStep:
    said = {key: value for key, value in {**fields, **own}.items() if value is not None}
    made: WorkflowStep = step(kind=kind, name=name, **said)
    return made
