"""Agents that leave a reference, ask a person, and go on where they were."""

from taskengine import Question, Reference, agent


@agent("asker", capabilities={"ask"})
def ask(task, context):
    if context.answer is None:
        context.checkpoint(Reference("mine", "posted", f"turn-{context.attempt}"))
        context.ask(Question(id="deploy", text="Deploy now?"))
    return {"said": context.answer.value, "left": context.previous.id, "attempt": context.attempt}


@agent("awaiter", capabilities={"ask_on_loop"})
async def ask_on_loop(task, context):
    if context.answer is None:
        await context.aio.checkpoint(Reference("mine", "posted", f"turn-{context.attempt}"))
        context.ask(Question(id="deploy", text="Deploy now?"))
    return {"said": context.answer.value, "left": context.previous.id, "attempt": context.attempt}
