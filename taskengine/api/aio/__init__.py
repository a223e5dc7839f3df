"""The async client: awaitable methods for callers on an event loop."""

from taskengine.api.aio.tasks import TaskAPI

__all__ = ["TaskAPI"]
