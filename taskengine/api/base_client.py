"""What the two clients share: settings, the server's address, and the message that wakes workers."""

from __future__ import annotations

import math
import time
from typing import Any, Self

from taskengine import embedded
from taskengine.api.context import OperationContext
from taskengine.errors import InvalidInputError, SettingsError
from taskengine.settings import Settings, current, is_http
from taskengine.store.address import read
from taskengine.store.keys import Keys


class BaseClient:
    """A client of one namespace; opening one touches nothing, its first call connects."""

    #: Where it asks from, for people.
    _asks_from = "here"
    #: Seconds for which it reads every record when it is asked to.
    _deep_seconds = math.inf

    def __new__(cls, url: object = None, settings: object = None, **_: Any) -> Self:
        """Return a client of the store; of a server of REST where the address is one."""
        made: Self = object.__new__(cls if _server_named(url, settings) is None else _over_http(cls))
        return made

    def __init__(
        self, url: str | None = None, settings: Settings | None = None, *, api_key: str | None = None
    ) -> None:
        if not isinstance(url, str | None):
            raise InvalidInputError(f"url is {url!r}; pass a Redis URL, https://HOST, or None", field="url")
        #: The settings in use; *url* wins over theirs.
        self.settings = _with_url(current() if settings is None else settings, url)
        self._context = OperationContext(Keys(self.settings.namespace), self.settings, time.monotonic)
        self._look_at(url or self.settings.url or self.settings.redis_url, api_key)

    def _look_at(self, url: str | None, api_key: str | None) -> None:
        """Refuse a wrong address here already."""
        if api_key is not None:
            raise InvalidInputError(
                "api_key is for a server of REST, and the address is that of a store; pass https://HOST as url",
                field="api_key",
            )
        if url is not None:
            read(url, allow_unverified_tls=self.settings.allow_unverified_tls)

    def _address(self) -> str:
        """Return the server's URL, started if it is the embedded one."""
        return embedded.ensure(self.settings)

    def _envelope(self) -> str:
        """Return the message that wakes a worker."""
        # Measured: Celery costs 0.2 s and 7 MB, which who only asks need not pay.
        from taskengine.transport.envelope import template

        return template()


def _server_named(url: object, settings: object) -> str | None:
    """Return the address of the server of REST that a client is for; None when it is for the store."""
    if url is None and isinstance(settings, Settings | None):
        return (current() if settings is None else settings).url
    return url if isinstance(url, str) and is_http(url) else None


def _with_url(settings: Settings, url: str | None) -> Settings:
    if url is None:
        return settings
    # What a server prints has this machine's key behind it, which settings, that people print, do not hold.
    changes = {"url": url.partition("#")[0]} if is_http(url) else {"url": None, "redis_url": url}
    return settings.model_copy(update=changes)


def _over_http(client: Any) -> Any:
    # Only who names a server pays for what speaks to it, and needs it installed.
    try:
        from taskengine.api.remote.made import remote
    except ModuleNotFoundError as exc:
        if exc.name != "httpx2":
            raise
        raise SettingsError("a client of a server of REST needs httpx2: pip install 'taskengine[http]'") from exc
    return remote(client)
