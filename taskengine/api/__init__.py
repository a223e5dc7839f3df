"""What a client may ask for: one operation for each method, and two clients that run it.

The logic is in :mod:`taskengine.api.operations`, once. :class:`TaskAPI` awaits its trips,
:class:`BlockingTaskAPI` blocks on them; both only delegate.
"""

from taskengine.api.aio import TaskAPI, WorkflowHandle
from taskengine.api.blocking import BlockingTaskAPI, BlockingWorkflowHandle

__all__ = ["BlockingTaskAPI", "BlockingWorkflowHandle", "TaskAPI", "WorkflowHandle"]
