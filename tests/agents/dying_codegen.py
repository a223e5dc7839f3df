"""Codegen agents that stop at a moment, once in the whole fleet, so that somebody can be killed there.

DIE_AT names the moment. Whoever comes to it first writes its pid into ``at-MOMENT`` in FLEET_MOMENTS and waits until
``go-MOMENT`` is there, or until it is killed.
"""

import os
import time
from functools import wraps
from pathlib import Path

from workers import poller, runner
from workers.agents.codegen import executor as codegen

FOLDER, MOMENT = Path(os.environ["FLEET_MOMENTS"]), os.environ["DIE_AT"]
codegen.UNSEEN_SECONDS = 2.0  # no post of these tests is longer on its way


def stop_at(moment):
    if moment != MOMENT:
        return
    try:
        with (FOLDER / f"at-{moment}").open("x") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        return
    end = time.monotonic() + 30
    while moment != "in_post" and not (FOLDER / f"go-{moment}").exists() and time.monotonic() < end:
        time.sleep(0.02)


def around(owner, name, before="", after=""):
    """Stop before or behind a function."""
    plain = getattr(owner, name)

    @wraps(plain)
    def stopping(*args, **kwargs):
        stop_at(before)
        value = plain(*args, **kwargs)
        stop_at(after)
        return value

    setattr(owner, name, stopping)


def around_awaited(owner, name, before="", after=""):
    plain = getattr(owner, name)

    @wraps(plain)
    async def stopping(*args, **kwargs):
        stop_at(before)
        value = await plain(*args, **kwargs)
        stop_at(after)
        return value

    setattr(owner, name, stopping)


around_awaited(codegen.Codegen, "_post", before="before_intent", after="after_post")
around(codegen.Codegen, "_body", before="after_intent", after="in_post")
around_awaited(codegen.Codegen, "poll", before="in_poll")
around(runner.Runner, "_let_go", after="after_detach")
around(poller.Poller, "_over", before="before_report", after="after_report")
