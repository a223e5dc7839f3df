"""Tasks and executions as people and programs see them; other nouns show them as well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from taskengine.cli.output import clean
from taskengine.cli.place import nothing
from taskengine.cli.text import first_line, json_text, moment, offered, plain, result_text, status
from taskengine.models import Explanation, Task, TaskExecution, TaskPriority, TaskStatus, TriggerRule
from taskengine.models.question import Question

_CANCELLED = frozenset({TaskStatus.CANCELLED})
#: Lines of a log shown on the screen.
_LOG_LINES = 20


def as_json(task: Task) -> dict[str, Any]:
    """Return the task for programs; its priority by name."""
    return {**task.model_dump(mode="json"), "priority": task.priority.name.lower()}


def table(tasks: Iterable[Task], cursor: str | None) -> RenderableType:
    """Return a table of tasks, one row each."""
    found = Table(box=None, pad_edge=False, header_style="bold")
    found.add_column("ID", no_wrap=True, min_width=36)
    for heading in ("Name", "Status", "Capability", "Priority", "Attempts", "Created", "Why"):
        found.add_column(heading, overflow="fold", justify="right" if heading == "Attempts" else "left")
    for task in tasks:
        found.add_row(*_row(task))
    if not found.row_count:
        return nothing("no task")
    return Group(found, Text(f"more: --cursor {cursor}", style="dim")) if cursor else found


def _row(task: Task) -> Iterator[Text]:
    yield Text(str(task.id))
    yield plain(task.name)
    yield status(task.status.value)
    yield offered(task)
    yield Text(task.priority.name.lower(), style="bold" if task.priority > TaskPriority.NORMAL else "")
    yield Text(str(task.attempt))
    yield Text(moment(task.created_at))
    yield plain(first_line(why(task)))


def explained(found: Explanation) -> RenderableType:
    """Return the headline, and the other facts below it."""
    others = [plain(f"- {fact.text}") for fact in found.facts[1:]]
    return Group(plain(found.headline), *others)


def whole(task: Task, executions: Sequence[TaskExecution]) -> RenderableType:
    """Everything about one task."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _facts(task):
        facts.add_row(name, value)
    parts: list[RenderableType] = [facts]
    if executions:
        parts += ["", Text("Executions", style="bold"), executions_table(executions)]
        parts += [*_traceback(executions), *_logs(executions[-1])]
    return Group(*parts)


def _facts(task: Task) -> Iterator[tuple[str, Text]]:
    yield "id", Text(str(task.id))
    yield "name", plain(task.name)
    yield "status", status(task.status.value)
    if why(task):
        yield "why", plain(why(task))
    if task.question is not None:
        yield from _question(task.question)
    yield "type", Text(task.task_type.value)
    yield "capability", plain(str(task.capability))
    if task.description:
        yield "description" + (" (template)" if task.template else ""), plain(task.description)
    if task.assigned_to:
        yield "assigned to", plain(task.assigned_to)
    yield "priority", Text(task.priority.name.lower())
    yield "retries", Text(f"{task.retry_count} of {task.max_retries}, {task.lost_count} workers lost")
    yield "created", plain(f"{moment(task.created_at)} by {task.created_by}")
    for name, at in (
        ("not before", task.scheduled_at),
        ("expires", task.expires_at),
        ("deadline", task.deadline),
        ("at risk since", task.deadline_at_risk_since),
        ("started", task.started_at),
        ("ended", task.completed_at),
        ("next attempt", task.next_attempt_at),
    ):
        if at is not None:
            yield name, Text(moment(at))
    yield "run", Text(str(task.run_id))
    if task.depends_on:
        yield "depends on", Text("\n".join(sorted(map(str, task.depends_on))))
    if task.trigger_rule is not TriggerRule.ALL_SUCCESS:
        yield "starts when", Text(task.trigger_rule.value)
    for name in ("timeout", "queue_timeout", "heartbeat_timeout", "total_timeout"):
        seconds = getattr(task, name)
        if seconds is not None:
            yield name.replace("_", " "), Text(f"{seconds:g} s")
    if task.max_total_tokens is not None:
        yield "tokens", Text(f"{task.max_total_tokens:,} at most")
    schema = ("output schema", task.output_schema or {})
    for name, value in (("metadata", task.metadata), ("input", task.input), schema):
        if value:
            yield name, json_text(value)
    if task.result:
        yield "result", result_text(task.result)


def _question(question: Question) -> Iterator[tuple[str, Text]]:
    yield "asks", plain(f"{question.text}\n(question {question.id}, since {moment(question.asked_at)})")
    if question.options:
        yield "options", plain("\n".join(question.options))
    if question.answer_schema is not None:
        yield "form", json_text(question.answer_schema)


def executions_table(executions: Sequence[TaskExecution]) -> Table:
    """Return a table of attempts, one row each, the oldest first."""
    found = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Attempt", "Status", "Agent", "Node", "Started", "Seconds", "MiB", "Error"):
        found.add_column(heading, overflow="fold")
    for each in executions:
        found.add_row(
            Text(str(each.attempt)),
            status(each.status.value),
            plain(each.executor_id or ""),
            plain(_where(each)),
            Text(moment(each.started_at)),
            Text("" if each.duration_seconds is None else f"{each.duration_seconds:.2f}"),
            Text("" if each.resource_usage.memory_mb is None else f"{each.resource_usage.memory_mb:.0f}"),
            plain(_error(each)),
        )
    return found


def _where(execution: TaskExecution) -> str:
    if execution.is_detached:
        known = execution.reference or {}
        return f"at {known.get('type') or 'its service'} {known.get('id') or ''}".rstrip()
    return (execution.node or "") + (f" pid {execution.pid}" if execution.pid else "")


def _error(execution: TaskExecution) -> str:
    kind = f"{execution.error_kind}: " if execution.error_kind else ""
    late = " (a late result is kept)" if _has_late_result(execution) else ""
    return f"{kind}{execution.error_message}{late}" if execution.error_message else late.strip()


def _has_late_result(execution: TaskExecution) -> bool:
    """Return whether something came late that nobody knows yet: that an agent was cancelled is what its worker did to
    it.
    """
    late = execution.late_outcome or {}
    return late.get("output") is not None or late.get("disposition") not in {None, TaskStatus.CANCELLED}


def _traceback(executions: Sequence[TaskExecution]) -> Iterator[RenderableType]:
    for each in reversed(executions):
        if each.traceback:
            yield ""
            yield Text(f"Traceback of attempt {each.attempt}", style="bold")
            yield plain(each.traceback.rstrip())
            return


def _logs(execution: TaskExecution) -> Iterator[RenderableType]:
    if execution.progress is not None:
        yield plain(f"progress {execution.progress:.0%} {execution.progress_note or ''}")
    if execution.logs:
        yield ""
        yield Text("Log of the latest", style="bold")
    for line in execution.logs[-_LOG_LINES:]:
        yield plain(f"{moment(line.timestamp)} {line.level.value:<7} {line.message}")


def ending(task: Task) -> RenderableType:
    """Return how a task ended, with its result."""
    head = Text.assemble(f"{task.id} ", status(task.status.value))
    if why(task):
        head.append(f": {clean(why(task))}")
    return Group(head, result_text(task.result)) if task.result else head


def why(task: Task) -> str:
    """Why it stands where it stands; a cancel has its own reason, whatever an attempt before it said."""
    said = (task.reason, task.error_message) if task.status in _CANCELLED else (task.error_message, task.reason)
    return said[0] or said[1] or ""
