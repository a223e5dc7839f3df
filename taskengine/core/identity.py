"""The id of an execution is a function of its task and attempt, that of a workflow's step of its workflow and path.

So no script needs randomness, a repeated verb names the same execution, and a withdrawn grant (it never ran) leaves
no trace. ``store/lua/parts/execution.lua`` computes the same; a test compares them.
"""

from __future__ import annotations

from hashlib import sha1
from uuid import UUID


def execution_id(task_id: UUID | str, attempt: int) -> UUID:
    """Return the id of attempt *attempt* (1 is the first) at a task, shaped as a version 5 UUID."""
    s = sha1(f"{task_id}:{attempt}".encode(), usedforsecurity=False).hexdigest()
    return UUID(f"{s[:8]}-{s[8:12]}-5{s[13:16]}-a{s[17:20]}-{s[20:32]}")


def step_id(workflow_id: UUID | str, path: str) -> UUID:
    """Return the id of the step at *path* of a workflow, task or not; the workflow's own for the path ``''``.

    So whatever is put twice is put once, and nobody has to look up which id belongs to a path.
    """
    return UUID(step_id_text(str(workflow_id), path))


def step_id_text(workflow_id: str, path: str) -> str:
    """Return the same as it is stored: of thousands of steps the UUIDs alone would take a fifth of the time."""
    if not path:
        return workflow_id
    s = sha1(f"{workflow_id}:{path}".encode(), usedforsecurity=False).hexdigest()
    return f"{s[:8]}-{s[8:12]}-5{s[13:16]}-a{s[17:20]}-{s[20:32]}"
