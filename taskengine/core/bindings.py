"""The values that expressions see at one place of a workflow, and what is said where one is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from taskengine.core import expressions
from taskengine.core.expressions import MissingValueError
from taskengine.core.refs import ROOTS, Path, Reference, field_path, references, spelled, way
from taskengine.errors import ExpressionError

#: Keys that a message names.
_NAMED = 8


@dataclass(frozen=True, slots=True)
class Bindings:
    """Values by root; a root that is None is not there at this place."""

    context: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    #: By the names that the author writes, down to ``output``, ``status``, …: ``{"build": {"output": {…}}}``.
    steps: Mapping[str, Any] = field(default_factory=dict)
    #: The step before, and its output; a bare field of a condition is looked for there too.
    previous: tuple[str, Any] | None = None
    #: ``item``, ``index``, ``iteration``, ``output``, ``error``, ``workflow`` and ``input``, as far as they are there.
    others: Mapping[str, Any] = field(default_factory=dict)

    def with_input(self, given: Mapping[str, Any]) -> Bindings:
        """Return the same where a task's input is there."""
        return replace(self, others={**self.others, "input": given})

    def roots(self) -> dict[str, Any]:
        """Return all values by root."""
        return {**self.others, "context": self.context, "variables": self.variables, "steps": self.steps}

    def evaluate(self, source: str) -> Any:
        """Return what an expression comes to; MissingValueError when something it looks at is not there.

        Most are a way to a value that is there, for which nobody has to ask CEL: a tenth of the time.
        """
        if (path := way(source)) is not None:
            is_there, found, _ = _walk(self.roots(), path)
            if is_there and expressions.may_be_seen(found):
                return found
        wanted = references(source)
        try:
            return expressions.evaluate(source, self.seen(wanted))
        except MissingValueError as exc:
            missing = next((ref for ref in wanted if not ref.is_asked and not self.has(ref)), None)
            if missing is None:
                raise
            raise MissingValueError(source, self.why_missing(missing)) from exc

    def decide(self, source: str) -> bool:
        """Return the same for a condition, which must come to true or false."""
        made = self.evaluate(source)
        if not isinstance(made, bool):
            raise ExpressionError(source, f"a condition must come to true or false, not {made!r:.60}")
        return made

    def has(self, ref: Reference) -> bool:
        """Whether there is something where a reference goes."""
        return _found(self.roots(), (ref.root, *ref.path))[0]

    def look_up(self, name: str) -> Any:
        """Return the value of a condition's field; MissingValueError names the places that were looked at, and the
        remedy.
        """
        path = field_path(name)
        roots = self.roots()
        if path[0] in ROOTS:
            is_there, value, _ = _walk(roots, path)
            if is_there:
                return value
            raise MissingValueError(name, self.why_missing(Reference(str(path[0]), path[1:])))
        for place in self._places().values():
            if isinstance(place, Mapping) and path[0] in place:
                is_there, value, reached = _walk(place, path)
                if is_there:
                    return value
                raise MissingValueError(name, _lacks(spelled(path[: len(reached)]), path, reached, place))
        raise MissingValueError(name, self._nowhere(str(path[0])))

    def why_missing(self, ref: Reference) -> str:
        """Return what is there instead of what a reference goes to."""
        path = (ref.root, *ref.path)
        _, _, reached = _walk(self.roots(), path)
        if not reached:
            return f"there is no {ref.root} here"
        return _lacks(spelled(reached), path, reached, self.roots())

    def seen(self, wanted: Iterable[Reference]) -> dict[str, Any]:
        """Return the values that are referred to, by root, as far as they are there: the rest costs nothing."""
        roots = self.roots()
        asked = {(ref.root, *ref.path): ref.is_asked for ref in sorted(wanted, key=lambda ref: ref.is_asked)}
        seen: dict[str, Any] = {}
        for path in sorted(asked, key=len):
            if not any(path[:end] in asked for end in range(1, len(path))):
                _copy(roots, seen, path, has=asked[path])
        return seen

    def _places(self) -> dict[str, Any]:
        """Return where a bare field is looked for, by what people call it."""
        places: dict[str, Any] = {"variables": self.variables, "context": self.context}
        if self.previous is not None:
            places[f"the output of {self.previous[0]!r}"] = self.previous[1]
        return places

    def _nowhere(self, name: str) -> str:
        looked = [f"{place} ({_keys(value)})" for place, value in self._places().items()]
        if self.previous is None:
            looked.append("the output of the step before (there is none)")
        return (
            f"is in none of {', '.join(looked)}; begin with variables={{{name!r}: …}}, or give the step that knows it "
            f"outputs={{{name!r}: '${{output.…}}'}}"
        )


def _found(value: Any, path: Path) -> tuple[bool, Any]:
    is_there, found, _ = _walk(value, path)
    return is_there, found


def _walk(value: Any, path: Path) -> tuple[bool, Any, Path]:
    """Return whether a path leads somewhere, what is there, and how far it went."""
    for at, key in enumerate(path):
        is_place = isinstance(key, int) and isinstance(value, list) and 0 <= key < len(value)
        if not is_place and not (isinstance(value, Mapping) and key in value):
            return False, None, path[:at]
        value = value[key]
    return True, value, path


def _copy(roots: Mapping[str, Any], seen: dict[str, Any], path: Path, *, has: bool) -> None:
    """Put what lies at a path into *seen*, or what is there of its way; a list is taken whole.

    *has*: the path stands in ``has(…)``, which is false also where its beginning is missing.
    """
    source: Any = roots
    for at, key in enumerate(path):
        is_there = isinstance(source, Mapping) and key in source
        if not is_there and not (has and at < len(path) - 1):
            return
        source = source[key] if is_there else {}
        if at == len(path) - 1 or not isinstance(source, Mapping):
            seen[str(key)] = source
            return
        seen = seen.setdefault(str(key), {})


def _lacks(place: str, path: Path, reached: Path, roots: Any) -> str:
    _, held, _ = _walk(roots, reached)
    return f"{place} {_keys(held)}, not {path[len(reached)]!r:.60}"


def _keys(value: Any) -> str:
    match value:
        case Mapping() if not value:
            return "has nothing"
        case Mapping():
            names = [str(key)[:40] for key in list(value)[:_NAMED]]
            return "has " + ", ".join(names) + (", …" if len(value) > _NAMED else "")
        case list():
            return f"has {len(value)} elements"
        case _:
            return f"is {value!r:.40}"
