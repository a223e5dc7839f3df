"""Tools for the tests of the type claude."""

from taskengine.agents import tool


@tool
def slow_count(n: int, *, call_id: str) -> dict:
    """Count on by one."""
    return {"n": n + 1, "call_id": call_id}
