"""Codegen agents that stop at a moment of a run."""

from functools import wraps

from dying import around, around_awaited, stop_at

from workers import poller, runner
from workers.agents.codegen import executor as codegen

codegen.UNSEEN_SECONDS = 2.0  # no post of these tests is longer on its way


def around_ends_of_runs():
    plain = poller.Poller._over

    @wraps(plain)
    def stopping(self, one, due, outcome):
        asks = outcome.kind == "needs_input"
        stop_at("" if asks else "before_report")
        plain(self, one, due, outcome)
        stop_at("after_ask" if asks else "after_report")

    poller.Poller._over = stopping


def behind_answers():
    """Stop where a person's answer was handed to a run and not written down yet."""
    plain = codegen.Codegen._go_on

    @wraps(plain)
    async def stopping(self, previous, context):
        client, post = self._client, self._client.post

        async def posting(path, body):
            value = await post(path, body)
            stop_at("after_answer" if path == "run/resume" else "")
            return value

        client.post = posting
        try:
            return await plain(self, previous, context)
        finally:
            client.post = post

    codegen.Codegen._go_on = stopping


around_awaited(codegen.Codegen, "_post", before="before_intent", after="after_post")
around(codegen.Codegen, "_body", before="after_intent", after="in_post")
around_awaited(codegen.Codegen, "poll", before="in_poll")
around(runner.Runner, "_let_go", after="after_detach")
around_ends_of_runs()
behind_answers()
