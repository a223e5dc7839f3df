"""The test agents in a worker that breaks once between claim and agent, in each process."""

from __future__ import annotations

from typing import Any

import fleet_agents  # noqa: F401  # declares the agents

from workers import runner

_whole = runner.running_task
_broken = [False]


def _break_once(*args: Any) -> Any:
    if not _broken[0]:
        _broken[0] = True
        raise RuntimeError("broken between claim and agent")
    return _whole(*args)


runner.running_task = _break_once
