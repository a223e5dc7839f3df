"""Agents and their limits in a file, YAML or JSON::

    limits:
      anthropic: {in_flight: 300, requests_per_minute: 1000}
    agents:
      claude_agent_1:
        type: claude
        capabilities: [code_review, testing]
        secret: ANTHROPIC_API_KEY
        limits: [anthropic]
        max_concurrency: 200
        config: {max_turns: 10}

Fields are those of ``set_limit`` and ``register_agent``. Every fault is found, and each is told with its line, its
path, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from taskengine.agents.types import faults_of
from taskengine.builders.document import Document
from taskengine.errors import InvalidFleetError, InvalidInputError, WorkflowFault
from taskengine.models.agent import AgentRecord, Limit
from taskengine.models.definition import did_you_mean

#: What an agent of a file may have; the rest of a record is the engine's.
FIELDS = (
    "type", "capabilities", "executor", "max_concurrency", "resources", "limits", "secret", "config", "preference",
    "drain_seconds", "description",
)  # fmt: skip
#: What a limit may bound.
BOUNDS = tuple(name for name in Limit.model_fields if name != "name")
_PARTS = ("limits", "agents")
#: Depth to which lines are known: ``agents.NAME.config.KEY``.
_NOTED = 5
_Fault = tuple[tuple[str | int, ...], str]


@dataclass(frozen=True, slots=True)
class Fleet:
    """What a file says, in its order."""

    limits: list[Limit] = field(default_factory=list)
    agents: list[AgentRecord] = field(default_factory=list)


def load_fleet(path: str | Path) -> Fleet:
    """Return what a file says; InvalidFleetError has every fault with its line."""
    return fleet_of(fleet_document(path))


def fleet_document(path: str | Path) -> Document:
    """Return the document in a file; InvalidInputError when it is none."""
    return Document.of(Path(path), noted=_NOTED)


def fleet_of(document: Document) -> Fleet:
    """Return what a document says; InvalidFleetError as :func:`load_fleet`."""
    found = Fleet()
    faults = [WorkflowFault(path, says) for path, says in _examined(document.value, found)]
    if faults:
        raise InvalidFleetError(document.name, in_order(document, faults))
    return found


def in_order(document: Document, faults: list[WorkflowFault]) -> list[WorkflowFault]:
    """Return faults with their lines, in the order of these."""
    placed = [replace(fault, place=document.place(*fault.location)) for fault in faults]
    return sorted(placed, key=lambda fault: int(str(fault.place).rpartition(":")[2] or 0))


def _examined(value: Any, found: Fleet) -> Iterator[_Fault]:
    if not isinstance(value, dict) or not isinstance(value.get("agents", {}), dict) or not value:
        yield (), "holds no agents; write 'agents:' and below it each by its name, with 'type:' and 'capabilities:'"
        return
    for name in value:
        if name not in _PARTS:
            yield (name,), f"unknown field {name!r:.80}{did_you_mean(name, _PARTS)}"
    limits = value.get("limits", {})
    if not isinstance(limits, dict):
        yield ("limits",), "is no object; write each limit by its name, with 'in_flight:' or another bound"
        return
    for name, bounds in limits.items():
        for path, says in _limit(name, bounds, found):
            yield ("limits", name, *path), says
    for name, fields in value.get("agents", {}).items():
        for path, says in _agent(name, fields, found):
            yield ("agents", name, *path), says


def _limit(name: str, bounds: Any, found: Fleet) -> Iterator[_Fault]:
    if not isinstance(bounds, dict) or not bounds:
        yield (), f"bounds nothing; write one or more of {', '.join(BOUNDS)} below it"
        return
    unknown = [word for word in bounds if word not in BOUNDS]
    for word in unknown:
        yield (word,), f"unknown field {word!r:.80}{did_you_mean(word, BOUNDS)}"
    try:
        found.limits.append(Limit(name=name, **{word: bounds[word] for word in bounds if word not in unknown}))
    except InvalidInputError as exc:
        yield from _wrong(exc)


def _agent(name: str, fields: Any, found: Fleet) -> Iterator[_Fault]:
    if not isinstance(fields, dict):
        yield (), "is no object; write 'type:' and 'capabilities:' below it"
        return
    unknown = [word for word in fields if word not in FIELDS]
    for word in unknown:
        yield (word,), f"unknown field {word!r:.80}{did_you_mean(word, FIELDS)}"
    if isinstance(fields.get("limits"), dict):
        yield ("limits",), "is an object; write the limit below 'limits:' at the top of the file, and its name here"
        return
    try:
        record = AgentRecord(id=name, **_plain({word: fields[word] for word in fields if word not in unknown}))
    except InvalidInputError as exc:
        yield from _wrong(exc)
        return
    for path, says in faults_of(record):
        yield ("type",) if path == ("agent_type",) else path, says
    found.agents.append(record)


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """*fields* with one word where a list of words may stand."""
    listed = {name: [fields[name]] for name in ("capabilities", "limits") if isinstance(fields.get(name), str)}
    return {**fields, **listed}


def _wrong(exc: InvalidInputError) -> Iterator[_Fault]:
    if not isinstance(exc.__cause__, ValidationError):
        yield (), str(exc)
        return
    for each in exc.__cause__.errors():
        path = tuple(part for part in each["loc"] if part != "[key]")
        if path[:1] == ("secret",):  # it may be the secret itself
            yield path, "is no name of a secret; write the name, such as ANTHROPIC_API_KEY, never the value"
        elif path[:1] in {("id",), ("name",)}:
            yield (), "is no name; use 1 to 100 letters, digits, dots, dashes, of an agent also colons"
        elif each["type"] == "missing":
            yield (), f"has no {path[0]!r}; add it"
        else:
            yield path, f"{each['msg']}, got {each.get('input')!r:.80}"
