"""Codegen agents that stop at a moment of a run."""

from functools import wraps

from dying import around, around_awaited, stop_at

from workers import poller, runner
from workers.agents.codegen import executor as codegen
from workers.agents.codegen.client import Client

codegen.UNSEEN_SECONDS = 2.0  # no post of these tests is longer on its way


def around_ends_of_runs():
    plain = poller.Poller._over

    @wraps(plain)
    def stopping(self, one, due, outcome):
        asks = outcome.kind == "needs_input"
        stop_at("" if asks else "before_report")
        goes_on = plain(self, one, due, outcome)
        stop_at("after_ask" if asks else "after_report")
        return goes_on

    poller.Poller._over = stopping


def behind_words_to_runs():
    """Stop where a run heard a person's answer, or what is wrong with its result, and nobody wrote that down yet."""
    plain = Client.post

    @wraps(plain)
    async def stopping(self, path, body):
        value = await plain(self, path, body)
        if path == "run/resume":
            stop_at("after_answer" if body["prompt"] == "yes" else "in_repair")
        return value

    Client.post = stopping


around_awaited(codegen.Codegen, "_post", before="before_intent", after="after_post")
around(codegen.Codegen, "_body", before="after_intent", after="in_post")
around_awaited(codegen.Codegen, "poll", before="in_poll")
around(runner.Runner, "_let_go", after="after_detach")
around_ends_of_runs()
behind_words_to_runs()
