"""What the parts of a workflow's definition share: every fault is found at once, each with its path.

pydantic stops at the first error of a validator and knows no rule over several fields. So each part says its own rules
in :meth:`Part._rules`, over what was given and however wrong that is; what pydantic finds is added, and the outermost
part raises all of it as one :class:`~taskengine.errors.InvalidWorkflowError`.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from difflib import get_close_matches
from functools import cache
from typing import Any, Self

from pydantic import ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, to_jsonable_python

from taskengine.errors import InvalidWorkflowError, WorkflowFault
from taskengine.models.base import InputModel

Location = tuple[str | int, ...]
#: What a rule found: where, from its part down, and what to do.
Found = tuple[Location, str]

#: Whether a part is validated inside another one, which raises for both.
_inside: ContextVar[bool] = ContextVar("_inside", default=False)
_OWN = "definition"


class Part(InputModel):
    """A frozen piece of a definition; a wrong one raises InvalidWorkflowError with every fault."""

    # Built when first used: the schemas of all steps in each other take 0.1 s, and most processes have no workflow.
    model_config = ConfigDict(frozen=True, defer_build=True)

    @classmethod
    def _rules(cls, given: Mapping[str, Any]) -> Iterator[Found]:  # noqa: ARG003  # of its overrides
        """Faults over several fields of what was given, of which any may be missing or wrong."""
        yield from ()

    @classmethod
    def _bounds(cls, given: Any) -> Iterator[Found]:  # noqa: ARG003  # of its overrides
        """Yield what must hold before anything else is looked at; asked of the outermost part alone."""
        yield from ()

    def _whole(self) -> Iterator[Found]:
        """Yield what only the finished outermost part can say."""
        yield from ()

    @model_validator(mode="wrap")
    @classmethod
    def _name_the_field(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """All faults of the outermost part; one inside another hands them up to it."""
        if _inside.get():
            return cls._checked(value, handler)
        cls._refuse(cls._bounds(value))
        token = _inside.set(True)
        try:
            made = cls._checked(value, handler)
        except ValidationError as exc:
            raise cls._error(lines(exc)) from exc
        finally:
            _inside.reset(token)
        cls._refuse(made._whole())
        return made

    @classmethod
    def _checked(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        found = list(cls._rules(value)) if isinstance(value, Mapping) else []
        try:
            made = handler(value)
        except ValidationError as exc:
            raise faulty(cls.__name__, [*lines(exc, known=cls.model_fields), *found]) from exc
        if found:
            raise faulty(cls.__name__, found)
        return made

    @classmethod
    def _refuse(cls, found: Iterable[Found]) -> None:
        if several := list(found):
            raise cls._error(several)

    @classmethod
    def _error(cls, found: Iterable[Found]) -> InvalidWorkflowError:
        return InvalidWorkflowError(cls.__name__, [WorkflowFault(location, says) for location, says in found])


def faulty(title: str, found: Iterable[Found]) -> ValidationError:
    """Return an error of pydantic that holds *found*; the parts around it add their own steps to each location."""
    # Each once: pydantic wraps some models that hold themselves in their validator twice.
    once = dict.fromkeys(found)
    errors = [InitErrorDetails(type=_custom(says), loc=location, input=None) for location, says in once]
    return ValidationError.from_exception_data(title, errors)


def _custom(says: Any) -> PydanticCustomError:
    # Typed as a literal; without a context pydantic fills in no braces of it.
    return PydanticCustomError(_OWN, says)


def lines(exc: ValidationError, known: Iterable[str] = ()) -> Iterator[Found]:
    """Yield what an error of pydantic holds, in our words; *known* are the fields of its outermost part."""
    for error in exc.errors(include_url=False):
        yield error["loc"], error["msg"] if error["type"] == _OWN else _reworded(error, known)


def _reworded(error: ErrorDetails, known: Iterable[str]) -> str:
    match error["type"]:
        case "extra_forbidden":
            word = str(error["loc"][-1])
            return f"unknown field {word!r:.80}{did_you_mean(word, known if len(error['loc']) == 1 else ())}"
        case "missing":
            return "is required"
        case "enum" | "literal_error":
            expected = re.findall(r"'([^']*)'", error["ctx"]["expected"])
            near = did_you_mean(error["input"], expected) if isinstance(error["input"], str) else ""
            return f"use one of {', '.join(expected)}, not {shown(error['input'])}{near}"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"must be an object, not {shown(error['input'])}"
        case "value_error":
            return str(error["ctx"]["error"])
        case _:
            said = error["msg"]
            return f"{said[:1].lower()}{said[1:]}, got {shown(error['input'])}"


def shown(value: object) -> str:
    """Return a value for a message: as Python spells it, 60 characters of it."""
    text = reprlib.repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` where one of *known* is near, else nothing."""
    near = get_close_matches(word, known, 1) if len(word) < 100 else []
    return f"; did you mean {near[0]!r}?" if near else ""


def plain(value: Any, as_a: type[Part] | None = None) -> Any:
    """JSON of a part with its keys sorted, without fields that are None or empty as they are by default.

    *as_a*: with the fields of that class alone.
    """
    match value:
        case Part():
            defaults = _defaults(as_a or type(value))
            kept = ((name, getattr(value, name), default) for name, default in defaults.items())
            return {name: plain(held) for name, held, default in kept if held or held != default}
        case dict():
            return {key: plain(value[key]) for key in sorted(value)}
        case list() | tuple():
            return [plain(held) for held in value]
        case str() | int() | float() | None:
            return value
        case _:
            return to_jsonable_python(value)


@cache
def _defaults(part: type[Part]) -> Mapping[str, Any]:
    """Return the defaults of a part's fields, sorted by name; pydantic makes them anew each time it is asked."""
    fields = sorted(part.model_fields.items())
    return {name: field.get_default(call_default_factory=True, validated_data={}) for name, field in fields}
