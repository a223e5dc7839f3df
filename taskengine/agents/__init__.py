"""The ports of an agent type: what a provider's client must offer to run tasks, and what it gets.

An *agent* is a name with a record; its *type* says how its tasks run. Two ports, because two kinds of waiting exist:

- :class:`Executor` holds a slot while it runs: Claude's stream, a command, a function.
- :class:`RemoteExecutor` holds none: it posts work to a service that takes minutes to hours, and one poller asks for
  thousands of them at once.

What a type needs (a client library, a binary, a secret) it imports at the top of its own module; nobody imports that
module but the loader, when a worker serves an agent of the type. So a worker without Claude pays nothing for it. A
third party adds a type by an entry point of the group ``taskengine.agents``: its name is the type, its value the class.

Nothing here does I/O, and nothing knows workers or Redis.
"""

from taskengine.agents.context import AgentContext, AsyncContext, NeedsInput
from taskengine.agents.executor import (
    Asks,
    Executor,
    Gone,
    Health,
    Over,
    RemoteExecutor,
    RemoteRepairs,
    RemoteState,
    Repairs,
    Running,
    Secrets,
    Stopped,
)
from taskengine.agents.reference import Reference, Tracked
from taskengine.agents.tools import tool

__all__ = [
    "AgentContext",
    "Asks",
    "AsyncContext",
    "Executor",
    "Gone",
    "Health",
    "NeedsInput",
    "Over",
    "Reference",
    "RemoteExecutor",
    "RemoteRepairs",
    "RemoteState",
    "Repairs",
    "Running",
    "Secrets",
    "Stopped",
    "Tracked",
    "tool",
]
