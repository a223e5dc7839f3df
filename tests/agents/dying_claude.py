"""Claude agents that stop at a moment of a conversation, and the tools that they have. For workers of one slot."""

from functools import wraps

from claude_tools import slow_count  # noqa: F401  # it is declared there
from dying import around_awaited, around_reports_of_slots, stop_at

from workers.agents.claude.executor import Claude, _Run
from workers.agents.claude.stream import Turn
from workers.agents.claude.toolbox import Toolbox


class Asked:
    """What the one conversation of this process is about to hear."""

    is_repair = False


def around_streams():
    """Stop where the first event of an answer came: it is paid, and nobody has heard it."""
    ask, take = _Run._ask, Turn.take

    @wraps(ask)
    async def asking(self):
        Asked.is_repair = self.talk.is_repaired
        return await ask(self)

    @wraps(take)
    def taking(self, event):
        text = take(self, event)
        if event.type == "message_start":
            stop_at("in_repair" if Asked.is_repair else "in_stream")
        return text

    _Run._ask, Turn.take = asking, taking


def before_runs():
    plain = Claude.run

    @wraps(plain)
    async def stopping(self, task, context):
        stop_at("before_call" if context.answer is None else "after_answer")
        return await plain(self, task, context)

    Claude.run = stopping


before_runs()
around_streams()
around_awaited(_Run, "_note", before="before_checkpoint", after="after_checkpoint")
around_awaited(Toolbox, "call", after="in_tool")
around_reports_of_slots()
