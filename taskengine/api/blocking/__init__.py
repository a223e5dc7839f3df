"""The blocking door, for scripts and threads; its docstrings are those of the async one."""

from taskengine.api.blocking.tasks import BlockingTaskAPI

__all__ = ["BlockingTaskAPI"]
