"""Flower's settings, as ``taskengine flower`` and ``deploy/flower.py`` give them to it.

Broker, namespace and TLS come from ``celeryconfig.py`` as for every worker; here stands only what is
Flower's own. It has no login by default and its ``/metrics`` never asks for one, so it listens on the
loopback interface. To reach it from elsewhere put a proxy with TLS and a login before it, or say so on
the command line, which wins over this file: ``taskengine flower -- --address=0.0.0.0
--basic_auth=user:password``.
"""

import re
from typing import Any

from taskengine.settings import current

address = "127.0.0.1"
port = current().flower_port

# Shutting a worker down or revoking a task from a browser would go around the engine: it would be taken for a
# fault and mended. What may be stopped is stopped by the engine's own commands.
read_only = True

# The truth is in Redis, so nothing is kept on disk; what Flower shows begins when it starts.
persistent = False
max_tasks = 20_000
max_workers = 2_000
# Seconds after which a stopped worker leaves the list and the metrics.
purge_offline_workers = 600

tasks_columns = "name,uuid,args,state,received,started,runtime,worker"

_ARGS = re.compile(r"\((?P<quote>['\"])(?P<name>.*)(?P=quote), task=")


def format_task(task: Any) -> Any:
    """Show the task's own name before its agent's in the list.

    Events carry the agent alone as name: Flower makes it a label of its metrics, and names of tasks would be series
    without end. What this returns is shown and counted nowhere. Arguments hold the task's name and ids, never inputs.
    """
    found = _ARGS.match(task.args or "")
    if found and task.name:
        task.name = f"{found['name']} ({task.name})"
    return task
