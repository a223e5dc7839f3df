"""Keys for the server of REST: who may ask it for what."""

from __future__ import annotations

from datetime import datetime

from taskengine import models
from taskengine.api import operations
from taskengine.api.aio.base_client import AsyncBaseClient


class AsyncKeys(AsyncBaseClient):
    """Make keys, list and revoke them."""

    async def create_key(
        self,
        name: str,
        *,
        scope: models.KeyScope | str = models.KeyScope.READ,
        expires_at: datetime | None = None,
        rate: int = 0,
    ) -> models.NewKey:
        """Make a key for the server of REST: ``.key`` is told this once, for only its hash is stored.

        *name*: whose it is, 1 to 100 characters; what is done with the key stands under it. *scope*: ``read``,
        ``submit``, ``operate`` or ``admin``, each of which may what those before it may. *rate*: requests a minute, 0
        for any number; ten seconds' worth of them may come at once. Over HTTP it ends no later than the key that makes
        it. Called twice it makes two. ConflictError when there are 10 000.
        """
        return await self._run(operations.keys.create_key(name, scope, expires_at, rate))

    async def list_keys(self) -> list[models.ApiKey]:
        """Return all keys, oldest first: whose, what each may do, until when, when it was used. Their secrets are
        stored nowhere.
        """
        return await self._run(operations.keys.list_keys())

    async def revoke_key(self, key: str) -> bool:
        """Forget a key, named by its id or shown whole, and every session of it; whether there was one.

        From the next request on it lets nobody in, on no server. Safe to repeat.
        """
        return await self._run(operations.keys.revoke_key(key))
