"""Flower's page of tasks beside ours: ``python -m benchmarks.peers.page_flower [2000 20000]``.

Flower has no graph and draws no list of all: its page asks its server for 15 rows, sorted there, of the tasks whose
events it heard. So it is held against our list of tasks, and not against our picture. Both are Celery's tasks that do
nothing, in the same browser on the same machine, cold: a new profile each time.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version

import httpx2

from benchmarks.peers.app import make
from benchmarks.peers.look import Look, look
from benchmarks.processes import Process, until
from benchmarks.server import Server

_PATIENCE = 1800.0
_ROWS = "return document.querySelectorAll('#tasks-table tbody tr[id]').length >= 15"


def measure(size: int) -> Look:
    """Look at Flower's page once it has heard the events of *size* tasks."""
    with ExitStack() as exits:
        address = exits.enter_context(_heard(size))
        return look(f"flower {version('flower')}", size, f"{address}/tasks", _ROWS)


@contextmanager
def _heard(size: int) -> Iterator[str]:
    with ExitStack() as exits:
        server = Server()
        exits.callback(server.close)
        url, port = server.broker_url(1), _free_port()
        about = {"BENCHMARK_PEER_URL": url, "FLOWER_UNAUTHENTICATED_API": "1"}
        words = f"flower --address=127.0.0.1 --port={port} --max_tasks={size + 1000}"
        for command in (words, "worker -P prefork -c 2 -E --without-gossip --without-mingle"):
            process = Process.python(*f"celery -A benchmarks.peers.app {command}".split(), variables=about)
            exits.callback(process.stop)
        address = f"http://127.0.0.1:{port}"
        until(lambda: _total(address) is not None, 120, "Flower answers")
        app = make(url)
        for _ in range(size):
            app.tasks["count"].delay("page", size)
        until(lambda: (_total(address) or 0) >= size, _PATIENCE, f"Flower has heard of {size} tasks")
        until(lambda: server.database(1).llen("bench:page:done"), _PATIENCE, "they have ended")
        yield address


def _total(address: str) -> int | None:
    sorting = {"order[0][column]": "0", "columns[0][data]": "name"}
    asked = {"draw": "1", "start": "0", "length": "1", **sorting}
    try:
        answer = httpx2.get(f"{address}/tasks/datatable", params=asked, trust_env=False)
        return int(answer.json()["recordsTotal"]) if answer.is_success else None
    except httpx2.TransportError:
        return None


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


if __name__ == "__main__":
    for words in sys.argv[1:] or ("2000", "20000"):
        print(measure(int(words)).line(), flush=True)
