"""What an agent sees of its execution (:class:`taskengine.agent.TaskContext`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from taskengine.agent import Dependency
from taskengine.errors import InvalidInputError, NoResultError, PayloadTooLargeError
from taskengine.models import LogLevel, TaskStatus
from taskengine.settings import INLINE_LIMIT
from taskengine.store import executions, graph_nodes, tasks
from taskengine.store.codec import dumps, loads_object, moment, readable
from taskengine.store.fields import TaskField
from taskengine.store.keys import Keys
from taskengine.store.replies import Assignment
from taskengine.store.sync import SyncStore
from workers.binding import steps_read
from workers.log_buffer import LogStream
from workers.outage_retry import retry_call, retry_outage
from workers.plain import exact

_HAVE_RESULT = frozenset({TaskStatus.COMPLETED.value})
_LEVELS = tuple(level.value for level in LogLevel)


class Results(Mapping[str, dict[str, Any]]):
    """Outputs of the dependencies, by name and by id: small ones came with the claim, others are fetched when asked.

    Iterating gives the ids of those that have one. A name that two dependencies share means the first; ask by id for
    the others. A server that is away is waited for: its outage is no failure of the agent.
    """

    def __init__(self, assignment: Assignment, store: SyncStore) -> None:
        self._store = store
        self._keys = Keys(store.settings.namespace)
        self._task = assignment.task_id
        self._texts = {id: text for id, _, text in assignment.inputs}
        self._names = {name: id for id, name, _ in reversed(assignment.inputs)}
        self._more = assignment.more_inputs
        self._are_named = not assignment.more_inputs
        self._dependencies: tuple[Dependency, ...] | None = None

    def __getitem__(self, name: str) -> dict[str, Any]:
        id = self._id_of(str(name))
        text = self._texts[id]
        if text is None:
            found = retry_outage(lambda: self._store.run(executions.output(self._keys, id)), "output")
            if found is None:
                self._refuse_open(id)
            text = self._texts[id] = found or "{}"
        try:
            return loads_object(text)
        except ValueError as exc:
            raise InvalidInputError(f"the result of {name!r} cannot be read: {exc}", field="results") from exc

    def __iter__(self) -> Iterator[str]:
        self._fetch_ids()
        if None not in self._texts.values():
            return iter(tuple(self._texts))
        done = {str(one.id) for one in self.dependencies if one.status in _HAVE_RESULT}
        return iter([id for id, text in self._texts.items() if text is not None or id in done])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        """How each dependency ended."""
        if self._dependencies is None:
            self._fetch_ids()
            ids = list(self._texts)
            found = retry_outage(lambda: self._store.run(tasks.read(ids)), "read")
            self._dependencies = tuple(
                Dependency(one.id, one.name, one.status.value, one.error_message) for one in found if one is not None
            )
        return self._dependencies

    def _refuse_open(self, id: str) -> None:
        for one in self.dependencies:
            if str(one.id) == id and one.status not in _HAVE_RESULT:
                raise NoResultError(one.name, id, one.status, one.error)

    def _id_of(self, name: str) -> str:
        for fetch in (self._fetch_ids, self._fetch_names):
            id = self._names.get(name, name)
            if id in self._texts:
                return id
            fetch()
        id = self._names.get(name, name)
        if id not in self._texts:
            there = ", ".join(sorted(self._names)[:20]) or "none"
            raise KeyError(f"no dependency is called {name!r}; there are {there}")
        return id

    def _fetch_ids(self) -> None:
        if self._more:
            self._more = False
            found = retry_call(self._store, tasks.fields(self._keys, self._task, TaskField.depends_on))
            for id in (found[TaskField.depends_on] or "").split():
                self._texts.setdefault(id, None)

    def _fetch_names(self) -> None:
        if not self._are_named:
            self._are_named = True
            for one in retry_outage(
                lambda: self._store.run(graph_nodes.graph_nodes(list(self._texts))), "read_graph_nodes"
            ):
                if one is not None:
                    self._names.setdefault(one.name, one.id)


class Context:
    """One execution, as its agent sees it."""

    def __init__(
        self, assignment: Assignment, store: SyncStore, cancelled: Callable[[], bool], log_stream: LogStream
    ) -> None:
        self._assignment = assignment
        self._cancelled = cancelled
        self._log_stream = log_stream
        self._results = Results(assignment, store)
        self._store = store

    @property
    def execution_id(self) -> UUID:
        """The execution that this run is."""
        return UUID(self._assignment.execution_id)

    @property
    def run_id(self) -> UUID:
        """The run of its task."""
        return UUID(self._assignment.run_id)

    @property
    def attempt(self) -> int:
        """1 for the first attempt."""
        return self._assignment.attempt

    @property
    def deadline(self) -> datetime | None:
        """When this attempt is ended as timed out."""
        return moment(self._assignment.deadline_ms)

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to cancel, or the attempt is over; clean up and return. Costs no trip."""
        return self._cancelled()

    @property
    def results(self) -> Mapping[str, dict[str, Any]]:
        """Outputs of the dependencies by name or id."""
        return self._results

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        """How each dependency ended; read when it is first asked for."""
        return self._results.dependencies

    @cached_property
    def steps(self) -> Mapping[str, Any]:
        """What its template reads of other steps of its workflow."""
        keys = Keys(self._store.settings.namespace)
        return steps_read(
            self._assignment, lambda id: retry_outage(lambda: self._store.run(executions.output(keys, id)), "output")
        )

    def progress(self, fraction: float, note: str | None = None) -> None:
        """Say how far it is: 0 to 1, values beyond are cut; *note* is one line for people."""
        if not isinstance(fraction, int | float) or math.isnan(fraction):
            raise InvalidInputError(f"progress: fraction is {fraction!r:.80}; use 0 to 1", field="fraction")
        self._log_stream.log_buffer.progress(
            min(1.0, max(0.0, float(fraction))), readable(exact(str(note or ""))[:500])
        )

    def log(self, message: str, level: str = "info", **metadata: Any) -> None:
        """Add a line to the execution's log; the newest lines are kept.

        *metadata* is JSON of at most 256 KiB.
        """
        if level not in _LEVELS:
            raise InvalidInputError(f"log: level is {level!r:.80}; use {', '.join(_LEVELS)}", field="level")
        size = len(dumps(metadata, "log: metadata").encode()) if metadata else 0
        if size > INLINE_LIMIT:
            raise PayloadTooLargeError("log: metadata", size, INLINE_LIMIT)
        self._log_stream.log_buffer.add(LogLevel(level), exact(str(message)), metadata=metadata)
