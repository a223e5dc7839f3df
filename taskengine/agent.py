"""Custom agents: the decorator that declares one, and the registry that workers read.

::

    from taskengine import agent

    @agent("lint", capabilities={"lint"})
    def lint(task, context):
        return {"warnings": 0}

The function gets the :class:`~taskengine.models.Task` and a :class:`TaskContext`; what it returns is its result: a
JSON object as it is, any other JSON value ``x`` as ``{"value": x}``. Dataclasses, pydantic models, moments, UUIDs,
decimals, sets, paths and enums become what pydantic makes of them. What can be awaited, is. One that cannot do it
yet raises :class:`NotNow`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar, overload
from uuid import UUID

from taskengine.errors import AgentError

_NAME = re.compile(r"^[A-Za-z0-9_.:-]{1,100}$")


@dataclass(frozen=True, slots=True)
class Dependency:
    """A task that had to end first, as it stood when its dependent's agent first asked."""

    id: UUID
    name: str
    #: ``completed``, ``failed``, ``cancelled``; under rules that do not wait for all also one that is not over.
    status: str
    #: Why it failed; None when it did not.
    error: str | None


class TaskContext(Protocol):
    """What an agent may ask and tell while it runs."""

    @property
    def execution_id(self) -> UUID:
        """The execution that this run is."""

    @property
    def run_id(self) -> UUID:
        """The run of its task: what is submitted with it (``create_tasks(…, run_id=context.run_id)``) joins that."""

    @property
    def attempt(self) -> int:
        """1 for the first attempt."""

    @property
    def deadline(self) -> datetime | None:
        """When this attempt is ended as timed out."""

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to cancel; clean up and return. Costs no trip."""

    @property
    def results(self) -> Mapping[str, dict[str, Any]]:
        """Outputs of the dependencies by name or id; large ones are fetched when asked for.

        Iterating gives the ids of those that have one. Asking for one that has none raises NoResultError.
        """

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        """How each dependency ended; read when it is first asked for."""

    @property
    def steps(self) -> Mapping[str, Any]:
        """What the ``${…}`` of its step read of other steps, as they spell it: ``context.steps["build"]["output"]``.

        Empty outside of workflows, and where the step reads something that is no plain task step: that is put in
        before a worker has the task.
        """

    def progress(self, fraction: float, note: str | None = None) -> None:
        """Say how far it is: 0 to 1. Waits for nothing; the latest is seen within a second."""

    def log(self, message: str, level: str = "info", **metadata: Any) -> None:
        """Add a line to the execution's log, as ``print`` and :mod:`logging` do. Waits for nothing."""


class NotNow(Exception):  # noqa: N818  # an answer, not an error
    """Raised by an agent: not now, again in *delay* seconds, 0 to 86 400.

    For rate limits, overload, a ``Retry-After``: no retry is spent, and no slot is held meanwhile. *reason* is one line
    for people. *scope* ``agent`` pauses all that the same agent would run, on every worker, ``credential`` all agents
    that share its limits; None is this task alone.
    The same as ``return Outcome.not_now(delay, reason, scope=scope)``, from any depth.
    """

    def __init__(
        self, delay: float, reason: str | None = None, *, scope: Literal["agent", "credential"] | None = None
    ) -> None:
        super().__init__(delay, reason)
        self.delay = delay
        self.reason = reason
        self.scope = scope


