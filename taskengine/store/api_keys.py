"""Keys for the server of REST: the hash of a secret, what it may do, until when and how often."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from taskengine.models.enums import KeyScope
from taskengine.models.key import ApiKey
from taskengine.store.call import Call, Operation
from taskengine.store.codec import millis, moment
from taskengine.store.replies import Reply, reply
from taskengine.store.verb import Verb

#: Keys that may be stored.
MOST_KEYS = 10_000
#: Sessions that one key may have.
MOST_SESSIONS = 100


class _Row(NamedTuple):
    id: str
    name: str
    scope: str
    created: str
    ends: str
    rate: str
    used: str
    is_local: str


_PUT = Verb("put_api_key", reply)
_ADMIT = Verb("admit", reply)
_OPEN = Verb("open_session", reply)
_CLOSE = Verb("close_session", reply)
_RENEW = Verb("renew_api_key", reply)
_REVOKE = Verb("revoke_api_key", reply)
_READ: Verb[list[Any]] = Verb("read_api_keys", list, api_key=_Row)


def put(
    id: str, sha: str, name: str, scope: str, expires_at: datetime | None, rate: int, life: int | None = None
) -> Call[Reply]:
    """Store a key: ok, taken (the id is another key's) or full.

    *life*: milliseconds from now on that a server's own key for its machine lasts; None for any other.
    """
    ends = millis(expires_at)
    return _PUT(
        id=id, sha=sha, name=name, scope=scope, ends="" if ends is None else ends, rate=rate,
        life="" if life is None else life, most=MOST_KEYS,
    )  # fmt: skip


def renew(id: str, sha: str, life: int) -> Call[Reply]:
    """Let a server's own key last so many milliseconds from now on: ok or missing."""
    return _RENEW(id=id, sha=sha, life=life)


def admit(id: str, sha: str, request: str, session: str = "") -> Call[Reply]:
    """Let a request in: ok (name, scope, its end), limited (ms to wait, name), missing or expired. It counts once.

    *sha*: of the secret of the key, or of the *session* of it that is shown. *request*: its id; '' counts nothing.
    """
    return _ADMIT(id=id, session=session, sha=sha, request=request)


def open_session(id: str, sha: str, session: str, secret: str, ms: int) -> Call[Reply]:
    """Let a browser in with a key: ok or missing. *secret*: sha256 of the session's; *ms*: how long it lasts."""
    return _OPEN(id=id, sha=sha, session=session, secret=secret, ms=ms, most=MOST_SESSIONS)


def close_session(id: str, session: str) -> Call[Reply]:
    """End a session of a key: ok or missing."""
    return _CLOSE(id=id, session=session)


def revoke(id: str, *, if_lapsed: bool = False) -> Call[Reply]:
    """Forget a key and its sessions: ok, missing, or lasts where only one whose end is over is meant."""
    return _REVOKE(id=id, lapsed="1" if if_lapsed else "")


def every_key() -> Operation[list[ApiKey]]:
    """Return all keys, oldest first; one that is revoked meanwhile may be missing, or hide its neighbour."""
    found: dict[str, ApiKey] = {}
    start = 0
    while True:
        start, *rows = yield from _READ(start=start)
        found.update((key.id, key) for row in rows if (key := _key(_Row(*row))))
        if not start:
            return list(found.values())


def _key(row: _Row) -> ApiKey | None:
    at = moment(row.created)
    if at is None:
        return None
    return ApiKey(
        id=row.id, name=row.name, scope=KeyScope(row.scope), created_at=at, expires_at=moment(row.ends),
        rate=int(row.rate or 0), used_at=moment(row.used),
        is_local=bool(row.is_local),
    )  # fmt: skip
