"""The id of an execution is a function of its task and attempt.

So no script needs randomness, a repeated verb names the same execution, and a withdrawn grant (it never ran) leaves
no trace. ``store/lua/parts/execution.lua`` computes the same; a test compares them.
"""

from __future__ import annotations

from hashlib import sha1
from uuid import UUID


def execution_id(task_id: UUID | str, attempt: int) -> UUID:
    """The id of attempt *attempt* (1 is the first) at a task, shaped as a version 5 UUID."""
    s = sha1(f"{task_id}:{attempt}".encode(), usedforsecurity=False).hexdigest()
    return UUID(f"{s[:8]}-{s[8:12]}-5{s[13:16]}-a{s[17:20]}-{s[20:32]}")
