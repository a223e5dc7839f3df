"""Claude through the Messages API: the agent type ``claude``.

The whole conversation is ours: each turn is one streamed request, what it came to is checkpointed when it is finished,
and the next attempt goes on behind it. So a kill costs at most the turn that was being streamed, which the service has
no way to give again.
"""

from workers.agents.claude.executor import Claude

__all__ = ["Claude"]
