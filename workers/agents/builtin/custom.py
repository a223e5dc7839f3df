"""``echo`` returns what it is given, or works on files of comma separated values.

``input.action`` ``extract`` counts the rows of a source, ``transform`` leaves out the empty ones, ``load`` adds up what
came of several. Whatever else is asked comes back as it is.
"""

from __future__ import annotations

from typing import Any

from taskengine.agents import AgentContext
from taskengine.models import Task, TaskType
from workers.agents.builtin.declare import builtin
from workers.agents.builtin.rows import read_rows, without_empty, write_beside


@builtin("echo", TaskType.CUSTOM)
def echo(task: Task, context: AgentContext) -> dict[str, Any]:  # noqa: ARG001  # as all agents
    """Return the input, or work on rows."""
    given = task.input
    match given.get("action"):
        case "extract" if "source" in given:
            location = str(given["source"])
            return {"rows": len(read_rows(location, "source")), "location": location}
        case "transform" if "location" in given:
            location = str(given["location"])
            rows = without_empty(read_rows(location, "location"))
            return {"rows": len(rows), "location": write_beside(location, rows, "location")}
        case "load" if isinstance(given.get("sources"), list):
            sources: Any = given["sources"]
            return {"rows": sum(int(one["rows"]) for one in sources if isinstance(one, dict) and "rows" in one)}
    return dict(given)
