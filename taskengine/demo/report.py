"""The findings for people: tables on the screen, and a page and a JSON file to keep.

The report task's result holds what is read first; the package results hold every module. Written files
join both, so nothing in them is cut off. The findings hold no date: the same code base gives the same
ones. When and how they came about stands apart, in what the caller tells of the run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from taskengine.demo import ranking
from taskengine.demo.page import Section, page
from taskengine.errors import InvalidInputError

Json = dict[str, Any]

#: Key and heading of the columns that describe a module; all but the first two are numbers.
COLUMNS = (
    ("module", "Module"),
    ("worst", "Most complex function"),
    ("code", "Code lines"),
    ("complexity", "Complexity"),
    ("fan_in", "Fan-in"),
    ("fan_out", "Fan-out"),
    ("reach", "Reach"),
)
_MORE_COLUMNS = (
    ("needs", "Needs"),
    ("depth", "Depth"),
    ("lines", "Lines"),
    ("comment", "Comment"),
    ("blank", "Blank"),
    ("functions", "Functions"),
    ("classes", "Classes"),
    ("cycle", "Cycle"),
    ("path", "File"),
)
_RANK_TITLES = {"reach": "a change reaches most modules", "complexity": "most complex", "code": "largest"}
#: What the words mean, so that a number can be checked by hand.
GLOSSARY = (
    ("Fan-out", "modules of this code base that the module's import statements name, wherever they stand"),
    ("Fan-in", "modules that import it"),
    ("Reach", "other modules that import it directly or through others: what a change of it may break"),
    ("Needs", "other modules that it imports directly or through others"),
    ("Depth", "modules and cycles on the longest chain of imports below it"),
    (
        "Complexity",
        "McCabe's number: for each function, and for the code outside of functions, 1 and its decisions",
    ),
    ("Code lines", "lines that are neither blank nor only comment or docstring"),
)


def rows(report: Json, packages: Iterable[Json]) -> list[Json]:
    """Return every module's findings by name, with its reach and fan-in, and its imports as names."""
    found = [module for package in packages for module in package["modules"]]
    names = {module["number"]: module["module"] for module in found}
    joined = [
        module
        | {
            "imports": [names[number] for number in module["imports"]],
            "fan_in": report["fan_in"][module["number"]],
            "reach": report["reach"][module["number"]],
        }
        for module in found
    ]
    return sorted(joined, key=lambda module: str(module["module"]))


def write(
    folder: Path, report: Json, packages: Sequence[Json], *, run: Mapping[str, str] | None = None
) -> Path:
    """Write ``report.html`` and ``report.json`` into *folder*, over older ones; the path of the page.

    *report* and *packages* are the results of the report task and of all package tasks, *run* says when
    and how they came about, in words. InvalidInputError if the folder cannot be written to.
    """
    whole = _whole(report, packages) | ({"run": dict(run)} if run else {})
    written = folder / "report.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_text(json.dumps(whole, indent=1), encoding="utf-8")
        written.write_text(page(f"Code analysis of {whole['code_base']}", _sections(whole)), encoding="utf-8")
    except OSError as exc:
        raise InvalidInputError(f"folder: {exc}; name one that can be written to", field="folder") from exc
    return written


def _whole(report: Json, packages: Sequence[Json]) -> Json:
    """Return the report with nothing left out."""
    modules = rows(report, packages)
    members: dict[str, list[str]] = {}
    for module in modules:
        members.setdefault(module["cycle"] or "", []).append(module["module"])
    cycles = [cycle | {"modules": members[cycle["name"]]} for cycle in ranking.cycles(packages)]
    return {
        "code_base": report["code_base"],
        "totals": report["totals"],
        "depth": report["depth"],
        "cycles": cycles,
        "packages": ranking.by_package(packages),
        "problems": [module for module in modules if module["problem"]],
        "unlisted": report["unlisted"],
        "outside": ranking.outside(packages),
        "modules": modules,
    }


