"""Flower's settings, as ``taskengine flower`` and ``deploy/flower.py`` give them to it.

Broker, namespace and TLS come from ``celeryconfig.py`` as for every worker; here stands only what is
Flower's own. It has no login by default and its ``/metrics`` never asks for one, so it listens on the
loopback interface. To reach it from elsewhere put a proxy with TLS and a login before it, or say so on
the command line, which wins over this file: ``taskengine flower -- --address=0.0.0.0
--basic_auth=user:password``.
"""

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

# The name of an execution is its agent or task type; args hold the task's name and ids, never inputs.
tasks_columns = "name,uuid,args,state,received,started,runtime,worker"
