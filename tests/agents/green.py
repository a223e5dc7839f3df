"""A pool of none of the kinds that run agents, as gevent's and eventlet's are."""

from celery.concurrency.base import BasePool


class TaskPool(BasePool):
    """Never started."""
