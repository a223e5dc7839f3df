"""The async client: awaitable methods for callers on an event loop."""

from taskengine.api.aio.tasks import TaskAPI
from taskengine.api.aio.workflow_handle import WorkflowHandle

__all__ = ["TaskAPI", "WorkflowHandle"]
