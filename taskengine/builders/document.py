"""A YAML or JSON file as plain JSON data that knows its lines.

The file is somebody's, so it is read from the parser's events and never constructed: no tags, no aliases (nine lines
of them make a billion strings), no key twice, 16 MiB, and fields no deeper than in any other task. Scalars are read by
YAML 1.2's core rules, which are JSON's: ``no`` and ``2030-01-31`` are text, ``012`` is twelve.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import yaml

from taskengine.errors import InvalidInputError, PayloadTooLargeError
from taskengine.models.depth import MAX_DEPTH
from taskengine.settings import REFERENCE_LIMIT

#: Bytes of a file.
MAX_BYTES = REFERENCE_LIMIT
#: Lists and objects inside each other: a task's field lies in three of them.
_LEVELS = MAX_DEPTH + 3
#: Length of the paths whose lines are kept, unless somebody asks for more: a list's objects and their fields.
_NOTED = 3
#: Of a workflow's: every one.
EVERY_LINE = _LEVELS
#: Steps of a path that a complaint shows.
_SHOWN = 8

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster, where libyaml is
_WORDS: dict[str, Any] = dict.fromkeys(("", "~", "null", "Null", "NULL")) | {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False
}  # fmt: skip
_INT = re.compile(r"[-+]?[0-9]{1,4000}|0x[0-9a-fA-F]{1,4000}|0o[0-7]{1,4000}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?")


class Document:
    """What a file holds, and where."""

    def __init__(self, text: str, name: str, *, is_json: bool = False, noted: int = _NOTED) -> None:
        self.name = name
        self._noted = noted
        self._text = text
        self._lines: dict[tuple[str | int, ...], int] | None = None
        if len(text) > MAX_BYTES or len(text.encode(errors="replace")) > MAX_BYTES:
            raise PayloadTooLargeError(name, len(text.encode(errors="replace")), MAX_BYTES)
        #: Plain JSON data.
        self.value: Any = self._from_json() if is_json else self._from_yaml()

    @classmethod
    def of(cls, path: Path, *, noted: int = _NOTED) -> Document:
        """Return the document in a file; JSON when its name ends so, else YAML. *noted* is how deep it knows its
        lines.
        """
        try:
            size = path.stat().st_size
            if size > MAX_BYTES:
                raise PayloadTooLargeError(str(path), size, MAX_BYTES)
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as exc:
            raise InvalidInputError(f"{path}: {exc}", field="file") from exc
        return cls(text, path.name, is_json=path.suffix.lower() == ".json", noted=noted)

    def place(self, *path: str | int) -> str:
        """``name:line`` of a value, or of the nearest that holds it."""
        lines = self._known_lines()
        for length in range(len(path), -1, -1):
            if (line := lines.get(path[:length])) is not None:
                return f"{self.name}:{line}"
        return self.name

    def _from_yaml(self) -> Any:
        reader = _Reader(self._text, self.name, self._noted)
        value = reader.document()
        self._lines = reader.lines
        return value

    def _from_json(self) -> Any:
        """Python's own reader knows every escape of JSON; YAML's knows the lines, and is asked where one is wanted."""
        try:
            value = json.loads(self._text, object_pairs_hook=self._once, parse_constant=self._no_constant)
        except json.JSONDecodeError as exc:
            raise InvalidInputError(f"{self.name}:{exc.lineno}: not JSON: {exc.msg}", field="file") from exc
        except (RecursionError, ValueError) as exc:
            self._from_yaml()
            raise InvalidInputError(f"{self.name}: not JSON: {exc}", field="file") from exc
        if (path := _deep_path(value)) is not None:
            raise InvalidInputError(f"{self.name}: {_too_deep(path)}", field="file")
        return value

    def _once(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            self._from_yaml()  # says the line
            raise InvalidInputError(f"{self.name}: the key {twice!r:.80} stands twice", field="file")
        return found

    def _no_constant(self, word: str) -> NoReturn:
        raise InvalidInputError(f"{self.name}: {word} is no JSON number", field="file")

    def _known_lines(self) -> dict[tuple[str | int, ...], int]:
        if self._lines is None:
            reader = _Reader(self._text, self.name, self._noted)
            with suppress(InvalidInputError):  # JSON that YAML reads differently: what was reached has its lines
                reader.document()
            self._lines = reader.lines
        return self._lines


class _Reader:
    """Builds plain data from a parser's events."""

    def __init__(self, text: str, name: str, noted: int) -> None:
        self._name = name
        self._noted = noted
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_LOADER))
        self.lines: dict[tuple[str | int, ...], int] = {}

    def document(self) -> Any:
        """Return the only document of the text; None when it is empty."""
        try:
            value = None
            seen = False
            for event in self._events:
                if isinstance(event, yaml.DocumentStartEvent):
                    if seen:
                        self._refuse(event, "a second document begins; put each into a file of its own")
                    seen, value = True, self._value(next(self._events), ())
            return value
        except yaml.YAMLError as exc:
            mark = getattr(exc, "problem_mark", None)
            where = f"{self._name}:{mark.line + 1}" if mark else self._name
            what = getattr(exc, "problem", None) or str(exc).splitlines()[0]
            raise InvalidInputError(f"{where}: not YAML: {what}", field="file") from exc

    def _value(self, event: Any, path: tuple[str | int, ...]) -> Any:
        if isinstance(event, yaml.AliasEvent):
            self._refuse(event, f"the alias *{event.anchor} is not followed; write the value out")
        if event.tag is not None:
            self._refuse(event, f"the tag {event.tag:.60} is not read; write plain values")
        if len(path) <= self._noted:
            self.lines.setdefault(path, _line(event))
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if len(path) >= _LEVELS:
            self._refuse(event, _too_deep(path))
        if isinstance(event, yaml.SequenceStartEvent):
            return list(self._items(path))
        return self._object(path)

    def _items(self, path: tuple[str | int, ...]) -> Iterator[Any]:
        number = 0
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._value(event, (*path, number))
            number += 1

    def _object(self, path: tuple[str | int, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent) or event.tag is not None:
                self._refuse(event, "a key must be plain text")
            key = event.value
            if key in found:
                self._refuse(event, f"the key {key!r:.80} stands twice; keep one of them")
            if len(path) < self._noted:
                self.lines[(*path, key)] = _line(event)
            found[key] = self._value(next(self._events), (*path, key))
        return found

    def _scalar(self, event: Any) -> Any:
        text = event.value
        if event.style not in (None, ""):  # quoted, or a block of text
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INT.fullmatch(text):
            return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
        return float(text) if _FLOAT.fullmatch(text) else text

    def _refuse(self, event: Any, why: str) -> NoReturn:
        raise InvalidInputError(f"{self._name}:{_line(event)}: {why}", field="file")


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _too_deep(path: Sequence[str | int]) -> str:
    steps = [f"[{step}]" if isinstance(step, int) else f".{step:.40}" for step in path[:_SHOWN]]
    return (
        f"{''.join(steps).lstrip('.')}… holds more than {MAX_DEPTH} lists and objects inside each other; flatten it, "
        "or write it as text"
    )


def _deep_path(value: Any) -> tuple[str | int, ...] | None:
    """Return where a list or object lies too deep, if one does."""
    level: list[tuple[Any, tuple[str | int, ...]]] = [(value, ())] if isinstance(value, dict | list) else []
    for _ in range(_LEVELS):
        level = [
            (inner, (*path, key) if len(path) < _SHOWN else path)
            for each, path in level
            for key, inner in (each.items() if isinstance(each, dict) else enumerate(each))
            if isinstance(inner, dict | list)
        ]
    return level[0][1] if level else None
