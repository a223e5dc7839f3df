"""``taskengine status``: the whole engine on one screen, and for cron and monitoring in one line."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from taskengine.cli import doctor
from taskengine.cli.doctor.embedded import address
from taskengine.cli.guide import command
from taskengine.cli.host import hosts_picture, most_reserved_first
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.pages import filled
from taskengine.cli.place import asking, here, place
from taskengine.cli.queue import queues_picture
from taskengine.cli.run import tasks_in_lines
from taskengine.cli.task.view import as_json
from taskengine.cli.text import plain
from taskengine.cli.worker import workers_picture
from taskengine.errors import StoreError, StoreUnavailableError, TaskEngineError
from taskengine.models import Task, TaskStatus
from taskengine.models.finding import Finding, FindingLevel
from taskengine.models.host import HostInfo

app = typer.Typer()

#: Rows that fit on a screen with the others.
_QUEUES, _WORKERS, _HOSTS, _FAILED, _FINDINGS = 8, 8, 8, 5, 5


class Health(IntEnum):
    """Exit codes of ``--check``, as monitoring (Nagios and who speaks its language) reads them."""

    OK = 0
    #: Somebody should look: a pause, a dead letter, a worker that drains.
    WARNING = 1
    #: Something does not work: no server, nobody coordinates, nobody works.
    CRITICAL = 2
    #: The question could not be asked: a setting is wrong.
    UNKNOWN = 3


_HEALTH = {
    FindingLevel.OK: Health.OK, FindingLevel.NOTICE: Health.WARNING, FindingLevel.WRONG: Health.CRITICAL,
}  # fmt: skip


@command(
    app,
    "taskengine status",
    "taskengine status --check                       exit code 0 ok, 1 warning, 2 critical, 3 unknown",
    "*/5 * * * *  said=$(taskengine status --check) || echo \"$said\"   a crontab mails only trouble",
)
def status(
    check: Annotated[
        bool, typer.Option("--check", help="One line for monitoring; the exit code says how bad it is.")
    ] = False,
    output: OutputOption = None,
) -> None:
    """Show queues, workers, pauses, failures and what 'doctor' would look at first, on one screen.

    With --check the exit code is 0 when all is well, 1 when somebody should look (a pause, a dead letter), 2 when
    something does not work (no server, nobody coordinates, nobody works), 3 when a setting is wrong.
    """
    raise typer.Exit(_check() if check else _show())


def _show() -> int:
    """Show everything on one screen; 1 when no server answers."""
    settings = here()
    findings = list(doctor.findings(settings, deep=False))
    data: dict[str, Any] = {"server": place(), "findings": [found.model_dump(mode="json") for found in findings]}
    parts: list[RenderableType] = [plain(place())]
    try:
        if settings.url is None and address(settings)[0] is None:  # asking would start it
            raise StoreUnavailableError
        with asking() as api:
            stats, workers, hosts = api.get_queue_statistics(), api.list_workers(), api.list_hosts()
            failed, _ = filled(lambda most, at: api.list_tasks(TaskStatus.FAILED, limit=most, cursor=at), _FAILED)
    except StoreError:  # the findings say it
        answer(data, Group(*parts, *_findings(findings)))
        return 1
    data |= {**stats, "workers": workers, "hosts": [host.model_dump(mode="json") for host in hosts]}
    data |= {"failed": [as_json(task) for task in failed]}
    parts += ["", *_queues(stats), "", *_workers(workers), *_hosts(hosts), *_failures(failed, stats["failed_tasks"])]
    answer(data, Group(*parts, *_findings(findings)))
    return 0


def _check() -> int:
    """Say in one line how it is; the exit code is a :class:`Health`."""
    try:
        settings = here()
        findings = list(doctor.findings(settings, deep=False))
    except TaskEngineError as exc:
        answer({"status": "unknown", "error": str(exc), "findings": []}, Text(f"UNKNOWN: {exc}"))
        return Health.UNKNOWN
    odd = _odd(findings)
    worst = odd[0].level if odd else FindingLevel.OK
    health = _HEALTH[worst]
    told = [found.model_dump(mode="json") for found in odd]
    data = {"status": health.name.lower(), "server": place(), "findings": told}
    says = "; ".join(f"{found.about}: {found.says}" for found in odd[:_FINDINGS]) or "all is well"
    more = f"; and {len(odd) - _FINDINGS} more" if len(odd) > _FINDINGS else ""
    answer(data, Text(f"{health.name}: {' '.join(says.split())}{more} ({place()})"))
    return health


def _odd(findings: Sequence[Finding]) -> list[Finding]:
    """Return what is not as it should be, the worst first."""
    return [found for level in (FindingLevel.WRONG, FindingLevel.NOTICE) for found in findings if found.level is level]


def _queues(stats: Mapping[str, Any]) -> list[RenderableType]:
    busiest = sorted(stats["queues"].items(), key=lambda item: (-item[1]["ready"], item[0]))
    shown = {**stats, "queues": dict(busiest[:_QUEUES])}
    return [queues_picture(shown), *_more(len(busiest) - _QUEUES, "queues", "taskengine queue stats")]


def _workers(workers: Sequence[dict[str, Any]]) -> list[RenderableType]:
    """Those that are silent or drain first."""
    order = sorted(workers, key=lambda each: (each["alive"] and not each["draining"], each["name"]))
    return [workers_picture(order[:_WORKERS]), *_more(len(order) - _WORKERS, "workers", "taskengine workers")]


def _hosts(hosts: Sequence[HostInfo]) -> list[RenderableType]:
    if not hosts:
        return []
    shown = sorted(hosts, key=most_reserved_first)[:_HOSTS]
    return ["", hosts_picture(shown), *_more(len(hosts) - _HOSTS, "hosts", "taskengine status -o json")]


def _failures(failed: Sequence[Task], total: int) -> list[RenderableType]:
    if not failed:
        return []
    head = Text("Failed, the newest tasks first", style="bold")
    return ["", head, tasks_in_lines(failed), *_more(total - len(failed), "", "taskengine task list --status failed")]


def _more(count: int, what: str, where: str) -> list[RenderableType]:
    return [Text(" ".join(f"and {count} more {what}".split()) + f": {where}", style="dim")] if count > 0 else []


def _findings(findings: Sequence[Finding]) -> list[RenderableType]:
    odd = _odd(findings)
    return ["", doctor.shown(odd[:_FINDINGS]), *_more(len(odd) - _FINDINGS, "findings", "taskengine doctor")]
