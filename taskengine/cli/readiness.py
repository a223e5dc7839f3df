"""When a stack has come up: somebody coordinates, as many workers as were started take work, Flower and the page
answer.
"""

from __future__ import annotations

import socket
import time
from typing import Any

from taskengine.api import BlockingTaskAPI
from taskengine.cli.page import serves
from taskengine.errors import StoreError

_ASK_SECONDS = 0.25


class Readiness:
    """Asks the fleet now and then until it is up."""

    def __init__(
        self, api: BlockingTaskAPI, *, workers: int, flower_port: int | None, http_port: int | None
    ) -> None:
        self._api = api
        self._workers = workers
        self._flower_port = flower_port
        #: None: nobody waits for the page, or not any more.
        self.http_port = http_port
        self._known = {worker["name"] for worker in api.list_workers()}
        self._ready = False
        #: Workers that were not there before.
        self.fresh: list[dict[str, Any]] = []
        self._ask_at = 0.0

    def is_up(self) -> bool:
        """Return whether everything was up once; asks at most a few times a second."""
        if not self._ready and time.monotonic() >= self._ask_at:
            self._ask_at = time.monotonic() + _ASK_SECONDS
            self._ready = self._fleet_is_up() and self._is_shown()
        return self._ready

    def _is_shown(self) -> bool:
        flower, http = self._flower_port, self.http_port
        return (flower is None or _listens(flower)) and (http is None or serves(http))

    def _fleet_is_up(self) -> bool:
        try:
            workers = self._api.list_workers()
            leader = self._api.health_check()["coordinator"]
        except StoreError:
            return False
        self.fresh = [worker for worker in workers if worker["alive"] and worker["name"] not in self._known]
        return leader is not None and len(self.fresh) >= self._workers


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return True
    except OSError:
        return False
