"""A command that a task asks for: obeyed only if its first word stands in TASKENGINE_COMMANDS."""

from __future__ import annotations

import shlex
import shutil

from pydantic import JsonValue

from taskengine.errors import InvalidInputError
from workers.agents.settings import worker_settings


def command(said: JsonValue, field: str) -> list[str]:
    """Return a command's words, the first as a path; InvalidInputError when it is none, or this worker may not start
    it. Text is split as a shell would, and no shell sees it.
    """
    words = _words(said, field)
    allowed = [word.strip() for word in worker_settings().commands.split(",") if word.strip()]
    if words[0] not in allowed:
        raise InvalidInputError(
            f"{field}: {words[0]!r:.100} is no command of this worker, which may start "
            f"{', '.join(allowed) or 'none'}; add it to TASKENGINE_COMMANDS",
            field=field,
        )
    found = shutil.which(words[0])
    if found is None:
        raise InvalidInputError(f"{field}: {words[0]!r:.100} is not on this machine; install it", field=field)
    return [found, *words[1:]]


def _words(said: JsonValue, field: str) -> list[str]:
    try:
        words = shlex.split(said) if isinstance(said, str) else said
    except ValueError as exc:
        raise InvalidInputError(f"{field} is {said!r:.100}: {exc}", field=field) from exc
    if not isinstance(words, list) or not words or not all(map(_is_word, words)):
        raise InvalidInputError(f"{field} is {said!r:.100}; write a program and its arguments as a list", field=field)
    return [str(word) for word in words]


def _is_word(word: object) -> bool:
    return isinstance(word, str) and "\0" not in word
