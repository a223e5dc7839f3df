"""Stops whoever comes to a moment first, once in the whole fleet, so that somebody can be killed there.

DIE_AT names the moment. Whoever comes to it writes its pid into ``at-MOMENT`` in FLEET_MOMENTS and waits until
``go-MOMENT`` is there, or until it is killed. Modules beside this one say where the moments of an agent type are.
"""

import os
import time
from functools import wraps
from pathlib import Path

from workers import runner

FOLDER, MOMENT = Path(os.environ["FLEET_MOMENTS"]), os.environ["DIE_AT"]


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


def around_reports_of_slots():
    """Stop where a slot tells how an execution ended: a question is another moment than an end."""
    plain = runner.Runner._report

    @wraps(plain)
    def stopping(self, over, *, pull):
        asks = any(one.outcome.kind == "needs_input" for one in over)
        stop_at("" if asks else "before_report")
        answer = plain(self, over, pull=pull)
        stop_at("after_ask" if asks else "after_report")
        return answer

    runner.Runner._report = stopping
