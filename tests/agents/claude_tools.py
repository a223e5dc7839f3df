"""Tools for the tests of the type claude."""

import subprocess

from taskengine.agents import tool


@tool
def slow_count(n: int, *, call_id: str) -> dict:
    """Count on by one."""
    return {"n": n + 1, "call_id": call_id}


@tool
def read_diff(pull_request_url: str) -> str:
    """Return the text of a change, as git shows it."""
    folder, _, number = pull_request_url.partition("/pull/")
    span = f"main...refs/pull/{int(number)}/head"
    return subprocess.run(
        ["git", "-C", folder, "diff", span], check=True, capture_output=True, text=True, encoding="utf-8"
    ).stdout
