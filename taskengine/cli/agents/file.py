"""``taskengine agents apply``: the limits and agents of a file, set and registered."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType

from taskengine.api import BlockingTaskAPI
from taskengine.api.operations.agent_fields import CHANGEABLE
from taskengine.builders.fleet_file import BOUNDS, Fleet, fleet_document, fleet_of, in_order
from taskengine.cli.guide import command
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.place import submitting
from taskengine.cli.text import plain
from taskengine.errors import InvalidFleetError, WorkflowFault
from taskengine.models.agent import AgentRecord, Limit

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class _Difference:
    """What applying an agent or a limit of the file does."""

    kind: str
    id: str
    #: ``new``, ``changed`` or ``same``.
    what: str
    #: Field -> as it is and as it will be; the first is None for a new agent.
    fields: Mapping[str, tuple[Any, Any]]

    @property
    def is_one(self) -> bool:
        """Whether anything changes."""
        return self.what != "same"

    @property
    def as_json(self) -> dict[str, Any]:
        changes = {name: {"from": old, "to": new} for name, (old, new) in self.fields.items()}
        return {"kind": self.kind, "id": self.id, "what": self.what, "changes": changes}

    def __str__(self) -> str:
        sign = {"new": "+", "changed": "~", "same": "="}[self.what]
        shown = "".join(f"\n    {name}: {_change(self.what, *pair)}" for name, pair in self.fields.items())
        return f"{sign} {self.kind} {self.id}{shown}"


@command(
    app,
    "taskengine agents apply fleet.yaml --dry-run   what would change",
    "taskengine agents apply fleet.yaml",
    "taskengine agents apply fleet.yaml --dry-run -o json | jq '.agents[] | select(.what != \"same\")'",
)
def apply(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="YAML, or JSON: agents by name, each with its fields.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    output: OutputOption = None,
) -> None:
    """Set the limits and register the agents of a file; what is there already as the file says stays untouched.

    What an agent of the file leaves out is the default. All faults of the file are told at once, each with its line,
    and then nothing is changed. Agents that are not in the file stay; they are named.
    """
    document = fleet_document(file)
    wanted = fleet_of(document)
    with submitting() as api:
        agents = {info.record.id: info.record for info in api.list_agents()}
        limits = {info.limit.name: info.limit for info in api.list_limits()}
        if faults := [*_conflicts(wanted, agents), *_unset(wanted, limits)]:
            raise InvalidFleetError(document.name, in_order(document, faults))
        of_limits = [_limit_difference(limit, limits.get(limit.name)) for limit in wanted.limits]
        of_agents = [_difference(record, agents.get(record.id)) for record in wanted.agents]
        if not dry_run:
            _apply(api, wanted, {each.id for each in of_limits if each.is_one}, {e.id for e in of_agents if e.is_one})
    others = sorted(name for name in agents.keys() - {r.id for r in wanted.agents} if agents[name].origin == "api")
    data = {
        "dry_run": dry_run, "limits": [each.as_json for each in of_limits],
        "agents": [each.as_json for each in of_agents], "others": others,
    }  # fmt: skip
    answer(data, _shown([*of_limits, *of_agents], others, dry_run=dry_run))


def _apply(api: BlockingTaskAPI, wanted: Fleet, limits: Container[str], agents: Container[str]) -> None:
    """Set and register what differs; limits first, for agents name them."""
    for limit in wanted.limits:
        if limit.name in limits:
            api.set_limit(limit.name, **{name: getattr(limit, name) for name in BOUNDS})
    for record in wanted.agents:
        if record.id in agents:
            fields = {name: getattr(record, name) for name in CHANGEABLE if name != "capabilities"}
            api.register_agent(record.id, record.type, record.capabilities, **fields)


def _conflicts(wanted: Fleet, known: Mapping[str, AgentRecord]) -> Iterator[WorkflowFault]:
    for record in wanted.agents:
        there = known.get(record.id)
        if there is not None and there.origin == "api" and there.type != record.type:
            says = f"is registered as {there.type!r} and cannot become {record.type!r}; take another name, or remove it"
            yield WorkflowFault(("agents", record.id, "type"), f"{says} first")


def _unset(wanted: Fleet, known: Container[str]) -> Iterator[WorkflowFault]:
    """Limits that agents name and nobody sets."""
    set_here = {limit.name for limit in wanted.limits}
    for record in wanted.agents:
        for name in record.limits:
            if name not in set_here and name not in known:
                says = f"there is no limit {name!r}; write it below 'limits:', or set it: taskengine agents limits set"
                yield WorkflowFault(("agents", record.id, "limits"), f"{says} {name}")


def _limit_difference(limit: Limit, known: Limit | None) -> _Difference:
    new = limit.model_dump(include=set(BOUNDS))
    if known is None:
        return _Difference("limit", limit.name, "new", {name: (None, value) for name, value in new.items() if value})
    old = known.model_dump(include=set(BOUNDS))
    changes = {name: (old[name], new[name]) for name in new if old[name] != new[name]}
    return _Difference("limit", limit.name, "changed" if changes else "same", changes)


def _difference(record: AgentRecord, known: AgentRecord | None) -> _Difference:
    new = _fields(record)
    if known is None:
        return _Difference("agent", record.id, "new", {name: (None, value) for name, value in new.items() if value})
    old = _fields(known) | {"origin": known.origin}
    new["origin"] = "api"
    changes = {name: (old[name], new[name]) for name in new if old[name] != new[name]}
    return _Difference("agent", record.id, "changed" if changes else "same", changes)


def _fields(record: AgentRecord) -> dict[str, Any]:
    found = record.model_dump(mode="json", include={"type", *CHANGEABLE})
    found["capabilities"] = sorted(found["capabilities"])
    return {name: found[name] for name in ("type", *CHANGEABLE)}


def _change(what: str, old: Any, new: Any) -> str:
    return _word(new) if what == "new" else f"{_word(old)} → {_word(new)}"


def _word(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value in (None, "", {}) else str(value)


def _shown(found: Sequence[_Difference], others: Sequence[str], *, dry_run: bool) -> RenderableType:
    counts = {what: sum(each.what == what for each in found) for what in ("new", "changed", "same")}
    would = "would be " if dry_run else ""
    last = f"{counts['new']} {would}new, {counts['changed']} {would}changed, {counts['same']} as they are"
    beside = [plain(f"not in the file: {', '.join(others)}")] if others else []
    return Group(*(plain(str(each)) for each in found), *beside, plain(last))
