"""The engine's processes on one server: a coordinator, a worker, and whoever listens to the events."""

from __future__ import annotations

from typing import Literal

import psutil

from benchmarks.client import Client
from benchmarks.processes import Process, until

Pool = Literal["prefork", "threads"]
_CELERY = "celery -A workers"


class Fleet:
    """A coordinator and one worker."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._processes: list[Process] = []

    def start(self, pool: Pool, slots: int, *, listened: bool) -> None:
        """Start the processes and wait until the slots are offered."""
        variables = {"TASKENGINE_REDIS_URL": str(self._client.settings.redis_url)}
        modules = ["taskengine.coordinator", f"{_CELERY} worker -P {pool} -c {slots} -I benchmarks.agents"]
        if listened:
            modules.append(f"{_CELERY} events --dump")
        for module in modules:
            self._processes.append(Process.python(*module.split(), variables=variables))
        until(lambda: self._offers(slots), 60, f"a worker offers {slots} slots")

    def pids(self) -> dict[str, list[int]]:
        """Processes by what they do: the coordinator, the worker's parent, its children."""
        coordinator, worker = (process.pid for process in self._processes[:2])
        children = [child.pid for child in psutil.Process(worker).children()]
        return {"coordinator": [coordinator], "worker": [worker], "children": children}

    def close(self) -> None:
        """End the processes, the worker before its coordinator."""
        for process in reversed(self._processes):
            process.stop()

    def _offers(self, slots: int) -> bool:
        for process in self._processes:
            process.require_alive()
        living = [node for node in self._client.api.list_workers() if node["alive"] and not node["draining"]]
        return bool(sum(node["slots"] for node in living) == slots)
