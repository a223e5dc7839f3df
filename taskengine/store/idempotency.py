"""Which tasks idempotency keys name already."""

from __future__ import annotations

from collections.abc import Sequence

from taskengine.store.call import Call, Operation
from taskengine.store.codec import digest
from taskengine.store.keys import Keys
from taskengine.store.tasks import statuses

#: Keys looked up by one call.
PIECE = 256


def owners(keys: Keys, given: Sequence[str]) -> Operation[dict[str, str]]:
    """Return the stored task that each of these idempotency keys names; keys that name none are left out."""
    found: dict[str, str] = {}
    for at in range(0, len(given), PIECE):
        piece = given[at : at + PIECE]
        names = tuple(keys.of("idem", digest(key)) for key in piece)
        ids: list[str | None] = yield from Call("MGET", names, list, command=True)
        named = {key: id for key, id in zip(piece, ids, strict=True) if id}
        if named:
            # A graph that is not committed is nobody's yet.
            seen = yield from statuses(list(named.values()))
            found |= {key: id for (key, id), status in zip(named.items(), seen, strict=True) if status}
    return found
