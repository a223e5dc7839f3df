"""What an agent sees of its execution (:class:`taskengine.agent.TaskContext`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from taskengine.models import ExecutionLog, LogLevel
from taskengine.store import executions, tasks
from taskengine.store.codec import dumps, loads, moment
from taskengine.store.executions import MAX_LOG_LINES
from taskengine.store.keys import Keys
from taskengine.store.replies import Told
from taskengine.store.sync import SyncStore

__all__ = ["MAX_LOG_LINES", "Context", "Results"]

#: Characters kept of one log line.
LOG_LIMIT = 64 * 1024


class Results(Mapping[str, dict[str, Any]]):
    """Outputs of the dependencies, by name and by id; small ones came with the claim, others are fetched when asked.

    Iterating gives the ids. A name that two dependencies share means the first; ask by id for the others.
    """

    def __init__(self, told: Told, store: SyncStore) -> None:
        self._store = store
        self._keys = Keys(store.settings.namespace)
        self._task = told.task_id
        self._texts = {id: text for id, _, text in told.inputs}
        self._ids = [id for id, _, _ in told.inputs]
        self._names = {name: id for id, name, _ in reversed(told.inputs)}
        self._more = told.more_inputs

    def __getitem__(self, name: str) -> dict[str, Any]:
        self._fetch_rest()
        id = self._names.get(str(name), str(name))
        if id not in self._texts:
            raise KeyError(f"no dependency is called {name!r}; there are {', '.join(sorted(self._names)[:20])}")
        text = self._texts[id]
        if text is None:
            text = self._texts[id] = self._store.run(executions.output(self._keys, id)) or "{}"
        return dict(loads(text))

    def __iter__(self) -> Iterator[str]:
        self._fetch_rest()
        return iter(self._ids)

    def __len__(self) -> int:
        self._fetch_rest()
        return len(self._ids)

    def _fetch_rest(self) -> None:
        if not self._more:
            return
        self._more = False
        found = self._store.run(tasks.fields(self._keys, self._task, "on"))
        ids = (found["on"] or "").split()
        for id, task in zip(ids, self._store.run(tasks.read(ids)), strict=True):
            self._texts.setdefault(id, None)
            if task is not None:
                self._names.setdefault(task.name, id)
        self._ids = ids


class Context:
    """One execution, as its agent sees it."""

    def __init__(self, told: Told, store: SyncStore, cancelled: Callable[[], bool]) -> None:
        self._told = told
        self._store = store
        self._cancelled = cancelled
        self._results = Results(told, store)

    @property
    def execution_id(self) -> UUID:
        """The execution that this run is."""
        return UUID(self._told.execution_id)

    @property
    def attempt(self) -> int:
        """1 for the first attempt."""
        return self._told.attempt

    @property
    def deadline(self) -> datetime | None:
        """When this attempt is ended as timed out."""
        return moment(self._told.deadline_ms)

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to cancel, or the attempt is over; clean up and return. Costs no trip."""
        return self._cancelled()

    @property
    def results(self) -> Mapping[str, dict[str, Any]]:
        """Outputs of the dependencies by name or id."""
        return self._results

    def progress(self, fraction: float, note: str | None = None) -> None:
        """Say how far it is: 0 to 1, values beyond are cut; *note* is one line for people."""
        self._say(progress=min(1.0, max(0.0, float(fraction))), note=(note or "")[:500])

    def log(self, message: str, level: str = "info", **metadata: Any) -> None:
        """Add a line to the execution's log; the newest lines are kept."""
        line = ExecutionLog(timestamp=datetime.now(UTC), level=LogLevel(level), message=str(message)[:LOG_LIMIT])
        text = dumps({**line.model_dump(mode="json"), "metadata": metadata}, "metadata of context.log")
        self._say(line=text)

    def _say(self, *, line: str = "", progress: float | None = None, note: str = "") -> None:
        told = self._told
        self._store.run(executions.say(told.execution_id, told.attempt, line=line, progress=progress, note=note))
