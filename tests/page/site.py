"""A fleet with a page: store, coordinator, worker and server as processes, a client beside them."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from taskengine import BlockingTaskAPI
from taskengine.models import Task

from ..conftest import Valkey
from ..fleet import QUICK, Fleet, Process, until

#: The id of nothing: who looks at it is told, in the console, too.
LACKING = "00000000-0000-0000-0000-000000000004"


class Site:
    """Started once for all tests that look at it."""

    def __init__(self, valkey: Valkey, folder: Path) -> None:
        # A busy machine delays beats: nobody shall be taken for lost who is slow.
        clocks = {**dict.fromkeys(QUICK), "heartbeat_seconds": 1.0, "sweep_seconds": 0.5, "leader_seconds": 3.0}
        self.fleet = Fleet(valkey, folder, **clocks, max_lost=1)
        self.fleet.coordinator()
        worker = self.fleet.celery("page", slots=2, agents="page_agents")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.server = self.serve()
        self.fleet.await_ready(worker, seconds=90)
        self.fleet.await_leader(60)
        self.api: BlockingTaskAPI = self.fleet.api()

    def serve(self) -> Process:
        """A server on the port of this site, which listens."""
        name = f"server-{len(self.fleet.processes)}"
        command = ("-m", "taskengine.cli", "-o", "json", "server", "--port", str(self.port))
        process = self.fleet.start(name, *command)
        said = until(lambda: process.log() if process.log().rstrip().endswith("}") else "", 90, "a server")
        data = json.loads(said[said.index("{") :])
        self.url: str = data["url"]
        self.key = Path(data["key_file"]).read_text().strip()
        return process

    def submit(self, name: str, *tasks: Task) -> str:
        """Submit tasks as a run of that name; its id."""
        made = self.api.create_tasks(list(tasks), name=name)
        return str(made[0].run_id)

    def close(self) -> None:
        """End everything."""
        self.api.close()
        self.fleet.close()
