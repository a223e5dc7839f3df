"""What a loop's old turns made leaves Redis, a bounded piece at a time; safe to repeat."""

from __future__ import annotations

from taskengine.store.call import Operation
from taskengine.store.records import index_names
from taskengine.store.replies import Reply, reply
from taskengine.store.tasks import read
from taskengine.store.verb import Verb

_READ_OLD_TURNS: Verb[list[str]] = Verb("read_old_turns", list)
_ERASE_OLD_TURNS = Verb("erase_old_turns", reply)


def erase_old_turns(term: str, entry: str, step: str, stay: int) -> Operation[Reply]:
    """Erase the next of a loop's oldest children, of which the newest *stay* are kept: ok (1 while more remain) or
    stale.

    Without an *entry* what remains is asked for by one of its own.
    """
    ids = yield from _READ_OLD_TURNS(step=step, stay=stay)
    tasks = yield from read(ids)
    # Nobody reads a step, and no filter finds it.
    pairs = [{"task": id, "index": index_names(task) if task else ""} for id, task in zip(ids, tasks, strict=True)]
    return (yield from _ERASE_OLD_TURNS(term=term, entry=entry, step=step, stay=stay, tasks=pairs))
