"""Every error that leaves the library, one tree.

::

    TaskEngineError
    ├── SettingsError                a variable or option is wrong
    ├── InvalidInputError            a field of a request is wrong; .field names it
    │   ├── UnknownDependencyError   a dependency does not exist
    │   ├── CircularDependencyError  dependencies form a cycle; .path names it
    │   ├── AmbiguousIdError         the beginning of an id is that of several; .candidates
    │   ├── InvalidFleetError        a file of agents is wrong; .faults has all of it
    │   ├── InvalidWorkflowError     a workflow's definition is wrong; .faults has all of them
    │   ├── ExpressionError          an expression cannot be read or has no value; .expression
    │   └── PayloadTooLargeError     a payload is over its limit; .size, .limit
    ├── NotFoundError                no such task, execution or run; .id
    ├── NoResultError                a dependency has no result; .id, .status
    ├── ConflictError                two writers disagree
    │   ├── AgentConflictError       the name is an agent's of another type; .types
    │   ├── IdempotencyConflictError same key or id, other content; .existing_id
    │   └── NotAllowedError          the state forbids it; .history tells how it came to be
    ├── TaskExecutionError           an awaited execution did not complete; .execution
    ├── WorkflowExecutionError       an awaited workflow did not complete; .workflow
    ├── WaitTimeoutError             the awaited did not happen in time; .pending
    │   └── NeverDoneError           taskengine.testing: nothing is left that could bring it about
    ├── NeverIdleError               taskengine.testing: there is work without end; .most_run
    ├── StoreError                   Redis and we disagree
    │   ├── StoreUnavailableError    no answer from the server
    │   ├── StoreFullError           the server is out of memory and refuses writes
    │   ├── UnsupportedServerError   the server cannot hold the truth (cluster, old, evicting)
    │   ├── SchemaMismatchError      what is stored there is of another version's form; .stored
    │   └── EmbeddedServerError      the server in Settings.home does not start or answer
    │       └── CorruptDataError     its append-only file is damaged; .file, .repair
    ├── AccessError                  the server does not let this key do it
    │   ├── UnknownKeyError          there is no such key, or it has expired
    │   ├── ScopeError               the key may do less; .needs, .has
    │   └── TooManyRequestsError     the key asks more often than it may; .retry_after
    └── AgentError                   an agent module or function cannot be used
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class TaskEngineError(Exception):
    """Something in taskengine went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class SettingsError(TaskEngineError):
    """A setting is wrong; the message names the variable."""

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class InvalidInputError(TaskEngineError):
    """A field of the request is wrong; correct it and send it again.

    Not a ValueError: pydantic would swallow it into its own error inside a validator.
    """

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


def _shortened(names: Sequence[str]) -> list[str]:
    """Names for a message that people read; the error's own field holds them all."""
    return list(names) if len(names) <= 20 else [*names[:10], f"({len(names) - 15} more)", *names[-5:]]


class UnknownDependencyError(InvalidInputError):
    """A dependency does not exist; submit it first or in the same graph."""

    def __init__(self, task: str, missing: Sequence[str]) -> None:
        names = ", ".join(_shortened(missing))
        super().__init__(
            f"task {task}: depends_on names {names}, which is neither stored nor in this graph; "
            "submit it first or in the same graph",
            field="depends_on",
        )
        self.task = task
        self.missing = tuple(missing)


class CircularDependencyError(InvalidInputError):
    """Dependencies form a cycle; remove one of its edges."""

    def __init__(self, path: Sequence[str], *, place: str = "") -> None:
        shown = " -> ".join(_shortened(path))
        where = f"{place}: " if place else ""
        super().__init__(
            f"{where}dependencies form a cycle: {shown}; remove one of these edges", field="depends_on"
        )
        #: Task names (or ids) along the cycle; the first one is repeated at the end.
        self.path = tuple(path)


class AmbiguousIdError(InvalidInputError):
    """The beginning of an id is that of several; write more of it."""

    def __init__(self, kind: str, beginning: str, candidates: Mapping[str, str]) -> None:
        shown = ", ".join(f"{id} {what}" for id, what in list(candidates.items())[:5])
        more = ", …" if len(candidates) > 5 else ""
        super().__init__(f"ids of several {kind} begin with {beginning}: {shown}{more}; write more of it", field="id")
        #: Some of their ids, whole.
        self.candidates = tuple(candidates)


