"""The door on the worker side: ``celery -A workers worker -Q code_analysis -I my_agents``.

One Celery task, :mod:`workers.slot`, takes work from Redis until nothing is ready; a heartbeat thread in the parent
process keeps what the slots hold alive and ends what must end. Celery wakes slots and runs code; it never decides.
"""

from workers.app import app

__all__ = ["app"]
