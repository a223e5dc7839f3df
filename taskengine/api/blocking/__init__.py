"""The blocking client, for scripts and threads: generated from the async one, but for what opens its connections."""

from taskengine.api.blocking.tasks import BlockingTaskAPI
from taskengine.api.blocking.workflow_handle import BlockingWorkflowHandle

__all__ = ["BlockingTaskAPI", "BlockingWorkflowHandle"]
