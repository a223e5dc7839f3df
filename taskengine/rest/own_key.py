"""The key of a server on the loopback interface for its machine, while it serves.

It is the one of the file that is there, so that clients outlive a restart, or a new one. It is renewed while the server
lives; behind one that was killed it lapses. A port that nobody chose does not come again: its key goes with its server.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from taskengine.api import local_key
from taskengine.api.operations import local_keys
from taskengine.api.operations.keys import admit, id_of
from taskengine.api.surface import Scope
from taskengine.errors import AccessError, StoreError
from taskengine.rest.auth import Door
from taskengine.rest.bind import Bind

#: Seconds between two renewals: soon after a machine wakes up again, its key is valid again.
_EVERY = 300.0


@asynccontextmanager
async def own_key(door: Door, bind: Bind, port: int) -> AsyncIterator[Path | None]:
    """Yield the file with a key that is valid while the block lasts; None where this server has none of its own."""
    if not bind.is_loopback or bind.no_login:
        yield None
        return
    path = local_key.path_of(door.settings, port)
    local_key.remove(path.parent, await door.ask(local_keys.drop_lapsed()))
    key = await _valid(door, path) or await _make(door, path)
    renewing = asyncio.ensure_future(_renew(door, key))
    try:
        yield path
    finally:
        renewing.cancel()
        if not bind.port:
            await _give_up(door, path, key)
        await door.close()


async def _valid(door: Door, path: Path) -> str | None:
    """Return the key of the file, renewed; None where it is revoked, or of another store."""
    there = local_key.read(path)
    if there is None:
        return None
    with suppress(AccessError):
        if (await door.ask(admit(there))).scope is Scope.ADMIN and await door.ask(local_keys.renew(there)):
            return there
    return None


async def _make(door: Door, path: Path) -> str:
    key = await door.ask(local_keys.make())
    local_key.write(path, key)
    return key


async def _renew(door: Door, key: str) -> None:
    """Renew it until it is revoked; a store that does not answer is asked again."""
    is_there = True
    while is_there:
        await asyncio.sleep(_EVERY)
        with suppress(StoreError):
            is_there = await door.ask(local_keys.renew(key))


async def _give_up(door: Door, path: Path, key: str) -> None:
    """Revoke it, and remove its file; with a store that does not answer it lapses."""
    with suppress(StoreError):
        await door.revoke_key(key)
        local_key.remove(path.parent, {id_of(key)})
