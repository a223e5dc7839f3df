"""Requests as a stranger would send them first: what ``/docs`` fills in where it would else make up every field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.openapi.models import Example

_PARSE, _CHECK = "6f1f4c3e-58a4-4a8e-9d1b-3f3c1f1f0a01", "6f1f4c3e-58a4-4a8e-9d1b-3f3c1f1f0a02"


def _examples(**found: Any) -> dict[str, Example]:
    return {name: Example(summary=name.replace("_", " "), value=value) for name, value in found.items()}


#: Of each row.
EXAMPLES: Mapping[str, dict[str, Example]] = {
    "create_task": _examples(
        a_task={"name": "parse", "capability": "lint", "input": {"path": "a.py"}},
        with_limits={
            "capability": "lint", "input": {"path": "a.py"}, "priority": "high", "timeout": 60, "max_retries": 1,
        },
    ),
    "create_tasks": _examples(
        a_graph_whose_ids_its_maker_chose={
            "name": "two files",
            "tasks": [
                {"id": _PARSE, "name": "parse", "capability": "lint"},
                {"id": _CHECK, "name": "check", "capability": "lint", "depends_on": [_PARSE]},
            ],
        }
    ),
    "get_tasks": _examples(two={"task_ids": [_PARSE, _CHECK]}),
    "wait": _examples(ten_seconds={"task_ids": [_PARSE, _CHECK], "timeout": 10}),
    "wait_run": _examples(ten_seconds={"timeout": 10}),
    "execute_task": _examples(start_it={}, wait_for_it={"wait": True, "timeout": 10}),
    "update_task": _examples(hurry={"priority": "critical"}),
    "cancel_task": _examples(why={"reason": "not needed any more"}),
    "cancel_tasks": _examples(
        count_them={"capability": "lint", "status": "ready", "dry_run": True},
        do_it={"capability": "lint", "status": "ready", "reason": "not needed any more"},
    ),
    "retry_tasks": _examples(count_them={"error_kind": "timeout", "dry_run": True}),
    "pause": _examples(a_queue={"capability": "lint", "reason": "deploy 42", "until": "2100-01-31T12:00:00Z"}),
    "resume": _examples(a_queue={"capability": "lint"}),
    "start_workflow": _examples(one_that_is_registered={"workflow": "sums", "context": {"x": 3}}),
    "create_key": _examples(for_a_program={"name": "ci", "scope": "submit", "rate": 600}),
}  # fmt: skip
