"""Flower's settings for the way Celery users know::

    celery -A workers flower --conf=deploy/flower.py

``taskengine flower`` uses the same; what they are and why stands in
``taskengine/cli/flower_settings.py``. An option on the command line wins over this file.
"""

from taskengine.cli.flower_settings import (
    address,
    format_task,
    max_tasks,
    max_workers,
    persistent,
    port,
    purge_offline_workers,
    read_only,
    tasks_columns,
)

__all__ = [
    "address",
    "format_task",
    "max_tasks",
    "max_workers",
    "persistent",
    "port",
    "purge_offline_workers",
    "read_only",
    "tasks_columns",
]
