"""Agents whose tasks the page shows: they say things, ask, fail with markup in their words, and die."""

import logging
import os
import time
from pathlib import Path

from taskengine import Question, agent

MARKUP = '<img src=x onerror="document.title=1"><b>cold</b>'
_FORM = {
    "type": "object",
    "required": ["hosts"],
    "properties": {
        "hosts": {"type": "integer", "minimum": 1, "title": "Hosts"},
        "tier": {"enum": ["gold", "silver"], "title": "Tier"},
        "is_urgent": {"type": "boolean", "title": "Urgent"},
    },
}
_log = logging.getLogger("baker")


@agent(capabilities={"bake"})
def baker(task, context):
    _log.info("began %s", task.name)
    _log.warning("the oven is %s", MARKUP)
    context.progress(0.5, "half of it")
    for number in range(task.input.get("lines", 0)):
        _log.info("line %d", number)
    if task.input.get("fails"):
        raise ValueError(MARKUP)
    ends = time.monotonic() + task.input.get("seconds", 0)
    repeated = 0
    while time.monotonic() < ends and not context.cancelled:
        if "repeats" in task.input:  # what somebody writes into that file, a line each
            said = Path(task.input["repeats"]).read_text().splitlines()
            for line in said[repeated:]:
                _log.info("%s", line)
            repeated = len(said)
        time.sleep(0.05)
    return {"loaf": task.name}


@agent(capabilities={"choose", "fill"})
def asker(task, context):
    if context.answer is not None:
        return {"said": context.answer.value, "by": context.answer.by}
    if task.capability == "choose":
        context.ask(Question(text="Which oven?", kind="choice", options=("left", "right")))
    context.ask(Question(text="How many?", kind="form", answer_schema=_FORM))
    return None


@agent(capabilities={"die"})
def dier(task, context):
    os._exit(9)