@dataclass(frozen=True, slots=True)
class WorkflowFault:
    """One thing that is wrong with a workflow's definition."""

    #: Keys and places in lists, from the definition down: ``("steps", 2, "true_steps", 0, "name")``.
    location: tuple[str | int, ...]
    #: What is wrong and what to do; it does not repeat the path.
    message: str
    #: ``file:line``; None where it came from no file.
    place: str | None = None

    @property
    def path(self) -> str:
        """The location as it is written: ``steps[2].true_steps[0].name``; empty for the whole definition."""
        steps = [f"[{key}]" if isinstance(key, int) else f".{key:.80}" for key in self.location]
        return "".join(steps).removeprefix(".")

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.path, self.message) if part)


class InvalidWorkflowError(InvalidInputError):
    """The definition of a workflow is wrong; correct what ``faults`` names."""

    def __init__(self, what: str, faults: Sequence[WorkflowFault]) -> None:
        shown = [str(fault) for fault in faults[:10]] + ([f"({len(faults) - 10} more)"] if len(faults) > 10 else [])
        super().__init__(f"{what}: " + "; ".join(shown), field=faults[0].path or None)
        #: All of them, in the order of the definition.
        self.faults = tuple(faults)


class InvalidFleetError(InvalidInputError):
    """The file of agents is wrong; correct what ``faults`` names."""

    def __init__(self, what: str, faults: Sequence[WorkflowFault]) -> None:
        super().__init__(f"{what}: " + "; ".join(map(str, faults[:10])), field=faults[0].path or None)
        #: All of them, in the order of the file.
        self.faults = tuple(faults)


class ExpressionError(InvalidInputError):
    """An expression cannot be read, or has no value here."""

    def __init__(self, expression: str, message: str) -> None:
        shown = expression if len(expression) <= 120 else expression[:117] + "…"
        super().__init__(f"{shown}: {message}", field="expression")
        #: Whole, as the author wrote it.
        self.expression = expression
        #: What is wrong, without the expression.
        self.reason = message


class PayloadTooLargeError(InvalidInputError):
    """A payload is over its limit; store it elsewhere and pass a reference."""

    def __init__(self, field: str, size: int, limit: int) -> None:
        super().__init__(
            f"{field} is {size} bytes, the limit is {limit}; store it elsewhere and pass a reference", field=field
        )
        self.size = size
        self.limit = limit


class NotFoundError(TaskEngineError, LookupError):
    """There is no such task, execution, run or workflow."""

    def __init__(self, kind: str, id: object, *, says: str | None = None) -> None:
        gone = "it was never created, or it was deleted or pruned after its retention"
        super().__init__(says or f"no {kind} {id}; {gone}")
        self.kind = kind
        self.id = str(id)


class NoResultError(TaskEngineError, KeyError):
    """The dependency has no result; ``context.dependencies`` tells how each ended."""

    __str__ = Exception.__str__  # a KeyError shows its text in quotes

    def __init__(self, name: str, id: str, status: str, error: str | None) -> None:
        why = f": {error}" if error else ""
        super().__init__(
            f"dependency {name!r} ({id}) has no result, it is {status}{why}; ask context.dependencies for its status "
            "before you read it"
        )
        self.id = id
        #: ``failed``, ``cancelled``, …
        self.status = status


class ConflictError(TaskEngineError):
    """Somebody else changed it first; read it again."""


class AgentConflictError(ConflictError):
    """The name is that of an agent of another type."""

    def __init__(self, agent: str, existing: str, asked: str) -> None:
        super().__init__(
            f"agent {agent!r} is registered as {existing!r} and cannot become {asked!r}; take another name, or "
            "unregister that one first"
        )
        #: The type that it has, and the one that was asked for.
        self.types = (existing, asked)


class IdempotencyConflictError(ConflictError):
    """The same key or id was used for other content."""

    def __init__(self, field: str, value: str, existing_id: str, kind: str = "task") -> None:
        super().__init__(
            f"{field} {value!r} already names {kind} {existing_id} with other content; "
            "use a new one, or send exactly the first content again"
        )
        self.field = field
        #: Of a task; of a run where the key was a whole graph's.
        self.existing_id = existing_id


class NotAllowedError(ConflictError):
    """The state of the task does not allow this."""

    def __init__(self, message: str, *, id: object, history: Sequence[str] = ()) -> None:
        super().__init__(message + ("; so far: " + ", ".join(history) if history else ""))
        self.id = str(id)
        #: What happened to the task so far, oldest first.
        self.history = tuple(history)


class TaskExecutionError(TaskEngineError):
    """The awaited execution did not complete."""

    def __init__(self, message: str, *, execution: Any = None) -> None:
        super().__init__(message)
        #: The :class:`taskengine.models.TaskExecution`, or None when the task ended without running.
        self.execution = execution


