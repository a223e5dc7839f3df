"""Agents of the type http that stop at a moment of a request."""

from functools import wraps

from dying import around_awaited, around_reports_of_slots, stop_at

from workers.agents.http import Http


def before_posts():
    plain = Http._send

    @wraps(plain)
    async def stopping(self, method, *rest):
        stop_at("in_post" if method == "POST" else "")
        return await plain(self, method, *rest)

    Http._send = stopping


before_posts()
around_awaited(Http, "_begin", before="before_intent", after="after_intent")
around_awaited(Http, "_accepted", before="after_post", after="after_accept")
around_awaited(Http, "_look", before="in_poll")
around_reports_of_slots()
