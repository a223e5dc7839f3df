"""The key of a server for its own machine: it outlasts its server by a day, so that one that was killed leaves none for
ever.
"""

from __future__ import annotations

from taskengine.api.arguments import user
from taskengine.api.operations.keys import fresh, refuse_full, shown_of
from taskengine.api.surface import Scope
from taskengine.store import api_keys
from taskengine.store.call import Operation

#: Milliseconds that one lasts unless it is renewed.
LIFE = 24 * 3600 * 1000
_LONGEST_NAME = 100


def make() -> Operation[str]:
    """Store a key for everything and return it whole. It is called as its user, whose name stands with what is done."""
    key, made = fresh()
    name = user(None, "name")[:_LONGEST_NAME]
    refuse_full((yield from api_keys.put(made.key_id, made.sha, name, Scope.ADMIN.word, None, 0, LIFE)))
    return key


def renew(key: str) -> Operation[bool]:
    """Let it last from now on; whether it is still there."""
    shown = shown_of(key)
    assert shown is not None
    return (yield from api_keys.renew(shown.key_id, shown.sha, LIFE)).ok


def drop_lapsed() -> Operation[list[str]]:
    """Forget those whose servers renew them no more; return their ids."""
    dropped: list[str] = []
    for key in (yield from api_keys.every_key()):
        if key.is_local and (yield from api_keys.revoke(key.id, if_lapsed=True)).ok:
            dropped.append(key.id)
    return dropped
