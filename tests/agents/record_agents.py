"""Functions that are taken over by name, and one that only a record names."""

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


async def waiting(task, context):
    return {"by": "waiting"}
