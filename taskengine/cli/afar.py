"""What a server of REST can tell for help that must not wait: what the shell completes when commands speak to one.

Whatever goes wrong tells nothing, and two seconds are the longest that anybody waits, however long the network does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Thread
from typing import NamedTuple, TypeVar

from taskengine.api import BlockingTaskAPI
from taskengine.cli import reach
from taskengine.cli.place import here
from taskengine.core.step_index import StepIndex
from taskengine.errors import AmbiguousIdError, TaskEngineError
from taskengine.models import ApprovalStep, Task
from taskengine.settings import current

T = TypeVar("T")
_SECONDS = 2.0
#: Looked through, newest first.
_LOOKED = 500
#: Characters of an id by which all are searched.
_ENOUGH = 4


class Named(NamedTuple):
    """Something with an id, and perhaps a name."""

    id: str
    name: str
    #: What to say beside it.
    says: str


def is_meant() -> bool:
    """Whether a command would speak to a server of REST."""
    with suppress(TaskEngineError):
        return reach.chosen() is not None or current().url is not None
    return False


def ask(question: Callable[[BlockingTaskAPI], T]) -> T | None:
    """Return the answer to *question*; None where there is none in time."""
    told: list[T] = []

    def asked() -> None:
        with suppress(TaskEngineError), BlockingTaskAPI(settings=here()) as api:
            told.append(question(api))

    asking = Thread(target=asked, daemon=True)  # one that hangs keeps nobody
    asking.start()
    asking.join(_SECONDS)
    return told[0] if told else None


def tasks(incomplete: str, statuses: Sequence[str]) -> list[Task]:
    """Return newest tasks whose id begins so, of all tasks if none of them does."""
    begun = incomplete.lower()

    def newest(api: BlockingTaskAPI) -> list[Task]:
        pages = [api.list_tasks(status, limit=_LOOKED) for status in statuses or (None,)]
        found = [task for page in pages for task in page if str(task.id).startswith(begun)]
        if found or len(begun) < _ENOUGH:
            return found
        try:
            return [api.get_task(api.find_task(begun))]
        except AmbiguousIdError as exc:
            return api.get_tasks(exc.candidates)

    return ask(newest) or []


def dead() -> list[Named]:
    """Return the newest dead letters."""
    letters = ask(lambda api: api.list_dead_letters(limit=_LOOKED))
    return [Named(str(each.task.id), "", each.task.name[:40]) for each in letters or ()]


def quarantined() -> list[Named]:
    """Return the newest quarantined messages."""
    return [Named(each.id, "", each.reason[:60]) for each in ask(lambda api: api.list_quarantined(limit=_LOOKED)) or []]


def queues() -> dict[str, int]:
    """Return queues that workers serve or that tasks wait in, with how many are ready."""

    def known(api: BlockingTaskAPI) -> dict[str, int]:
        served = {queue: 0 for worker in api.list_workers() for queue in worker["serves"]}
        return served | {name: queue["ready"] for name, queue in api.get_queue_statistics()["queues"].items()}

    return ask(known) or {}


def agents() -> set[str]:
    """Return agents that are registered, and those of live workers."""

    def known(api: BlockingTaskAPI) -> set[str]:
        live = {agent for worker in api.list_workers() if worker["alive"] for agent in worker["agents"]}
        return live | {each.record.id for each in api.list_agents()}

    return ask(known) or set()


def limits() -> list[Named]:
    """Return limits, with how many agents share each."""
    return [Named(each.limit.name, "", f"{each.agents} agents") for each in ask(lambda api: api.list_limits()) or []]


def graphs() -> list[Named]:
    """Return the newest runs."""
    found = ask(lambda api: api.list_runs(limit=_LOOKED))
    over = ((run, f"{run.total_tasks - run.open_tasks} of {run.total_tasks} over") for run in found or ())
    return [Named(str(run.id), run.name or "", f"{(run.name or '')[:40]} {says}".strip()) for run, says in over]


def workflows() -> list[Named]:
    """Return the newest workflows."""
    found = ask(lambda api: api.list_workflows(limit=_LOOKED))
    return [Named(str(each.id), each.name, each.name[:40]) for each in found or ()]


def approvals(which: str) -> list[str]:
    """Return paths of the approvals in a workflow."""

    def paths(api: BlockingTaskAPI) -> list[str]:
        places = StepIndex(api.get_workflow(api.find_run(which))).places
        return [place.path for place in places if isinstance(place.step, ApprovalStep)]

    return ask(paths) or []
