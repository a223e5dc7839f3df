"""Functions that are taken over by name, and one that only a record names."""

import time

from taskengine import agent


@agent("codegen_agent", capabilities={"code_analysis"})
def codegen_executor(task, context):
    """Analyses code."""
    return {"by": "codegen_executor", "queue": task.capability}


@agent("second", capabilities={"code_analysis", "more"})
def second(task, context):
    return {"by": "second"}


def plain(task, context):
    return {"by": "plain", "token": context.secret("TOKEN")}


def sleeps(task, context):
    time.sleep(30)


async def waiting(task, context):
    return {"by": "waiting"}
