"""Agents that tell their secret in every way there is."""

import logging
import os
from base64 import b64encode
from urllib.parse import quote

from taskengine import ArtifactKind, Question, Reference, agent


@agent("teller", capabilities={"tell"})
def tell(task, context):
    told = spelled(context.secret("CANARY_KEY"))
    print(told)
    logging.getLogger("my.agent").error(told)
    context.log(told, key=told)
    context.progress(0.5, told)
    context.stream(told)
    context.artifact("a", told, ArtifactKind.TRANSCRIPT)
    context.checkpoint(Reference("mine", "posted", "7", words={"said": told}))
    if context.answer is None:
        context.ask(Question(text=told, kind="choice", options=(told[:400], "go on")))
    if task.name == "fails":
        raise ValueError(told)
    return {"said": told, told[:200]: [told]}


@agent("awaiter", capabilities={"tell_on_loop"})
async def tell_on_loop(task, context):
    told = spelled(context.secret("CANARY_KEY"))
    print(told)
    await context.aio.artifact("a", told)
    await context.aio.checkpoint(Reference("mine", "posted", "7", words={told[:100]: told}))
    raise ValueError(told)


def spelled(value):
    basic = b64encode(f"user:{value}".encode()).decode()
    assert os.environ["CANARY_KEY"] == value
    return f"{value} x{value}y {quote(value, safe='')} {basic} {b64encode(value.encode()).decode()} {value!r}"