AgentFunction = Callable[..., Any]
F = TypeVar("F", bound=AgentFunction)


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent as ``@agent`` declared it: its name, what it can do, and the function that does it."""

    name: str
    capabilities: frozenset[str]
    function: AgentFunction
    #: Whether its tasks are never taken several at a time, however short they are.
    goes_alone: bool = False
    #: Gives the value of a secret that its record names; None: nothing is registered of it.
    secret: Callable[[str], str] | None = None
    #: Of a worker: what goes on with work that the function began at a service; None: nothing does.
    remote: Any = None
    #: Whether it does only what no other agent can do, and what is pinned to it: a built-in one.
    yields: bool = False

    @property
    def is_local(self) -> bool:
        """Whether it was declared inside a function, so that no import brings it again."""
        return "<locals>" in getattr(self.function, "__qualname__", "")


class Registry:
    """The agents that this process imported."""

    def __init__(self) -> None:
        self._agents: dict[str, Agent] = {}
        #: Those that yield: one of another's name is not there.
        self._yielding: dict[str, Agent] = {}
        #: What a test declares in its body: before the others, and gone with it. None while nothing is tested.
        self._borrowed: dict[str, Agent] | None = None

    def add(self, declared: Agent) -> None:
        """Register *declared*; the same function may be imported twice, two functions of one name may not."""
        beside = self._yielding if declared.yields else self._agents
        if self._borrowed is not None and declared.is_local:
            beside = self._borrowed
        known = beside.get(declared.name)
        if known is not None and _origin(known.function) != _origin(declared.function):
            raise AgentError(
                f"agent {declared.name!r} is declared twice, in {_origin(known.function)} and "
                f"{_origin(declared.function)}; rename one of them (a test's own wins when it is declared inside the "
                "test, while its engine is open)"
            )
        beside[declared.name] = declared

    def get(self, name: str) -> Agent | None:
        """Return the agent of that name, or None."""
        borrowed = self._borrowed.get(name) if self._borrowed else None
        return borrowed or self._agents.get(name) or self._yielding.get(name)

    def offering(self, capability: str) -> Agent | None:
        """Return the first declared agent with that capability, one that yields only if no other has it; None if none
        has.
        """
        able = [agent for agent in self._known().values() if capability in agent.capabilities]
        return min(able, key=lambda agent: agent.yields, default=None)

    def of(self, function: AgentFunction) -> Agent:
        """Return the agent that *function* was declared as; AgentError when it was not."""
        known = (*self._known().values(), *self._agents.values(), *self._yielding.values())
        found = next((a for a in known if a.function is function), None)
        if found is None:
            raise AgentError(f"{_origin(function)} is no agent; declare it with @agent(name, capabilities={{…}})")
        return found

    def borrow(self) -> None:
        """From now on an agent that is declared inside a function stands before all others, also those of its name."""
        self._borrowed = {}

    def give_back(self) -> None:
        """Forget what was declared inside functions since :meth:`borrow`."""
        self._borrowed = None

    def imported(self) -> Iterable[Agent]:
        """Return the agents without those."""
        return (*self._agents.values(), *self._yielding.values())

    def borrowed(self) -> Mapping[str, Agent]:
        """Return what was declared inside functions since :meth:`borrow`, by name."""
        return self._borrowed or {}

    def capabilities(self) -> frozenset[str]:
        """Return all that the imported agents offer together."""
        return frozenset().union(*(a.capabilities for a in self._known().values()))

    def __iter__(self) -> Iterator[Agent]:
        return iter(tuple(self._known().values()))

    def __len__(self) -> int:
        return len(self._known())

    def _known(self) -> Mapping[str, Agent]:
        if not self._borrowed and not self._yielding:
            return self._agents
        borrowed = self._borrowed or {}
        own = {**borrowed, **self._agents, **borrowed}
        return {**own, **{name: agent for name, agent in self._yielding.items() if name not in own}}


#: The agents of this process.
REGISTRY = Registry()


@overload
def agent(name: F, /) -> F: ...


@overload
def agent(
    name: str | None = None, *, capabilities: Iterable[str] | None = None, batch: bool = True
) -> Callable[[F], F]: ...


def agent(
    name: F | str | None = None, *, capabilities: Iterable[str] | None = None, batch: bool = True
) -> F | Callable[[F], F]:
    """Declare a function or coroutine ``(task, context)`` as the agent *name*; returns it unchanged.

    Without a name it is the function's, without capabilities its name is the only one: ``@agent`` alone will do.
    *batch* False: a slot takes one task of it at a time, also when they are short. For an agent that holds the
    interpreter, or whose finished work must not run again when its worker dies within the next 5 ms.
    """
    if name is None:
        return lambda function: _declare(_called(function), capabilities, batch)(function)
    return _declare(_called(name), capabilities, batch)(name) if callable(name) else _declare(name, capabilities, batch)


def _declare(name: str, capabilities: Iterable[str] | None, batch: bool) -> Callable[[F], F]:
    given = (name,) if capabilities is None else capabilities
    offered = frozenset({given}) if isinstance(given, str) else frozenset(given)
    for word in (name, *offered):
        if not isinstance(word, str) or not _NAME.match(word):
            raise AgentError(f"agent {name!r}: {word!r} must be 1 to 100 letters, digits, dots, dashes, colons")
    if not offered:
        raise AgentError(f"agent {name!r} offers no capability; name at least one")

    def declare(function: F) -> F:
        REGISTRY.add(as_agent(name, offered, function, batch=batch))
        return function

    return declare


def as_agent(name: str, capabilities: frozenset[str], function: AgentFunction, *, batch: bool = True) -> Agent:
    """Return *function* as the agent *name*, known to nobody; AgentError when it takes no task and context."""
    if fault := _fault(function):
        raise AgentError(f"agent {name!r}: {fault}; declare it as def {_spoken(name)}(task, context)")
    return Agent(name, capabilities, function, not batch or inspect.iscoroutinefunction(function))


def _fault(function: object) -> str | None:
    """Return why *function* can be no agent; None when it can."""
    if not callable(function):
        return f"{function!r} cannot be called"
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return f"{_origin(function)} yields, and its result would be a generator"
    try:
        inspect.signature(function).bind("task", "context")
    except TypeError as exc:
        return f"{_origin(function)} does not take a task and a context: {exc}"
    except ValueError:  # built in, without a signature
        return None
    return None


def _called(function: object) -> str:
    """Return the name of a function, or of the class of an object that is called like one."""
    return str(getattr(function, "__name__", type(function).__name__))


def _spoken(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _origin(function: AgentFunction) -> str:
    return f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', repr(function))}"
