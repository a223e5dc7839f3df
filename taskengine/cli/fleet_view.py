"""``taskengine workers`` and ``taskengine queue stats``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from taskengine.cli.output import answer
from taskengine.cli.place import asking, nothing
from taskengine.cli.task_view import plain, status

#: Status words in the order of a task's life.
_STATUSES = ("pending", "ready", "running", "retrying", "paused", "completed", "failed", "cancelled")


def show_workers() -> None:
    """List the workers."""
    with asking() as api:
        workers = api.list_workers()
    answer(workers, workers_picture(workers))


def workers_picture(workers: Sequence[dict[str, Any]]) -> RenderableType:
    """Workers in rows."""
    if not workers:
        return nothing("no worker; start one: taskengine worker --import my_agents")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Worker", "Pid", "State", "Busy", "Pool", "Capabilities", "Agents", "CPU %", "Memory %"):
        table.add_column(heading, overflow="fold")
    for each in workers:
        info = each["info"]
        table.add_row(
            plain(str(info.get("hostname", each["name"]))),
            plain(str(info.get("pid", ""))),
            state(each),
            Text(f"{each['busy']} of {each['slots']}"),
            plain(str(info.get("pool", ""))),
            plain(", ".join(each["capabilities"])),
            plain(", ".join(each["agents"])),
            Text(str(info.get("cpu_percent", ""))),
            Text(str(info.get("memory_percent", ""))),
        )
    return table


def state(worker: dict[str, Any]) -> Text:
    """What a worker does, in one word or two."""
    if not worker["alive"]:
        return Text("silent", style="bold red")
    if worker["draining"]:
        return plain(f"draining: {worker['draining']}")
    stuck = worker["info"].get("stuck", 0)
    if stuck:
        return Text(f"{stuck} slots stuck", style="bold red")
    return Text("busy" if worker["busy"] else "idle", style="green")


def show_queues() -> None:
    """Count what waits and what is done."""
    with asking() as api:
        found = api.get_queue_statistics()
    answer(found, queues_picture(found))


def queues_picture(found: Mapping[str, Any]) -> RenderableType:
    """What ``get_queue_statistics`` says: counts, queues, and what holds tasks back."""
    return Group(_counts(found), *_queues(found), *_rest(found))


def _counts(found: Mapping[str, Any]) -> Text:
    words = [Text.assemble(f"{found[f'{each}_tasks']} ", status(each)) for each in _STATUSES if found[f"{each}_tasks"]]
    return Text("Tasks: ").append_text(Text(", ").join(words)) if words else nothing("no task")


def _queues(found: Mapping[str, Any]) -> list[RenderableType]:
    if not found["queues"]:
        return []
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Capability", "Ready", "Offered", "Workers", "Paused"):
        words = heading in ("Capability", "Paused")
        table.add_column(heading, overflow="fold", justify="left" if words else "right")
    for name, queue in found["queues"].items():
        nobody = queue["ready"] and not queue["workers"]
        workers = Text(str(queue["workers"]), style="bold red" if nobody else "")
        table.add_row(plain(name), str(queue["ready"]), str(queue["granted"]), workers, plain(queue["paused"] or ""))
    return ["", table]


def _rest(found: Mapping[str, Any]) -> list[RenderableType]:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Tasks", justify="right")
    table.add_column("What keeps them", overflow="fold")
    for reason, count in found["parked"].items():
        table.add_row(str(count), plain(_keeps(reason)))
    if found["timers"]:
        table.add_row(str(found["timers"]), "a moment to come: a retry, a schedule, the end of a pause")
    if found["dead_letters"]:
        table.add_row(str(found["dead_letters"]), "dead letters, each lost several workers: taskengine dead list")
    parts: list[RenderableType] = [plain(f"Paused: {pause}") for pause in found["pauses"]]
    if parts:
        parts.insert(0, "")
    return [*parts, "", table] if table.row_count else parts


def _keeps(reason: str) -> str:
    """Why READY tasks are put aside, as the server notes it, in words."""
    kind, _, rest = reason.partition(":")
    if kind == "agent":
        return f"no worker offers agent {rest!r}"
    if kind != "pause":
        return reason
    scope, _, name = rest.partition(":")
    words = {"all": "everything", "cap": "capability", "agent": "agent", "run": "run", "task": "task"}
    return f"the pause of {words.get(scope, scope)} {name}".rstrip()
