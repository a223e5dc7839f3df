"""What an agent sees of its execution (:class:`taskengine.agent.TaskContext`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol
from uuid import UUID

from taskengine.agent import Dependency
from taskengine.errors import AgentError, InvalidInputError, NoResultError, PayloadTooLargeError
from taskengine.models import LogLevel, Task, TaskStatus
from taskengine.settings import INLINE_LIMIT
from taskengine.store import executions, graph_nodes, tasks
from taskengine.store.call import Operation
from taskengine.store.codec import dumps, loads_object, moment, readable
from taskengine.store.fields import TaskField
from taskengine.store.keys import Keys
from taskengine.store.replies import Assignment
from taskengine.store.sync import SyncStore
from workers.binding import steps_read
from workers.log_buffer import LogStream
from workers.loop import is_on_shared_loop
from workers.outage_retry import retry_outage
from workers.plain import exact
from workers.prompt import Prompt
from workers.shared_store import SharedStore
from workers.stream_tail import StreamTail

#: The logger of lines that are pieces of a stream.
STREAM = "stream"
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
        self._large = assignment.large_inputs
        self._more = assignment.more_inputs
        self._are_named = not assignment.more_inputs
        self._dependencies: tuple[Dependency, ...] | None = None

    def __getitem__(self, name: str) -> dict[str, Any]:
        text = self._texts.get(self._names.get(str(name), str(name)))
        if text is not None:
            return _object(name, text)
        if self._names.get(str(name), str(name)) in self._large or self._more:
            refuse_on_loop(f"context.results[{name!r}] is fetched, which", f"await context.aio.result({name!r})")
        return retry_outage(lambda: self._store.run(self.read(str(name))), "output")

    def read(self, name: str) -> Operation[dict[str, Any]]:
        """Return one of them, fetched if it must be; as the index does, and with its errors."""
        id = yield from self._id_of(name)
        text = self._texts[id]
        if text is None:
            text = yield from executions.output(self._keys, id)
            if text is None:
                yield from self._refuse_open(id)
            text = self._texts[id] = text or "{}"
        return _object(name, text)

    def __iter__(self) -> Iterator[str]:
        self._run(self._fetch_ids)
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
            self._run(self._fetch_dependencies)
        return self._dependencies or ()

    def _run(self, ask: Callable[[], Operation[None]]) -> None:
        retry_outage(lambda: self._store.run(ask()), "read")

    def _fetch_dependencies(self) -> Operation[None]:
        yield from self._fetch_ids()
        found = yield from tasks.read(list(self._texts))
        self._dependencies = tuple(
            Dependency(one.id, one.name, one.status.value, one.error_message) for one in found if one is not None
        )

    def _refuse_open(self, id: str) -> Operation[None]:
        if self._dependencies is None:
            yield from self._fetch_dependencies()
        for one in self._dependencies or ():
            if str(one.id) == id and one.status not in _HAVE_RESULT:
                raise NoResultError(one.name, id, one.status, one.error)

    def _id_of(self, name: str) -> Operation[str]:
        for fetch in (self._fetch_ids, self._fetch_names):
            id = self._names.get(name, name)
            if id in self._texts:
                return id
            yield from fetch()
        id = self._names.get(name, name)
        if id not in self._texts:
            there = ", ".join(sorted(self._names)[:20]) or "none"
            raise KeyError(f"no dependency is called {name!r}; there are {there}")
        return id

    def _fetch_ids(self) -> Operation[None]:
        if self._more:
            found = yield from tasks.fields(self._keys, self._task, TaskField.depends_on)
            for id in (found[TaskField.depends_on] or "").split():
                self._texts.setdefault(id, None)
            self._more = False

    def _fetch_names(self) -> Operation[None]:
        if not self._are_named:
            for one in (yield from graph_nodes.graph_nodes(list(self._texts))):
                if one is not None:
                    self._names.setdefault(one.name, one.id)
            self._are_named = True


def refuse_on_loop(what: str, instead: str) -> None:
    """AgentError where *what*, which waits for the server, would hold up every coroutine agent of the process."""
    if is_on_shared_loop():
        raise AgentError(f"{what} would hold up all that runs on this loop; in a coroutine write: {instead}")


def _object(name: str, text: str) -> dict[str, Any]:
    try:
        return loads_object(text)
    except ValueError as exc:
        raise InvalidInputError(f"the result of {name!r} cannot be read: {exc}", field="results") from exc


class Here(Protocol):
    """The process that runs an execution, as far as its context asks it."""

    store: SyncStore
    #: For coroutines on the loop that all agents of the process share.
    shared_store: SharedStore

    def is_cancelled(self, execution: str) -> bool:
        """Return whether it should return; costs no trip."""

    def is_watched(self, execution: str) -> bool:
        """Return whether somebody follows what it says right now; costs no trip."""


class Context:
    """One execution, as its agent sees it. Made for each one, so what an agent may ask for is made when it asks."""

    def __init__(self, assignment: Assignment, here: Here, log_stream: LogStream, task: Task, raw: Task) -> None:
        self._assignment = assignment
        self._here = here
        self._store = here.store
        self._log_stream = log_stream
        self._task, self._raw = task, raw
        self._stream: StreamTail | None = None

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
        return self._here.is_cancelled(self._assignment.execution_id)

    @property
    def results(self) -> Mapping[str, dict[str, Any]]:
        """Outputs of the dependencies by name or id."""
        return self._results

    @cached_property
    def _results(self) -> Results:
        return Results(self._assignment, self._store)

    def result(self, name: str) -> Operation[dict[str, Any]]:
        """Return one of them, to be run by either driver."""
        return self._results.read(name)

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

    @cached_property
    def prompt(self) -> str:
        """What a model is told: the description with its values, those of other tasks fenced.

        It may fetch results: ask for it in a thread. ExpressionError where an expression has no value.
        """
        return Prompt(self._raw, self._task, self._assignment, self._results, lambda: self.steps).text

    def progress(self, fraction: float, note: str | None = None) -> None:
        """Say how far it is: 0 to 1, values beyond are cut; *note* is one line for people."""
        if not isinstance(fraction, int | float) or math.isnan(fraction):
            raise InvalidInputError(f"progress: fraction is {fraction!r:.80}; use 0 to 1", field="fraction")
        self._log_stream.log_buffer.progress(
            min(1.0, max(0.0, float(fraction))), readable(exact(str(note or ""))[:500])
        )

    def stream(self, text: str) -> None:
        """Show *text* to whoever follows the log right now; nobody else ever sees it, and it costs nothing."""
        if self._stream is None:
            execution = self._assignment.execution_id
            self._stream = StreamTail(lambda: self._here.is_watched(execution), self._show)
        self._stream.add(text)

    def end_stream(self) -> None:
        """Show the last of it."""
        if self._stream is not None:
            self._stream.flush(is_last=True)

    def _show(self, text: str) -> None:
        self._log_stream.log_buffer.add(LogLevel.INFO, text, logger=STREAM)

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
