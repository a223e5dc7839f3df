"""``probe`` looks whether something is well: HTTP, TCP, a process, a disk, each with its threshold.

``input.checks`` lists them. ``input.action`` ``verify`` looks at what was deployed: ``target`` is an address, or a
release, whose ``healthcheck.py`` is asked. Any other action is a report of something, and noted in the log.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic_core import to_json

from taskengine.agents import AgentContext
from taskengine.errors import InvalidInputError
from taskengine.models import Outcome, Task, TaskType
from workers.agents.builtin.declare import builtin
from workers.agents.builtin.place import place
from workers.agents.builtin.probes import probe_one
from workers.agents.builtin.programs import SHOWN
from workers.agents.builtin.releases import root
from workers.agents.builtin.roots import is_within

#: Checks of one task.
_MOST = 50


@builtin("probe", TaskType.MONITORING)
def probe(task: Task, context: AgentContext) -> dict[str, Any] | Outcome:
    """Look whether something is well, or note a report."""
    given = task.input
    if "checks" in given:
        return _checked(given["checks"])
    if given.get("action") == "verify":
        return _verified(str(given.get("target", "")), context)
    context.log(to_json(given).decode())
    return {"reported": given}


def _checked(checks: Any) -> dict[str, Any]:
    is_list = isinstance(checks, list) and 1 <= len(checks) <= _MOST
    if not is_list or not all(isinstance(one, dict) for one in checks):
        raise InvalidInputError(f"input.checks: give a list of 1 to {_MOST} objects", field="checks")
    found = [probe_one(one, f"checks[{at}]") for at, one in enumerate(checks)]
    return {"healthy": all(one["ok"] for one in found), "checks": found}


def _verified(target: str, context: AgentContext) -> dict[str, Any]:
    if not target:
        return {"healthy": True, "output": "nothing was deployed: a dry run"}
    if not target.startswith(("/", "file:")):
        found = probe_one({"kind": "http", "url": target}, "target")
        return {"healthy": found["ok"], "output": found["text"]}
    return _release(Path(unquote(urlsplit(target).path) if target.startswith("file:") else target), context)


def _release(named: Path, context: AgentContext) -> dict[str, Any]:
    """Ask a release how it is. It is code, so it must lie where this worker deploys to."""
    releases, release = root(), named.resolve()
    if releases is None or not is_within(release, (releases,)):
        raise InvalidInputError(
            f"target: {named} is no release of this worker, whose TASKENGINE_DEPLOY_ROOT is {releases}", field="target"
        )
    check = release / "healthcheck.py"
    if not check.is_file():
        return {"healthy": True, "output": "there is no healthcheck.py"}
    with place(context) as programs:
        ended = programs.run(sys.executable, str(check), at=release, env={"PYTHONDONTWRITEBYTECODE": "1"})
    said = (ended.output.decode(errors="replace") + ended.errors)[-SHOWN:]
    return {"healthy": ended.code == 0, "output": said}