class WorkflowExecutionError(TaskEngineError):
    """The awaited workflow did not complete."""

    def __init__(self, message: str, *, workflow: Any = None) -> None:
        super().__init__(message)
        #: The :class:`taskengine.models.Workflow` as it ended.
        self.workflow = workflow


class WaitTimeoutError(TaskEngineError, TimeoutError):
    """What was waited for did not happen in time; it may still happen."""

    def __init__(self, pending: Sequence[str], seconds: float, *, says: str | None = None) -> None:
        shown = ", ".join(pending[:5]) + ("…" if len(pending) > 5 else "")
        super().__init__(says or f"{len(pending)} of the awaited tasks did not end within {seconds:g} s: {shown}")
        self.pending = tuple(pending)


class NeverDoneError(WaitTimeoutError):
    """Nothing is left to run and no timer is set, so what was waited for will never happen."""

    def __init__(self, pending: Sequence[str], reasons: Sequence[str]) -> None:
        TaskEngineError.__init__(
            self,
            f"nothing is left to run, no timer is set, and {len(pending)} of the awaited tasks are not over: "
            + "; ".join(_shortened(reasons)),
        )
        self.pending = tuple(pending)


class NeverIdleError(TaskEngineError):
    """There was still work after as many executions as were allowed."""

    def __init__(self, most: int, most_run: Sequence[tuple[str, int]]) -> None:
        shown = ", ".join(f"{name!r} {times} times" for name, times in most_run)
        super().__init__(
            f"there is still work after {most} executions; most often ran {shown or 'none'}: "
            "does a task submit or retry itself without end? Allow more with most=…, or bound it"
        )
        #: Names of tasks and how often each ran, the most frequent first.
        self.most_run = tuple(most_run)


class StoreError(TaskEngineError):
    """Redis answered something unexpected."""


class StoreUnavailableError(StoreError):
    """No answer from Redis; check TASKENGINE_REDIS_URL and that the server runs."""


class StoreFullError(StoreError):
    """Redis is out of memory and refuses writes; raise maxmemory or lower the retention."""


class UnsupportedServerError(StoreError):
    """This Redis server cannot hold the engine's truth."""


class SchemaMismatchError(StoreError):
    """What is stored was written in a form that this version does not read."""

    def __init__(self, stored: str, *, oldest: int, newest: int) -> None:
        reads = f"form {newest}" if oldest == newest else f"forms {oldest} to {newest}"
        is_newer = stored.isascii() and stored.isdecimal() and int(stored) > newest
        do = (
            "install the taskengine that the fleet's coordinators run: pip install --upgrade taskengine"
            if is_newer
            else "let the version that wrote it finish its work, or point TASKENGINE_REDIS_URL or TASKENGINE_NAMESPACE "
            "at an empty place"
        )
        super().__init__(
            f"what is stored is in form {stored[:20]}, and this taskengine is too {'old' if is_newer else 'new'} for "
            f"it: it reads {reads}; {do}"
        )
        #: The number that the server has.
        self.stored = stored


class EmbeddedServerError(StoreError):
    """The embedded server cannot be used; read its log, or set TASKENGINE_REDIS_URL to another server."""


class CorruptDataError(EmbeddedServerError):
    """The embedded server's append-only file is damaged."""

    def __init__(self, message: str, *, file: str, repair: str) -> None:
        super().__init__(message)
        #: Path of the damaged file.
        self.file = file
        #: The shell command that makes the server start again.
        self.repair = repair


class AccessError(TaskEngineError):
    """The server refuses this request, whatever it asks for."""


class UnknownKeyError(AccessError):
    """The request has no key that is valid here; send one as Authorization: Bearer te_…"""


class ScopeError(AccessError):
    """The key may do less than this needs."""

    def __init__(self, name: str, *, needs: str, has: str) -> None:
        super().__init__(
            f"this needs a key with the scope {needs}, and key {name!r} has {has}; make one with: "
            f"taskengine keys create NAME --scope {needs}"
        )
        #: One of read, submit, operate, admin.
        self.needs = needs
        self.has = has


class TooManyRequestsError(AccessError):
    """The key asks more often than it may; wait and ask again."""

    def __init__(self, name: str, retry_after: float) -> None:
        super().__init__(f"key {name!r} asks more often than it may; ask again in {retry_after:.3g} s")
        #: Seconds.
        self.retry_after = retry_after


class AgentError(TaskEngineError):
    """An agent cannot be used as it is declared."""
