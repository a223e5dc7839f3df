"""A step's template with its values put in, before a worker has its task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from taskengine.core.bindings import Bindings
from taskengine.core.prompt import Fences, made_of
from taskengine.core.refs import references_in
from taskengine.core.steps.rows import PromptBinding
from taskengine.core.templates import bind
from taskengine.models.task_template import holds_template


def put_in(template: Mapping[str, JsonValue], bindings: Bindings) -> tuple[dict[str, Any], PromptBinding | None]:
    """Return the fields of a task, and of what its description was made when that was a template.

    ExpressionError where one has no value. A description may read the input, as it is then.
    """
    early = {name: value for name, value in template.items() if name != "description"}
    made = bind(early, bindings)
    assert isinstance(made, dict)
    described = template.get("description")
    if not isinstance(described, str) or not holds_template(described):
        return made if described is None else {**made, "description": described}, None
    given, source = made.get("input"), template.get("input")
    seen = bindings.with_input(given if isinstance(given, dict) else {})
    made["description"] = bind(described, seen)
    wanted = [ref for ref in references_in(described) if ref.root != "input"]
    values = seen.seen(wanted)
    made_by = made_of(source, Fences("")) if isinstance(source, dict) else {"*": "input"} if source is not None else {}
    return made, PromptBinding(described, values, made_by)
