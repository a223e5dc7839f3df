"""The agents that the manual's examples speak of."""

from taskengine.agent import agent


@agent("codegen_agent_1", capabilities={"code_analysis", "code_generation"})
def analyse(task, context):
    """Burns a little, so that there is something to measure."""
    context.log("analysed", repository=task.input.get("repository_url"))
    return {"description": task.description, "sum": sum(range(200_000))}


@agent("claude_agent_1", capabilities={"code_review", "testing"})
async def review(task, context):
    return {"of": dict(context.results)}


@agent("custom_agent_1", capabilities={"custom", "deployment", "monitoring", "workflow"})
def custom(task, context):
    return task.description
