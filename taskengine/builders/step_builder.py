"""Collects the steps of a workflow and checks them together: what every builder of workflows can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Self, TypedDict, Unpack

from pydantic import JsonValue

from taskengine.core.workflow_faults import examine
from taskengine.errors import InvalidWorkflowError, WorkflowFault
from taskengine.models import TaskPriority, Workflow, WorkflowDefinition, WorkflowStep
from taskengine.models.shorthands import Condition, FailOrContinue, StepFields
from taskengine.models.task import RequestFields

#: A step, or the same as plain data.
Step = WorkflowStep | Mapping[str, Any]

class WorkflowFields(TypedDict, total=False):
    """What a workflow may say besides its steps (:class:`~taskengine.models.WorkflowDefinition`)."""

    description: str | None
    context: Mapping[str, JsonValue]
    variables: Mapping[str, JsonValue]
    outputs: Mapping[str, JsonValue]
    finally_steps: Sequence[Step]
    timeout: float | None
    priority: TaskPriority | str
    deadline: datetime | None
    metadata: Mapping[str, JsonValue]
    input_schema: Mapping[str, JsonValue] | None


class StepBuilder:
    """One call a step, in the order in which they run."""

    def __init__(self, name: str, created_by: str | None = None, **fields: Unpack[WorkflowFields]) -> None:
        self._fields: dict[str, Any] = {**fields, "name": name, "created_by": created_by}
        self._steps: list[Step] = []

    def set(self, **fields: Unpack[WorkflowFields]) -> Self:
        """Set what the workflow says besides its steps, as the constructor does."""
        self._fields |= fields
        return self

    def add_step(self, *steps: Step) -> Self:
        """Add steps that are there already, behind the others."""
        self._steps += steps
        return self

    def add_task_step(
        self, name: str, task_template: Mapping[str, Any] | RequestFields, **fields: Unpack[StepFields]
    ) -> Self:
        """Return a task: *task_template* has its fields; its texts may hold ``${…}``."""
        return self._add("task", name, fields, task_template=task_template)

    def add_parallel_step(
        self,
        name: str,
        sub_steps: Sequence[Step],
        *,
        mode: Literal["fail_fast", "wait_all"] = "fail_fast",
        **fields: Unpack[StepFields],
    ) -> Self:
        """Steps at the same time; *mode* ``wait_all`` lets the others end when one failed."""
        return self._add("parallel", name, fields, sub_steps=sub_steps, mode=mode)

    def add_sequential_step(self, name: str, sub_steps: Sequence[Step], **fields: Unpack[StepFields]) -> Self:
        """Steps one after the other."""
        return self._add("sequential", name, fields, sub_steps=sub_steps)

    def add_conditional_step(
        self,
        name: str,
        condition: Condition,
        true_steps: Sequence[Step] = (),
        false_steps: Sequence[Step] = (),
        **fields: Unpack[StepFields],
    ) -> Self:
        """One of two sequences."""
        branches = {"true_steps": true_steps, "false_steps": false_steps}
        return self._add("conditional", name, fields, condition=condition, **branches)

    def add_loop_step(
        self,
        name: str,
        loop_condition: Condition,
        loop_steps: Sequence[Step],
        max_iterations: int,
        *,
        at_limit: Literal["fail", "complete"] = "fail",
        interval: float = 0.0,
        **fields: Unpack[StepFields],
    ) -> Self:
        """Return a sequence again and again while a condition holds, *interval* seconds between two turns."""
        body = {"loop_condition": loop_condition, "loop_steps": loop_steps, "max_iterations": max_iterations}
        return self._add("loop", name, fields, **body, at_limit=at_limit, interval=interval)

    def add_wait_step(
        self,
        name: str,
        wait_seconds: float | None = None,
        wait_condition: Condition | None = None,
        *,
        until: datetime | str | None = None,
        signal: str | None = None,
        on_timeout: FailOrContinue = "fail",
        **fields: Unpack[StepFields],
    ) -> Self:
        """Wait for one of: seconds, a condition, a moment (or an expression that comes to one), a signal."""
        given = {"wait_seconds": wait_seconds, "wait_condition": wait_condition, "until": until, "signal": signal}
        return self._add("wait", name, fields, **given, on_timeout=on_timeout)

    def add_map_step(
        self,
        name: str,
        items: Sequence[JsonValue] | str,
        steps: Sequence[Step],
        *,
        max_parallel: int | None = None,
        tolerate: int = 0,
        label: str | None = None,
        **fields: Unpack[StepFields],
    ) -> Self:
        """Return a sequence for each item of a list (or of what an expression comes to), *max_parallel* at once."""
        held = items if isinstance(items, str) else list(items)
        given = {"items": held, "steps": steps, "max_parallel": max_parallel, "tolerate": tolerate, "label": label}
        return self._add("map", name, fields, **given)

    def add_sub_workflow_step(
        self,
        name: str,
        workflow: str | WorkflowDefinition | Mapping[str, Any],
        context: Mapping[str, JsonValue] | None = None,
        **fields: Unpack[StepFields],
    ) -> Self:
        """Another workflow, by its registered name or whole, with its own variables."""
        return self._add("sub_workflow", name, fields, workflow=workflow, context=context or {})

    def add_approval_step(
        self,
        name: str,
        prompt: str,
        *,
        form: Mapping[str, JsonValue] | None = None,
        approvers: Sequence[str] = (),
        on_timeout: FailOrContinue = "fail",
        on_reject: FailOrContinue = "fail",
        **fields: Unpack[StepFields],
    ) -> Self:
        """Wait until somebody says yes or no; *form* is a JSON Schema of what is asked for besides."""
        given = {"prompt": prompt, "form": form, "approvers": approvers}
        return self._add("approval", name, fields, **given, on_timeout=on_timeout, on_reject=on_reject)

    def build(self) -> Workflow:
        """Return a workflow with an id of its own; InvalidWorkflowError has every fault."""
        made, found = examine(self._given())
        if made is None:
            raise InvalidWorkflowError("Workflow", found)
        return made

    def faults(self) -> list[WorkflowFault]:
        """Return what ``build`` would refuse; empty when it would not."""
        return examine(self._given())[1]

    def _given(self) -> dict[str, Any]:
        return {**self._fields, "steps": list(self._steps)}

    def _add(self, kind: str, name: str, fields: StepFields, **own: Any) -> Self:
        said = {key: value for key, value in {**fields, **own}.items() if value is not None}
        self._steps.append({"kind": kind, "name": name, **said})
        return self
