"""Dead letters: tasks that lost one worker after another, newest first.

They lie in one sorted set by the moment of their last loss. A page is found by moment and id, not by position: what is
requeued or dropped between two pages shifts nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from taskengine.store.call import Call, Story
from taskengine.store.keys import Keys
from taskengine.store.replies import Reply, reply


@dataclass(frozen=True, slots=True)
class Entry:
    """One task on the list."""

    task_id: str
    #: Milliseconds since 1970 at which it lost its last worker.
    at_ms: int


def page(keys: Keys, after: Entry | None, since_ms: int, most: int) -> Story[list[Entry]]:
    """The next *most* entries behind *after* (None: from the newest), none from before *since_ms*."""
    key = keys.fixed("dead")
    if after is None:
        return (yield from _older(key, "+inf", since_ms, most))
    # Those of one moment are given by their ids, the last first; one script makes 64 of a moment.
    same: int = yield from Call("ZCOUNT", (key, after.at_ms, after.at_ms), int, command=True)
    found = yield from _older(key, after.at_ms, since_ms, same + most)
    return [one for one in found if (one.at_ms, one.task_id) < (after.at_ms, after.task_id)][:most]


def _older(key: str, newest: str | int, since_ms: int, most: int) -> Call[list[Entry]]:
    args = (key, newest, since_ms, "WITHSCORES", "LIMIT", 0, most)
    return Call("ZREVRANGEBYSCORE", args, _entries, command=True)


def _entries(raw: Sequence[Any]) -> list[Entry]:
    # Pairs in RESP 3 and from redis-py's own reading of this command, a flat list otherwise.
    pairs = raw if raw and isinstance(raw[0], tuple | list) else list(zip(raw[::2], raw[1::2], strict=True))
    return [Entry(str(id), int(float(ms))) for id, ms in pairs]


def died_at(keys: Keys, task_id: str) -> Call[int | None]:
    """Milliseconds at which a task became a dead letter; None when it is none."""
    return Call("ZSCORE", (keys.fixed("dead"), task_id), _ms, command=True)


def _ms(raw: Any) -> int | None:
    return None if raw is None else int(float(raw))


def drop(task_id: str) -> Call[Reply]:
    """Take a task off the list: ok or missing."""
    return Call("drop_letter", (task_id,), reply)
