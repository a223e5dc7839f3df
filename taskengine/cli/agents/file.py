"""``taskengine agents apply``: the agents of a file, registered."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType

from taskengine.api.operations.agents import CHANGEABLE
from taskengine.builders.fleet_file import fleet_document, fleet_of, in_order
from taskengine.cli.guide import command
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.place import submitting
from taskengine.cli.text import plain
from taskengine.errors import InvalidFleetError, WorkflowFault
from taskengine.models.agent import AgentRecord

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class _Difference:
    """What applying an agent of the file does."""

    id: str
    #: ``new``, ``changed`` or ``same``.
    what: str
    #: Field -> as it is and as it will be; the first is None for a new agent.
    fields: Mapping[str, tuple[Any, Any]]

    @property
    def as_json(self) -> dict[str, Any]:
        changes = {name: {"from": old, "to": new} for name, (old, new) in self.fields.items()}
        return {"id": self.id, "what": self.what, "changes": changes}

    def __str__(self) -> str:
        sign = {"new": "+", "changed": "~", "same": "="}[self.what]
        shown = "".join(f"\n    {name}: {_change(self.what, *pair)}" for name, pair in self.fields.items())
        return f"{sign} {self.id}{shown}"


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
    """Register the agents of a file; those that stand in it already as they are stay untouched.

    Fields that an agent of the file leaves out are the defaults. All faults of the file are told at once, each with its
    line, and then nothing is changed. Agents that are not in the file stay; they are named.
    """
    document = fleet_document(file)
    wanted = fleet_of(document)
    with submitting() as api:
        known = {info.record.id: info.record for info in api.list_agents()}
        faults = [fault for record in wanted for fault in _conflict(record, known.get(record.id))]
        if faults:
            raise InvalidFleetError(document.name, in_order(document, faults))
        found = [_difference(record, known.get(record.id)) for record in wanted]
        for record, difference in zip(wanted, found, strict=True):
            if difference.what != "same" and not dry_run:
                fields = {name: getattr(record, name) for name in CHANGEABLE if name != "capabilities"}
                api.register_agent(record.id, record.type, record.capabilities, **fields)
    others = sorted(name for name in known.keys() - {r.id for r in wanted} if known[name].origin == "api")
    data = {"dry_run": dry_run, "agents": [each.as_json for each in found], "others": others}
    answer(data, _shown(found, others, dry_run=dry_run))


def _conflict(record: AgentRecord, known: AgentRecord | None) -> Sequence[WorkflowFault]:
    if known is None or known.origin != "api" or known.type == record.type:
        return ()
    says = f"is registered as {known.type!r} and cannot become {record.type!r}; take another name, or remove it first"
    return (WorkflowFault(("agents", record.id, "type"), says),)


def _difference(record: AgentRecord, known: AgentRecord | None) -> _Difference:
    new = _fields(record)
    if known is None:
        return _Difference(record.id, "new", {name: (None, value) for name, value in new.items() if value})
    old = _fields(known) | {"origin": known.origin}
    new["origin"] = "api"
    changes = {name: (old[name], new[name]) for name in new if old[name] != new[name]}
    return _Difference(record.id, "changed" if changes else "same", changes)


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
