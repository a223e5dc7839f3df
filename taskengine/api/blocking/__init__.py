"""The blocking client, for scripts and threads: generated from the async one, but for what opens its connections."""

from taskengine.api.blocking.tasks import BlockingTaskAPI

__all__ = ["BlockingTaskAPI"]