def _sections(whole: Json) -> list[Section]:
    by_reach = sorted(whole["modules"], key=lambda module: (-module["reach"], module["module"]))
    module_columns = (*COLUMNS, *_MORE_COLUMNS)
    unlisted = [[path, f"folder not listed: {reason}"] for path, reason in whole["unlisted"]]
    packages = ("modules", "code", "complexity", "functions", "classes")
    run = [[key, value] for key, value in whole.get("run", {}).items()]
    return [
        *([Section("Run", ("", ""), run)] if run else []),
        Section("Totals", ("", ""), [[key, count] for key, count in whole["totals"].items()]),
        Section(
            "Cycles",
            ("Cycle", "Modules", "Closed when loaded", "A shortest circle"),
            [_cycle_cells(cycle) for cycle in whole["cycles"]],
        ),
        Section(
            "Not read or not parsed",
            ("File", "Reason"),
            [[module["path"], module["problem"]] for module in whole["problems"]] + unlisted,
        ),
        Section(
            "Packages",
            ("Package", *(key.capitalize() for key in packages)),
            [[row["package"] or "(none)", *(row[key] for key in packages)] for row in whole["packages"]],
        ),
        Section(
            "Imported from outside",
            ("Package", "Modules that import it"),
            [[row["package"], row["modules"]] for row in whole["outside"]],
        ),
        Section(
            "Modules",
            tuple(title for _, title in module_columns),
            [[_cell(module, key) for key, _ in module_columns] for module in by_reach],
        ),
        Section("Words", ("", ""), [list(pair) for pair in GLOSSARY]),
    ]


def _cycle_cells(cycle: Json) -> list[str | int]:
    return [cycle["name"], cycle["size"], "yes" if cycle["at_load"] else "no", " → ".join(cycle["path"])]


def _cell(module: Json, key: str) -> str | int:
    value = module[key]
    if key == "worst":
        return f"{value['name']} ({value['complexity']})" if value else ""
    return "" if value is None else value


def tables(report: Json, *, top: int = 10) -> RenderableType:
    """Return what the screen shows: the first *top* modules by reach, complexity and size, cycles, and problems."""
    parts: list[RenderableType] = [
        _module_table(report, key, title, top) for key, title in _RANK_TITLES.items()
    ]
    if report["cycles"]:
        parts.append(_cycle_table(report, top))
    if report["problems"]:
        parts.append(_problem_table(report, top))
    return Group(*parts, _summary(report))


def _module_table(report: Json, ranked_by: str, title: str, top: int) -> Table:
    table = Table(title=f"Modules: {title}", title_justify="left")
    for key, heading in COLUMNS:
        is_text = key in {"module", "worst"}
        style = "bold" if key == ranked_by else None
        table.add_column(heading, justify="left" if is_text else "right", style=style, overflow="fold")
    for module in report["top"][ranked_by][:top]:
        table.add_row(*(_shown(_cell(module, key)) for key, _ in COLUMNS))
    return table


def _cycle_table(report: Json, top: int) -> Table:
    table = Table(title=f"Import cycles: {report['cycles_total']}", title_justify="left")
    for heading in ("Cycle", "Modules", "When loaded", "A shortest circle"):
        table.add_column(heading, overflow="fold")
    for cycle in report["cycles"][:top]:
        table.add_row(*map(_shown, _cycle_cells(cycle)))
    return table


def _problem_table(report: Json, top: int) -> Table:
    table = Table(title=f"Not read or not parsed: {report['problems_total']}", title_justify="left")
    table.add_column("File", overflow="fold")
    table.add_column("Reason", overflow="fold")
    for problem in report["problems"][:top]:
        table.add_row(_shown(problem["path"]), _shown(problem["problem"]))
    return table


def _summary(report: Json) -> Text:
    totals = report["totals"]
    return Text(
        f"{totals['modules']} modules, {totals['code']} lines of code, {totals['functions']} functions, "
        f"{totals['imports']} imports among them, {report['cycles_total']} cycles"
    )


def _shown(value: str | int) -> Text:
    """*value* as plain text: names come from files and may hold markup or control characters."""
    return Text("".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(value)))
