"""Agents whose work is paid for: they stop where their worker is cut off."""

import asyncio
import os
import time
from pathlib import Path

from taskengine import Reference, agent

_SAID = Path(os.environ["FLEET_EFFECTS"])


def say(what):
    with _SAID.open("a", encoding="utf-8") as file:
        file.write(f"{what} {time.monotonic()}\n")


@agent("payer", capabilities={"pay"})
async def pay(task, context):
    if context.previous is not None:
        return {"attempt": context.attempt}
    await context.aio.checkpoint(Reference("mine", "posted", "7"))
    say("begun")
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        say("stopped")
        raise


@agent("sturdy", capabilities={"last"})
async def last(task, context):
    say("lasts")
    await asyncio.sleep(task.input["seconds"])
    return {"attempt": context.attempt}


pay.stops_when_cut_off = True
