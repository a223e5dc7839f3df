"""Keys for the server of REST: made, listed, revoked, shown with a request, and shown once for a session of a browser.

A key is ``te_ID_SECRET``. Its secret is 32 random bytes, so its sha256 is enough: nobody guesses one, and a hash that
is slow on purpose would cost each request what it is to cost a guess. The secret is told once and stored nowhere.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from taskengine.api.arguments import instant, number, text
from taskengine.api.surface import Scope
from taskengine.errors import (
    ConflictError,
    InvalidInputError,
    TooManyRequestsError,
    UnknownKeyError,
)
from taskengine.models.enums import KeyScope
from taskengine.models.key import ApiKey, NewKey
from taskengine.store import api_keys
from taskengine.store.call import Operation
from taskengine.store.codec import moment
from taskengine.store.replies import Reply

_FORM = re.compile(r"te_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_SESSION = re.compile(r"ts_([0-9a-f]{12})_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
#: Seconds that a session lasts.
SESSION_SECONDS = 12 * 3600
_MOST_A_MINUTE = 1_000_000
_LONGEST_NAME = 100
_LOG_IN = "the session is over; log in with a key again"


class Shown(NamedTuple):
    """What a request showed, without its secret."""

    key_id: str
    sha: str
    #: '' for the key itself.
    session: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the key that came with the request says."""

    #: None where no key is asked for.
    name: str | None
    scope: Scope
    #: None where no key is asked for.
    shown: Shown | None = None
    #: When the key is over; None: never, or when nobody renews it any more.
    ends: datetime | None = None


def create_key(
    name: str, scope: KeyScope | Scope | str, expires_at: datetime | None = None, rate: int = 0
) -> Operation[NewKey]:
    """Store a key and return it, secret and all: it is told this once.

    *rate*: requests a minute, 0 for any number; of them ten seconds' worth may come at once.
    """
    named, allowed = text(name, "name", _LONGEST_NAME), scope_of(scope)
    ends = None if expires_at is None else instant(expires_at, "expires_at")
    often = number(rate, "rate", 0, _MOST_A_MINUTE)
    key, made = fresh()
    refuse_full((yield from api_keys.put(made.key_id, made.sha, named, allowed.word, ends, often)))
    return NewKey(id=made.key_id, name=named, scope=KeyScope(allowed.word), expires_at=ends, rate=often, key=key)


def fresh() -> tuple[str, Shown]:
    """Return a key that there never was, whole and without its secret."""
    id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return f"te_{id}_{secret}", Shown(id, _hash(secret))


def refuse_full(answer: Reply) -> None:
    """ConflictError when a key was not stored, for there are too many."""
    if not answer.ok:
        most = api_keys.MOST_KEYS
        raise ConflictError(f"there are {most} keys, which is the most; revoke those that nobody uses")


def end_of(wanted: datetime | None, caller: Caller) -> datetime | None:
    """Return when a key is over that another one makes: by its maker's end, or an end would bound nobody.

    InvalidInputError when a later one is asked for.
    """
    if caller.ends is None or wanted is None:
        return caller.ends or wanted
    if instant(wanted, "expires_at") > caller.ends:
        raise InvalidInputError(
            f"the key that makes it ends at {caller.ends:%Y-%m-%dT%H:%M:%SZ}, and what it makes may not last longer; "
            "name an earlier expires_at, or make it with a key that lasts",
            field="expires_at",
        )
    return wanted


def list_keys() -> Operation[list[ApiKey]]:
    """Return all keys without their secrets, oldest first."""
    return (yield from api_keys.every_key())


def revoke_key(key: str) -> Operation[bool]:
    """Forget a key, named by its id or shown whole: whether there was one. From the next request it lets nobody in."""
    answer = yield from api_keys.revoke(id_of(text(key, "key", _LONGEST_NAME)))
    return answer.ok


def shown_of(key: str) -> Shown | None:
    """Return a whole key without its secret; None if it is none."""
    found = _FORM.fullmatch(key)
    return None if found is None else Shown(found[1], _hash(found[2]))


def id_of(key: str) -> str:
    """Return the id of a key that is shown whole, or named by its id already."""
    found = _FORM.fullmatch(key)
    return found[1] if found else key


def admit(shown: str) -> Operation[Caller]:
    """Return who shows this key; UnknownKeyError, TooManyRequestsError."""
    if (key := shown_of(shown)) is None:
        raise UnknownKeyError()
    answer = yield from _admit(key)
    if answer.word == "expired":
        raise UnknownKeyError("the key has expired; make a new one with: taskengine keys create NAME")
    return _caller(answer, key)


def open_session(shown: str) -> Operation[str]:
    """Return the word that stands for this key for twelve hours; UnknownKeyError, TooManyRequestsError.

    It dies with the key. Of more than a hundred of one key those that end first make room.
    """
    yield from admit(shown)
    key = shown_of(shown)
    assert key is not None
    session, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    answer = yield from api_keys.open_session(key.key_id, key.sha, session, _hash(secret), SESSION_SECONDS * 1000)
    if not answer.ok:
        raise UnknownKeyError()
    return f"ts_{key.key_id}_{session}_{secret}"


def admit_session(shown: str) -> Operation[Caller]:
    """Return who shows this session; UnknownKeyError when it is over or its key is, TooManyRequestsError."""
    found = _SESSION.fullmatch(shown)
    if found is None:
        raise UnknownKeyError(_LOG_IN)
    session = Shown(found[1], _hash(found[3]), found[2])
    answer = yield from _admit(session)
    if answer.word in {"missing", "expired"}:
        raise UnknownKeyError(_LOG_IN)
    return _caller(answer, session)


def is_let_in(shown: Shown) -> Operation[bool]:
    """Whether what was shown once would still do; it is no request, so it counts for no rate."""
    answer = yield from api_keys.admit(shown.key_id, shown.sha, "", shown.session)
    return answer.ok


def _admit(shown: Shown) -> Operation[Reply]:
    return (yield from api_keys.admit(shown.key_id, shown.sha, secrets.token_hex(8), shown.session))


def close_session(shown: str) -> Operation[None]:
    """End a session, if it is one whose secret is shown."""
    yield from admit_session(shown)
    found = _SESSION.fullmatch(shown)
    assert found is not None
    yield from api_keys.close_session(found[1], found[2])


def _caller(answer: Reply, shown: Shown) -> Caller:
    if answer.word == "limited":
        raise TooManyRequestsError(answer.text(1), answer.number() / 1000)
    if not answer.ok:
        raise UnknownKeyError()
    return Caller(answer.text(), scope_of(answer.text(1)), shown, moment(answer.text(2)))


def scope_of(word: KeyScope | Scope | str) -> Scope:
    """Return a scope, given itself or as its word."""
    if isinstance(word, Scope):
        return word
    for scope in Scope:
        if word == scope.word:
            return scope
    words = ", ".join(scope.word for scope in Scope)
    raise InvalidInputError(f"scope is {word!r:.80}; use one of {words}", field="scope")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
