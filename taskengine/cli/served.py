"""What ``up`` says of its agents once they work: which serves what, and how a model takes a built-in one's place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from taskengine.core import remedy

#: The secret of the agent type claude, and what it is asked to do where it is there.
_KEY, _OF_MODELS = "ANTHROPIC_API_KEY", ("code_generation", "code_review")
_CODEGEN = "taskengine agents register codegen_agent codegen code_generation --config '{\"org_id\": NUMBER}'"


def served_lines(workers: Iterable[Mapping[str, Any]], environment: Mapping[str, str]) -> list[str]:
    """Return a line on who serves what on these workers, and one on how that is changed."""
    serves = {queue: agent for worker in workers for queue, agent in worker["serves"].items() if queue[:1] != "@"}
    by = ", ".join(f"{queue} by {agent}" for queue, agent in sorted(serves.items()))
    model = remedy.register_model(" ".join(_OF_MODELS))
    start = "taskengine worker --agent claude_agent_1"
    if environment.get(_KEY):
        how = f"{_KEY} is set; to let Claude write and review code: {model} && {start}"
    else:
        how = f"a model in the place of one: {model} && {start}, or {_CODEGEN}"
    return [f"served: {by or 'nothing'}", how]
