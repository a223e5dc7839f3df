"""What objects of an agent's own come to, as plain builtins: nothing of theirs runs when the run is over.

A class may override how its objects are shown, compared, counted and even which bases it has, and any of that may
raise, in the process that has to report. So names come from ``type`` itself, texts and numbers are made exact.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from taskengine.errors import InvalidInputError, PayloadTooLargeError
from taskengine.models import Outcome, Usage
from taskengine.settings import INLINE_LIMIT
from taskengine.store.codec import dumps, readable

_NAME, _QUALNAME, _MODULE, _MRO = (type.__dict__[f"__{name}__"] for name in ("name", "qualname", "module", "mro"))


def text_of(value: object, show: Callable[[Any], object] = str) -> str:
    """``str(value)`` (or what *show* makes of it) as an exact ``str``, whatever its class does."""
    try:
        return exact(show(value))  # a TypeError where it is no text
    except BaseException:  # it is the object's, not ours
        return f"<{name_of(type(value))} whose {show.__name__} fails>"


def exact(text: Any) -> str:
    """*text* as a ``str`` and no class derived from it, whose methods may do anything."""
    return str.__str__(text)


def name_of(cls: type) -> str:
    """Return the name of a class, whatever its metaclass says."""
    return str(_NAME.__get__(cls))


def names_of(cls: type) -> tuple[str, ...]:
    """Names of a class and its bases, each bare and with its module, most special first."""
    return tuple(name for one in _MRO.__get__(cls) for name in (name_of(one), _full_name(one)))


def trace_of(exc: BaseException) -> TracebackType | None:
    """Return where an error came by, whatever its class makes of that name."""
    trace: TracebackType | None = BaseException.__dict__["__traceback__"].__get__(exc)
    return trace


def sound(made: Outcome) -> Outcome:
    """Return an Outcome of builtins like *made*, checked anew; any error when it is none."""
    return Outcome(
        _text(made.kind), made.output, _text(made.error), _text(made.error_kind),
        tuple(_class_name(name) for name in made.error_classes), _text(made.traceback), made.exception,
        bool(made.retryable), _counted(made.usage), _number(made.delay), _text(made.scope),
        made.spent, made.question,
    )  # fmt: skip


def _full_name(cls: type) -> str:
    module = _MODULE.__get__(cls)
    return f"{module if type(module) is str else '?'}.{_QUALNAME.__get__(cls)}"


def _text(value: Any) -> Any:
    return exact(value) if isinstance(value, str) else value


def _class_name(name: object) -> str:
    if not isinstance(name, str):
        raise InvalidInputError(f"Outcome.error_classes holds {name!r:.80}; use class names", field="error_classes")
    return readable(exact(name))


def _number(value: Any) -> Any:
    if isinstance(value, float):
        return float.__float__(value)
    return int.__int__(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _counted(usage: Usage) -> Usage:
    if not usage.custom:
        return Usage()
    custom = {readable(exact(name)): _number(number) for name, number in usage.custom.items()}
    size = len(dumps(custom, "usage").encode())
    if size > INLINE_LIMIT:
        raise PayloadTooLargeError("usage", size, INLINE_LIMIT)
    return Usage(custom=custom)
