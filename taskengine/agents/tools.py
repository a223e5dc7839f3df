"""Tools: functions that a model may call while it works on a task.

::

    from taskengine.agents import tool

    @tool
    def look_up(order: int, *, call_id: str) -> dict:
        \"\"\"Look an order up by its number.\"\"\"

A record of type ``claude`` names them: ``config={"tools": ["look_up"]}``, or as ``module:function``. Its worker must
have imported the module (``--import``), else whoever may write a record could run any code. The docstring tells the
model when to call it, the annotations what with; ``call_id`` and ``context`` are the engine's. A call may come again
under the same ``call_id``, when a worker died behind it: what must not happen twice is made to know it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints, overload

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError, create_model

from taskengine.errors import AgentError, InvalidInputError

F = TypeVar("F", bound=Callable[..., Any])
#: Parameters that are not the model's to give.
_OURS = ("call_id", "context")


@dataclass(frozen=True, slots=True)
class Tool:
    """A function, and what a model is told of it."""

    name: str
    description: str
    function: Callable[..., Any]
    arguments: type[BaseModel]
    #: Which of ``call_id`` and ``context`` it takes.
    takes: frozenset[str]

    @classmethod
    def of(cls, function: Callable[..., Any], name: str | None = None, description: str | None = None) -> Tool:
        """Return the tool that a function is; AgentError when its parameters cannot be told to a model."""
        called = name or str(getattr(function, "__name__", ""))
        if not called.isidentifier() or len(called) > 64:
            raise AgentError(f"tool {called!r:.80}: a tool's name is a word of letters, digits and _, 64 at most")
        said = inspect.getdoc(function) if description is None else description
        if not said:
            raise AgentError(f"tool {called!r} has no docstring: it is what tells a model when to call it")
        try:
            hints = get_type_hints(function)
            parameters = inspect.signature(function).parameters.values()
            made = create_model(
                f"{called}_arguments", __config__=ConfigDict(extra="forbid"),
                **{p.name: (hints.get(p.name, JsonValue), ... if p.default is p.empty else p.default)
                   for p in parameters if p.name not in _OURS and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)},
            )  # type: ignore[call-overload]  # fmt: skip  # fields by name
            made.model_json_schema()
        except (NameError, TypeError, ValueError, RuntimeError) as exc:
            raise AgentError(f"tool {called!r}: its parameters cannot be told to a model: {exc}") from exc
        return cls(called, said, function, made, frozenset(p.name for p in parameters) & frozenset(_OURS))

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of its arguments."""
        found = self.arguments.model_json_schema()
        return {key: value for key, value in found.items() if key != "title"}

    def bound(self, given: Any, *, call_id: str, context: Any) -> dict[str, Any]:
        """Return what to call it with; InvalidInputError says what is wrong with what the model gave."""
        try:
            checked = self.arguments.model_validate(given)
        except ValidationError as exc:
            says = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors()[:5])
            raise InvalidInputError(f"{self.name}: {says}", field="arguments") from exc
        ours = {"call_id": call_id, "context": context}
        own = {name: getattr(checked, name) for name in type(checked).model_fields}
        return own | {name: ours[name] for name in self.takes}


class Tools:
    """The tools that this process imported, by name and by ``module:function``."""

    def __init__(self) -> None:
        self._known: dict[str, Tool] = {}

    def add(self, declared: Tool) -> None:
        """Register one; the same function may be imported twice, two of one name may not."""
        place = place_of(declared.function)
        known = self._known.get(declared.name)
        if known is not None and place_of(known.function) != place:
            raise AgentError(f"tool {declared.name!r} is declared twice, in {place_of(known.function)} and {place}")
        self._known[declared.name] = self._known[place] = declared

    def get(self, name: str) -> Tool | None:
        """Return the tool of a name, or at a place; None when nobody declared it."""
        return self._known.get(name)

    def names(self) -> tuple[str, ...]:
        """Return the names of all."""
        return tuple(sorted(name for name in self._known if ":" not in name))


#: The tools of this process.
TOOLS = Tools()


def place_of(function: Callable[..., Any]) -> str:
    """Return where a function is, as ``module:name``."""
    return f"{getattr(function, '__module__', '?')}:{getattr(function, '__qualname__', '?')}"


@overload
def tool(function: F, /) -> F: ...


@overload
def tool(*, name: str | None = None, description: str | None = None) -> Callable[[F], F]: ...


def tool(
    function: F | None = None, /, *, name: str | None = None, description: str | None = None
) -> F | Callable[[F], F]:
    """Declare a function or coroutine as a tool; returns it unchanged."""

    def declare(one: F) -> F:
        TOOLS.add(Tool.of(one, name, description))
        return one

    return declare if function is None else declare(function)
