"""Dead letters: tasks that lost one worker after another, in one sorted set by the moment of their last loss."""

from __future__ import annotations

from typing import Any

from taskengine.store import by_moment
from taskengine.store.by_moment import Entry, Found
from taskengine.store.call import Call
from taskengine.store.keys import Keys
from taskengine.store.replies import Reply, reply
from taskengine.store.verb import Verb

_FIND_DEAD_LETTERS = Verb("find_dead_letters", by_moment.found)
_DROP_DEAD_LETTER = Verb("drop_dead_letter", reply)


def find(after: Entry | None, since_ms: int, most: int, capability: str = "") -> Call[Found]:
    """Return tasks on the list behind *after* (None: from the newest), and where to go on (None: no more).

    None that was given up before *since_ms*, or has another *capability* ('': any). Newest first, *most* or fewer where
    a script may look no further.
    """
    return _FIND_DEAD_LETTERS(**by_moment.behind(after), since=since_ms, limit=most, capability=capability)


def died_at(keys: Keys, task_id: str) -> Call[int | None]:
    """Milliseconds at which a task became a dead letter; None when it is none."""
    return Call("ZSCORE", (keys.fixed("dead"), task_id), _ms, command=True)


def _ms(raw: Any) -> int | None:
    return None if raw is None else int(float(raw))


def drop(task_id: str) -> Call[Reply]:
    """Take a task off the list: ok or missing."""
    return _DROP_DEAD_LETTER(task=task_id)
