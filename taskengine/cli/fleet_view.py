"""``taskengine workers`` and ``taskengine queue stats``."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from taskengine.api import BlockingTaskAPI
from taskengine.cli.output import answer
from taskengine.cli.task_view import plain, status

#: Status words in the order of a task's life.
_STATUSES = ("pending", "ready", "running", "retrying", "paused", "completed", "failed", "cancelled")


def show_workers() -> None:
    """List the workers."""
    with BlockingTaskAPI() as api:
        workers = api.list_workers()
    answer(workers, _workers(workers))


def _workers(workers: list[dict[str, Any]]) -> RenderableType:
    if not workers:
        return Text("no worker; start one: taskengine worker --import my_agents", style="dim")
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
    with BlockingTaskAPI() as api:
        found = api.get_queue_statistics()
    answer(found, Group(_counts(found), *_queues(found), *_rest(found)))


def _counts(found: dict[str, Any]) -> Text:
    words = [Text.assemble(f"{found[f'{each}_tasks']} ", status(each)) for each in _STATUSES if found[f"{each}_tasks"]]
    return Text(", ").join(words) if words else Text("no task", style="dim")


def _queues(found: dict[str, Any]) -> list[RenderableType]:
    if not found["queues"]:
        return []
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Capability", "Ready", "Granted", "Workers", "Paused"):
        words = heading in ("Capability", "Paused")
        table.add_column(heading, overflow="fold", justify="left" if words else "right")
    for name, queue in found["queues"].items():
        nobody = queue["ready"] and not queue["workers"]
        workers = Text(str(queue["workers"]), style="bold red" if nobody else "")
        table.add_row(plain(name), str(queue["ready"]), str(queue["granted"]), workers, plain(queue["paused"] or ""))
    return ["", table]


def _rest(found: dict[str, Any]) -> list[RenderableType]:
    lines = [f"paused: {plain(pause)}" for pause in found["pauses"]]
    lines += [f"parked, {plain(reason)}: {count}" for reason, count in found["parked"].items()]
    if found["timers"]:
        lines.append(f"timers: {found['timers']}")
    if found["dead_letters"]:
        lines.append(f"dead letters: {found['dead_letters']} (lost three workers each; taskengine dead list)")
    return ["", *lines] if lines else []
