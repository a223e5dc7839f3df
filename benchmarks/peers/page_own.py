"""Our own page as the peers' are looked at: ``python -m benchmarks.peers.page_own [2000 20000]``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import version

from benchmarks.client import Client
from benchmarks.peers.look import Look, look
from benchmarks.served import served
from benchmarks.server import Server
from taskengine.demo.mosaic import mosaic
from taskengine.demo.run import to_tasks

_PICTURE = """
return performance.getEntriesByName("taskengine:picture").length > 0
  && document.querySelector(".canvas-cover")?.hidden === true;
"""
_ROWS = "return document.querySelectorAll('table tbody tr').length >= 50"


def measure(size: int) -> Iterator[Look]:
    """Look at the picture of a run of *size* tasks, and at the list of tasks."""
    server = Server()
    client = Client(server.url, server.client)
    try:
        run = client.api.create_tasks(to_tasks(mosaic(size), "nobody"), name="page")[0].run_id
        with served(server.url) as rest:
            what = f"taskengine {version('taskengine')}"
            yield look(f"{what}: picture", size, f"{rest.url}/#/runs/{run}/graph", _PICTURE)
            yield look(f"{what}: list", size, f"{rest.url}/#/tasks", _ROWS)
    finally:
        client.close()
        server.close()


if __name__ == "__main__":
    for words in sys.argv[1:] or ("2000", "20000"):
        for seen in measure(int(words)):
            print(seen.line(), flush=True)
