"""Dead letters: tasks that lost one worker after another, in one sorted set by the moment of their last loss."""

from __future__ import annotations

from typing import Any

from taskengine.store import by_moment
from taskengine.store.by_moment import Entry
from taskengine.store.call import Call, Operation
from taskengine.store.keys import Keys
from taskengine.store.replies import Reply, reply
from taskengine.store.verb import Verb

_DROP_DEAD_LETTER = Verb("drop_dead_letter", reply)


def page(keys: Keys, after: Entry | None, since_ms: int, most: int) -> Operation[list[Entry]]:
    """Return the next *most* tasks on the list behind *after*, newest first; none that was given up before
    *since_ms*.
    """
    return by_moment.page(keys.fixed("dead"), after, since_ms, most)


def died_at(keys: Keys, task_id: str) -> Call[int | None]:
    """Milliseconds at which a task became a dead letter; None when it is none."""
    return Call("ZSCORE", (keys.fixed("dead"), task_id), _ms, command=True)


def _ms(raw: Any) -> int | None:
    return None if raw is None else int(float(raw))


def drop(task_id: str) -> Call[Reply]:
    """Take a task off the list: ok or missing."""
    return _DROP_DEAD_LETTER(task=task_id)
