"""What a submitted task becomes before its first trip: one row of arguments for ``create`` and ``stage``.

The row is spelled in the header of the part that stores it (``-- row staged:``); here each of its fields has its value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taskengine.core.demand import amounts, to_words
from taskengine.core.order import score
from taskengine.errors import PayloadTooLargeError
from taskengine.models import Task, TriggerRule
from taskengine.models.depth import refuse_deep
from taskengine.settings import INLINE_LIMIT
from taskengine.store import scripts
from taskengine.store.call import Arg
from taskengine.store.codec import canonical, check_size, content, digest, dumps, may_be_deep, millis
from taskengine.store.fields import TaskField
from taskengine.store.verb import Row

#: What a client that says nothing of a task's duration sends.
_UNSAID = Task.model_fields["estimated_seconds"].default


@dataclass(frozen=True, slots=True)
class Record:
    """A task as the scripts store it."""

    id: str
    raw_id: bytes
    row: Row
    #: (key, JSON) of an input that lies by reference; it must be stored before the record.
    payload: tuple[str, str] | None


def record(task: Task, path_seconds: float, depends_on: Iterable[str] | None = None) -> Record:
    """Return the record of *task* whose longest path to the end takes *path_seconds*.

    Its content hash is made of what was asked for: name, dependencies and the other request fields that differ from
    their defaults, not the id, not the idempotency key, and not who asked.
    """
    on = " ".join(depends_on if depends_on is not None else sorted(map(str, task.depends_on)))
    return _record(task, str(task.id), task.id.bytes, task.name, content(task), on, path_seconds)


class Pattern:
    """What tasks have in common that differ in id, name, input and dependencies alone."""

    def __init__(self, task: Task) -> None:
        """Of one of them, whose input does not matter."""
        self.task = task
        self._body = content(task)
        self._body.pop("input", None)

    def record(self, id: str, name: str, input: Mapping[str, Any], on: str, path_seconds: float) -> Record:
        """Return the record of one of them; *on* are the ids of its dependencies, in order."""
        body = {**self._body, "input": input} if input else dict(self._body)
        return _record(self.task, id, bytes.fromhex(id.replace("-", "")), name, body, on, path_seconds)


def _record(
    task: Task, id: str, raw_id: bytes, name: str, body: dict[str, Any], on: str, path_seconds: float
) -> Record:
    text = _text(name, body)
    sha = digest(name, " ".join(sorted(on.split())), text)
    payload = None
    if check_size(f"task {name!r}: its fields together", text):
        given = dumps(body.pop("input", {}), "input")
        # Named by the input alone: as long as it does not change, an update of other fields leaves it where it is.
        payload = (f"{id}.{digest(given)}", given)
        text = canonical(body, "task")
        if len(text.encode()) > INLINE_LIMIT:
            raise PayloadTooLargeError(f"task {name!r}: its fields other than input", len(text), INLINE_LIMIT)
    text = text[:-1] + ("," if body else "") + f'"created_by":{dumps(task.created_by, "created_by")}}}'
    row: Row = {
        "id": id,
        "sha": sha,
        "key": digest(task.idempotency_key) if task.idempotency_key else "",
        "name": name,
        "doc": text,
        "on": on,
        "queue": task.queue,
        "score": score_of(task, path_seconds),
        "index": index_names(task),
        "hold": "1" if task.hold else "",
        "due": _or_empty(millis(task.scheduled_at)),
        "timeout": _or_empty(_ms(task.timeout)),
        "big": payload[0] if payload else "",
        "rare": _rare(task),
    }
    return Record(id, raw_id, row, payload)


def blank_row() -> Row:
    """Return a row that says nothing; each of its fields has its place in the header of the part that stores it."""
    return dict.fromkeys(scripts.signature("stage").row, "")


def _text(task: str, body: Mapping[str, Any]) -> str:
    text = canonical(body, f"task {task!r}")
    if may_be_deep(text):
        for name, value in body.items():
            refuse_deep(value, name, where=f"task {task!r}: ")
    return text


def _rare(task: Task) -> str:
    """Hash fields that only some tasks have, as words: name, value, …"""
    words = [] if task.trigger_rule is TriggerRule.ALL_SUCCESS else [TaskField.rule, task.trigger_rule.value]
    clocks = {
        "exp": millis(task.expires_at),
        "qt": _ms(task.queue_timeout),
        "hb": _ms(task.heartbeat_timeout),
        "tt": _ms(task.total_timeout),
    }
    set_clocks = [f"{name}={ms}" for name, ms in clocks.items() if ms is not None]
    if task.estimated_seconds != _UNSAID:
        words += [TaskField.estimate, str(_ms(task.estimated_seconds))]
    if task.max_total_tokens is not None:
        words += [TaskField.most_tokens, str(task.max_total_tokens), TaskField.extra, "1"]
    if task.resource_requirements:
        demand = to_words(amounts(task.resource_requirements, "resource_requirements", f"task {task.name!r}: "))
        words += [TaskField.demand, demand, TaskField.extra, "1"]
    return " ".join([*words, TaskField.clocks, ",".join(set_clocks)] if set_clocks else words)


def _ms(seconds: float | None) -> int | None:
    """At least one: 0 is no time at all in every script."""
    return None if seconds is None else max(1, round(seconds * 1000))


def graph_digest(tasks: Sequence[Task]) -> str:
    """Return what a graph is made of, in the order given: a task of its own is named by its place, not by its id."""
    places = {task.id: f"#{at}" for at, task in enumerate(tasks)}
    parts: list[str] = []
    for task in tasks:
        on = sorted(places.get(id) or str(id) for id in task.depends_on)
        text = _text(task.name, content(task))
        parts.append(digest(task.name, " ".join(on), task.idempotency_key or "", text))
    return digest(*parts)


def score_of(task: Task, path_seconds: float) -> int:
    """Return the task's place in its ready set."""
    deadline = task.deadline.timestamp() if task.deadline else None
    return score(int(task.priority), deadline, path_seconds * 1000)


def index_names(task: Task) -> str:
    """Return the list filters that find it, one a line; status is marked by the scripts."""
    names = [f"t:{task.task_type.value}", f"p:{int(task.priority)}", f"b:{task.created_by}"]
    if task.assigned_to:
        names.append(f"a:{task.assigned_to}")
    return "\n".join(name.replace("\n", " ") for name in names)


def _or_empty(value: int | None) -> Arg:
    return "" if value is None else value
