"""What the two clients share: settings, the server's address, and the message that wakes workers."""

from __future__ import annotations

import time

from taskengine import embedded
from taskengine.api.context import OperationContext
from taskengine.errors import InvalidInputError
from taskengine.settings import Settings, current
from taskengine.store.address import read
from taskengine.store.keys import Keys


class BaseClient:
    """A client of one namespace; opening one touches nothing, its first call connects."""

    def __init__(self, url: str | None = None, settings: Settings | None = None) -> None:
        if not isinstance(url, str | None):
            raise InvalidInputError(f"url is {url!r}; pass a Redis URL, or None", field="url")
        base = current() if settings is None else settings
        #: The settings in use; *url* wins over theirs.
        self.settings = base if url is None else base.model_copy(update={"redis_url": url})
        if self.settings.redis_url is not None:
            # A wrong one is refused here already.
            read(self.settings.redis_url, allow_unverified_tls=self.settings.allow_unverified_tls)
        self._context = OperationContext(Keys(self.settings.namespace), self.settings, time.monotonic)

    def _address(self) -> tuple[str, str]:
        """Return the server's URL, started if it is the embedded one, and the message that wakes a worker."""
        # Measured: Celery costs 0.07 s and 7 MB, which modules that only declare agents need not pay.
        from taskengine.transport.envelope import template

        return embedded.ensure(self.settings), template()
