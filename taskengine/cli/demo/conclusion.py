"""The end of a demo: tables on the screen, files on the disk, an object for a program, and what went
wrong.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from taskengine.api import BlockingTaskAPI
from taskengine.cli.demo.screen import Screen
from taskengine.cli.demo.subject import Subject
from taskengine.cli.output import json_line, wants_json
from taskengine.demo import report as pages
from taskengine.demo.run import Analysis, findings

#: Failed tasks that are named.
_NAMED = 10
#: Lists by module number in the report: they stand by name in the file.
_BY_NUMBER = frozenset({"reach", "fan_in"})


@dataclass(slots=True)
class Conclusion:
    """What an analysis that is over came to."""

    api: BlockingTaskAPI
    analysis: Analysis
    subject: Subject
    folder: Path
    flower: str

    def show(self, screen: Screen) -> int:
        """Show and write everything; 0, or 1 if a task did not complete."""
        report, page = self._report()
        if report is not None and not wants_json():
            screen.say(pages.tables(report))
        troubled = self._troubled()
        if troubled:
            screen.say(_trouble(troubled, len(self.analysis.troubled())))
        screen.say(self._sentence())
        if page is not None:
            screen.say(f"Report    {page}")
        if wants_json():
            json_line(self._for_programs(report, page, troubled))
        return 1 if troubled else 0

    def _report(self) -> tuple[dict[str, Any] | None, Path | None]:
        if self.subject.code_base is None or self.analysis.tasks[-1].id in self.analysis.troubled():
            return None, None
        report, packages = findings(self.api, self.analysis)
        return report, pages.write(self.folder, report, packages, run=self._run()).resolve()

    def _run(self) -> dict[str, str]:
        began, latest = self.analysis.began, self.analysis.latest
        return {
            **({"code base": str(self.subject.code_base.top)} if self.subject.code_base else {}),
            "began": began.isoformat(timespec="seconds") if began else "",
            "ended": latest.isoformat(timespec="seconds") if latest else "",
            "seconds": f"{self.analysis.seconds:.1f}",
            "tasks": str(len(self.analysis.tasks)),
            "run": str(self.analysis.run_id),
            "host": platform.node(),
            "python": platform.python_version(),
        }

    def _troubled(self) -> list[dict[str, str]]:
        found = []
        for id in self.analysis.troubled()[:_NAMED]:
            task = self.api.get_task(id)
            why = task.error_message or task.reason or ""
            found.append({"task": task.name, "id": str(id), "status": task.status.value, "error": why})
        return found

    def _sentence(self) -> str:
        seconds = self.analysis.seconds
        counts = ", ".join(f"{count} {status.value}" for status, count in self.analysis.counts.items())
        rate = f", {len(self.analysis.tasks) / seconds:.0f} tasks/s" if seconds else ""
        return f"{counts} in {seconds:.1f} s{rate}"

    def _for_programs(
        self, report: dict[str, Any] | None, page: Path | None, troubled: list[dict[str, str]]
    ) -> dict[str, Any]:
        found = {key: value for key, value in (report or {}).items() if key not in _BY_NUMBER}
        return {
            "run": self._run(),
            "counts": {status.value: count for status, count in self.analysis.counts.items()},
            "report": page and str(page),
            "flower": self.flower,
            "troubled": troubled,
            "findings": found or None,
        }


def _trouble(troubled: list[dict[str, str]], total: int) -> Table:
    table = Table(title=f"Did not complete: {total}", title_justify="left", title_style="bold red")
    for heading in ("Task", "Status", "Why"):
        table.add_column(heading, overflow="fold")
    for row in troubled:
        table.add_row(*_cells(row))
    return table


def _cells(row: dict[str, str]) -> Iterator[Text]:
    for key in ("task", "status", "error"):
        yield Text(row[key])
