"""What Claude may call in this example: ``taskengine worker --agent claude_support --import support_tools``."""

from taskengine.agents import tool


@tool
def look_up(order: int) -> dict:
    """Look an order up by its number, for its status and the day on which it comes."""
    return {"order": order, "status": "shipped", "comes": "Tuesday"}
