"""``taskengine agents register``, ``update`` and ``remove``."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from taskengine.api.operations.agent_fields import CHANGEABLE
from taskengine.cli.agents.options import (
    Able,
    Capability,
    Config,
    Description,
    DrainSeconds,
    Executor,
    Id,
    IfRevision,
    Limit,
    MaxConcurrency,
    NewId,
    Preference,
    Resource,
    Secret,
    Type,
    Unset,
)
from taskengine.cli.agents.view import as_json, line
from taskengine.cli.guide import command
from taskengine.cli.output import OutputOption, answer, split
from taskengine.cli.place import asking, submitting
from taskengine.cli.task.values import arguments
from taskengine.cli.text import plain
from taskengine.errors import InvalidInputError
from taskengine.models.agent import AgentInfo, AgentRecord

app = typer.Typer()

#: What a field is again when it is unset.
_DEFAULTS = {
    name: field.get_default(call_default_factory=True)
    for name, field in AgentRecord.model_fields.items()
    if name in CHANGEABLE and name != "capabilities"
}


@command(
    app,
    "taskengine agents register claude_agent_1 claude code_review testing --secret ANTHROPIC_API_KEY",
    "taskengine agents register codegen_agent codegen code_generation --executor my_agents:codegen_executor",
    'taskengine agents register fixer http code_generation --config \'{"url": "https://fix.example/run"}\'',
)
def register(
    id: NewId,
    type: Type,
    capabilities: Able,
    executor: Executor = None,
    max_concurrency: MaxConcurrency = None,
    resource: Resource = None,
    limit: Limit = None,
    secret: Secret = None,
    config: Config = None,
    preference: Preference = None,
    drain_seconds: DrainSeconds = None,
    description: Description = None,
    output: OutputOption = None,
) -> None:
    """Register an agent, or give it this content; the same again changes nothing.

    Its workers are started apart: taskengine worker --agent ID.
    """
    fields = _given(executor, max_concurrency, resource, limit, secret, config, preference, drain_seconds, description)
    with submitting() as api:
        info = api.register_agent(id, type, split(capabilities), **fields)
    _answer(info, "registered")


@command(
    app,
    "taskengine agents update claude_agent_1 --max-concurrency 50",
    "taskengine agents update claude_agent_1 -C code_review -C testing --if-revision 3",
    "taskengine agents update claude_agent_1 --unset max_concurrency",
)
def update(
    id: Id,
    capability: Capability = None,
    executor: Executor = None,
    max_concurrency: MaxConcurrency = None,
    resource: Resource = None,
    limit: Limit = None,
    secret: Secret = None,
    config: Config = None,
    preference: Preference = None,
    drain_seconds: DrainSeconds = None,
    description: Description = None,
    unset: Unset = None,
    if_revision: IfRevision = None,
    output: OutputOption = None,
) -> None:
    """Change some fields of an agent; running workers follow its capabilities and limits within a beat."""
    fields = _given(executor, max_concurrency, resource, limit, secret, config, preference, drain_seconds, description)
    if capability:
        fields["capabilities"] = split(capability)
    for name in (word.replace("-", "_") for word in split(unset)):
        if name not in _DEFAULTS:
            raise InvalidInputError(f"--unset {name}: no such field; name one of {', '.join(_DEFAULTS)}", field="unset")
        fields[name] = _DEFAULTS[name]
    with asking() as api:
        info = api.update_agent(id, if_revision=if_revision, **fields)
    _answer(info, "changed")


@command(app, "taskengine agents remove claude_agent_1", "taskengine agents remove claude_agent_1 --cascade")
def remove(
    id: Id,
    cascade: Annotated[
        bool, typer.Option("--cascade", help="Drain it first, and leave tasks that name it waiting.")
    ] = False,
    output: OutputOption = None,
) -> None:
    """Unregister an agent that no worker serves and no open task names."""
    with asking() as api:
        api.unregister_agent(id, cascade)
    answer({"id": id, "removed": True}, plain(f"{id} is not registered any more"))


def _answer(info: AgentInfo, done: str) -> None:
    answer(as_json(info), plain(f"{done}, revision {info.record.revision}\n").append_text(line(info)))


def _given(
    executor: str | None, max_concurrency: int | None, resource: Sequence[str] | None, limit: Sequence[str] | None,
    secret: str | None, config: str | None, preference: int | None, drain_seconds: float | None,
    description: str | None,
) -> dict[str, Any]:  # fmt: skip
    """Return what options mean to the API; those that were not given are left out."""
    given = {
        "executor": executor, "max_concurrency": max_concurrency, "resources": _resources(resource) or None,
        "limits": split(limit) or None, "secret": secret,
        "config": None if config is None else arguments(config, "--config"),
        "preference": preference, "drain_seconds": drain_seconds, "description": description,
    }  # fmt: skip
    return {name: value for name, value in given.items() if value is not None}


def _resources(pairs: Sequence[str] | None) -> dict[str, float]:
    found = {}
    for pair in split(pairs):
        name, _, number = pair.partition("=")
        try:
            found[name] = float(number)
        except ValueError as exc:
            raise InvalidInputError(
                f"--resource {pair}: write NAME=NUMBER, such as memory_gb=2", field="resource"
            ) from exc
    return found
