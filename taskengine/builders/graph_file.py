"""A graph of tasks in a file, JSON or YAML::

    name: nightly
    tasks:
      - name: fetch
        capability: download
        input: {url: "https://…"}
        timeout: 60
      - name: parse
        capability: lint
        depends_on: [fetch]
        priority: high

Fields are those of :class:`~taskengine.models.TaskCreateRequest`. ``depends_on`` names tasks of the file, or ids of
stored ones. The graph's name, if there is one, becomes the name of its run, and ``metadata.graph`` of each task, by
which lists find them.
Every fault is found, and each is told with its line, its field, and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from taskengine.builders.document import Document
from taskengine.core import graph
from taskengine.errors import CircularDependencyError, InvalidInputError
from taskengine.models import Task, TaskCreateRequest, TaskPriority

#: Fields of a task in a file.
_FIELDS = frozenset(TaskCreateRequest.model_fields)
_TOP = frozenset({"name", "tasks"})


@dataclass(frozen=True, slots=True)
class TaskGraph:
    """Tasks that can be submitted: ``api.create_tasks(graph.tasks, name=graph.name)``."""

    name: str | None
    tasks: tuple[Task, ...]
    #: Where each task stands: ``file:line``.
    places: Mapping[UUID, str]

    @property
    def parents(self) -> dict[str, list[str]]:
        """Ids of what each task waits for in this graph, in the order of the file."""
        order = {task.id: at for at, task in enumerate(self.tasks)}
        return {
            str(task.id): [str(id) for id in sorted((d for d in task.depends_on if d in order), key=order.__getitem__)]
            for task in self.tasks
        }

    @property
    def names(self) -> dict[str, str]:
        """Name of each task by its id."""
        return {str(task.id): task.name for task in self.tasks}


def load_graph(path: str | Path) -> TaskGraph:
    """Return the graph in a file; InvalidInputError names line and field of the first fault and says what to do."""
    return graph_of(Document.of(Path(path)))


def graph_of(document: Document) -> TaskGraph:
    """Return the graph in a document; InvalidInputError as :func:`load_graph`."""
    found, faults = examine(document)
    if found is None:
        raise faults[0]
    return found


def examine(document: Document) -> tuple[TaskGraph | None, Sequence[InvalidInputError]]:
    """Return the graph in a document, or None with every fault that was found."""
    return _Reading(document).graph()


@dataclass(slots=True)
class _Reading:
    document: Document
    faults: list[InvalidInputError] = field(default_factory=list)
    #: Name or id -> (id, its place in the list).
    _known: dict[str, tuple[UUID, int]] = field(default_factory=dict)

    def graph(self) -> tuple[TaskGraph | None, Sequence[InvalidInputError]]:
        name, entries = self._top()
        ids = [self._enter(at, entry) for at, entry in enumerate(entries)]
        tasks = [self._task(at, entry, id, name) for at, (entry, id) in enumerate(zip(entries, ids, strict=True))]
        whole = [task for task in tasks if task is not None]
        if self.faults or len(whole) < len(tasks):
            return None, self.faults
        places = {task.id: self.document.place("tasks", at) for at, task in enumerate(whole)}
        found = TaskGraph(name, tuple(whole), places)
        if cycle := graph.find_cycle(found.parents):
            names = [found.names[id] for id in cycle]
            return None, [CircularDependencyError(names, place=places[UUID(cycle[0])])]
        return found, ()

    def _top(self) -> tuple[str | None, list[Any]]:
        value = self.document.value
        if not isinstance(value, dict):
            self._fault((), "is no object; write 'tasks:' and a list of tasks", "tasks")
            return None, []
        for key in value.keys() - _TOP:
            self._fault((key,), f"unknown field {key!r:.80}{_meant(key, _TOP)}", key)
        name, entries = value.get("name"), value.get("tasks")
        if name is not None and (not isinstance(name, str) or not 0 < len(name) <= 500):
            self._fault(("name",), "name must be a text of 1 to 500 characters", "name")
            name = None
        if not isinstance(entries, list) or not entries:
            self._fault(("tasks",), "tasks must be a list with at least one task", "tasks")
            return name, []
        return name, entries

    def _enter(self, at: int, entry: Any) -> UUID:
        """Make a task known by its name and its id, before anybody refers to it."""
        id = uuid4()
        if not isinstance(entry, dict):
            self._fault(("tasks", at), f"tasks[{at}] is no object; write '- name: …'", "tasks")
            return id
        if (given := entry.get("id")) is not None:
            try:
                id = UUID(given)
            except (ValueError, TypeError, AttributeError):
                self._fault(("tasks", at, "id"), f"tasks[{at}]: id is {given!r:.60}, which is no UUID", "id")
        name = entry.get("name")
        if name is None and given is None:
            self._fault(("tasks", at), f"tasks[{at}] has no name; give it one, others refer to it by that", "name")
        for word, what in ((name, "name"), (str(id), "id")):
            if isinstance(word, str) and self._known.setdefault(word, (id, at))[1] != at:
                first = self.document.place("tasks", self._known[word][1])
                self._fault(
                    ("tasks", at, what), f"tasks[{at}]: {what} {word!r:.80} is used at {first} too; rename one", what
                )
        return id

    def _task(self, at: int, entry: Any, id: UUID, graph_name: str | None) -> Task | None:
        if not isinstance(entry, dict):
            return None
        before = len(self.faults)
        label = f"tasks[{at}] ({str(entry.get('name', id))[:80]})"
        for key in entry.keys() - _FIELDS:
            self._fault(("tasks", at, key), f"{label}: unknown field {key!r:.80}{_meant(key, _FIELDS)}", key)
        fields = {key: value for key, value in entry.items() if key in _FIELDS and value is not None}
        fields["id"] = id
        fields["depends_on"] = self._depends_on(at, label, fields.get("depends_on", []))
        fields["priority"] = self._priority(at, label, fields.get("priority", TaskPriority.NORMAL))
        if len(self.faults) > before:
            return None
        if graph_name is not None and isinstance(fields.get("metadata", {}), dict):
            fields["metadata"] = {"graph": graph_name, **fields.get("metadata", {})}
        try:
            return TaskCreateRequest(**fields).to_task()
        except CircularDependencyError as exc:
            self.faults.append(CircularDependencyError(exc.path, place=self.document.place("tasks", at, "depends_on")))
            return None
        except InvalidInputError as exc:
            name = str(exc.field or "").partition(".")[0]
            says = str(exc).removeprefix("TaskCreateRequest.").removeprefix("Task.")
            self._fault(("tasks", at, name), f"{label}: {says}", name)
            return None

    def _depends_on(self, at: int, label: str, given: Any) -> set[UUID]:
        found = set[UUID]()
        wanted = [given] if isinstance(given, str) else given
        if not isinstance(wanted, list) or not all(isinstance(each, str) for each in wanted):
            self._fault(("tasks", at, "depends_on"), f"{label}: depends_on must be a list of names", "depends_on")
            return found
        for each in wanted:
            if each in self._known:
                found.add(self._known[each][0])
                continue
            try:
                found.add(UUID(each))
            except ValueError:
                meant = _meant(each, self._known)
                says = f"{label}: depends_on names {each!r:.80}, which is no task of this file{meant}"
                self._fault(("tasks", at, "depends_on"), says, "depends_on")
        return found

    def _priority(self, at: int, label: str, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        if given.upper() in TaskPriority.__members__:
            return TaskPriority[given.upper()]
        names = ", ".join(each.lower() for each in TaskPriority.__members__)
        self._fault(("tasks", at, "priority"), f"{label}: priority is {given!r:.60}; use one of {names}", "priority")
        return TaskPriority.NORMAL

    def _fault(self, path: tuple[str | int, ...], says: str, name: str) -> None:
        self.faults.append(InvalidInputError(f"{self.document.place(*path)}: {says}", field=name))


def _meant(word: str, known: Any) -> str:
    near = get_close_matches(word, [each for each in known if len(each) < 100], 1) if len(word) < 100 else []
    return f"; did you mean {near[0]!r}?" if near else ""
