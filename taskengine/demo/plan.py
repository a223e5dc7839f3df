"""From a code base to a graph of tasks, as plain data.

::

    module …   one for each module, or cycle … for all modules of a cycle; depends on those that it imports
    package …  findings of a package's modules together; depends on the tasks that measured them
    report     reach, totals and ranks of the whole code base; depends on the packages

Modules have numbers in dependency order (what many need has a small one), so that a set of modules is a short
string of hexadecimal digits and a result stays small. What would not fit into one result is cut: a package
into parts, and a cycle into ``cycle … part i of n``, which measure its modules while the cycle's own task
says what it needs.

Everything is deterministic: the same code base gives equal nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from taskengine.demo.imports import Imports, Unit, home_of, import_graph, imported_units, units
from taskengine.demo.source import CodeBase, Module, find

#: Bytes of findings that one task may return by estimate; results up to 256 KiB travel inside records.
RESULT_BUDGET = 176 * 1024
#: Bytes of one module's findings beside its names and numbers: keys, counts, the most complex functions.
_FINDINGS_BYTES = 400
#: Names of a cycle's path that are shown.
_PATH_SHOWN = 20
#: Folders that could not be listed and are named in the report.
_UNLISTED_SHOWN = 50
#: Characters of a name inside the name of a task.
_NAME_LENGTH = 150


class Node(TypedDict):
    """A task to be."""

    #: Unique in the plan.
    name: str
    #: The argument of :func:`taskengine.demo.steps.analyse`.
    input: dict[str, Any]
    #: Names of nodes that stand earlier in the plan.
    depends_on: list[str]


@dataclass(frozen=True, slots=True)
class _Site:
    """What the nodes are made from."""

    code_base: CodeBase
    graph: Mapping[str, Imports]
    units: Sequence[Unit]
    modules: Mapping[str, Module]
    #: Module name to number.
    numbers: Mapping[str, int]


def plan(path: str | Path) -> list[Node]:
    """Return the tasks that analyse the code base at *path*, each after all that it depends on.

    InvalidInputError if there is no Python at *path*.
    """
    code_base = find(path)
    return nodes(code_base, import_graph(code_base))


def nodes(code_base: CodeBase, graph: Mapping[str, Imports]) -> list[Node]:
    """Return the plan for a code base whose imports are known."""
    ordered = units(graph)
    numbers = {name: n for n, name in enumerate(name for unit in ordered for name in unit.modules)}
    site = _Site(code_base, graph, ordered, {module.name: module for module in code_base.modules}, numbers)
    unit_nodes = list(_unit_nodes(site))
    measured_by = {module["name"]: node["name"] for node in unit_nodes for module in node["input"]["modules"]}
    package_nodes = list(_package_nodes(site, measured_by))
    return [*unit_nodes, *package_nodes, _report_node(site, package_nodes)]


def _unit_nodes(site: _Site) -> Iterator[Node]:
    home = home_of(site.units)
    names = {unit.key: _unit_name(site, unit) for unit in site.units}
    for unit in site.units:
        depends_on = [names[key] for key in imported_units(site.graph, home, unit)]
        parts = list(_cut(site, unit.modules))
        measured_here = parts[0] if len(parts) == 1 else []
        yield _unit_node(site, unit, names[unit.key], measured_here, depends_on)
        for i, part in enumerate(parts if not measured_here else [], 1):
            yield {
                "name": f"{names[unit.key]} part {i} of {len(parts)}",
                "input": _measuring("cycle_part", site, unit, part),
                "depends_on": [names[unit.key]],
            }


def _unit_node(site: _Site, unit: Unit, name: str, measured: Sequence[str], depends_on: list[str]) -> Node:
    members = [site.numbers[module] for module in unit.modules]
    step = "cycle" if unit.cycle else "module"
    return {
        "name": name,
        "input": {**_measuring(step, site, unit, measured), "members": members},
        "depends_on": depends_on,
    }


def _measuring(step: str, site: _Site, unit: Unit, modules: Sequence[str]) -> dict[str, Any]:
    return {
        "step": step,
        "root": str(site.code_base.root),
        "modules": [_module(site, name) for name in modules],
        "cycle": _cycle(unit),
    }


def _module(site: _Site, name: str) -> dict[str, Any]:
    module, imports = site.modules[name], site.graph[name]
    return {
        "number": site.numbers[name],
        "name": name,
        "path": module.path,
        "imports": sorted(site.numbers[target] for target in imports.inside),
        "outside": list(imports.outside),
        "problem": module.problem,
    }


def _cycle(unit: Unit) -> dict[str, Any] | None:
    if unit.cycle is None:
        return None
    path = list(unit.cycle.path)
    shown = path if len(path) <= _PATH_SHOWN else [*path[: _PATH_SHOWN - 2], "…", path[-1]]
    return {"name": unit.name, "size": len(unit.modules), "path": shown, "at_load": unit.cycle.at_load}


def _package_nodes(site: _Site, measured_by: Mapping[str, str]) -> Iterator[Node]:
    packages: dict[str, list[str]] = {}
    for name, module in site.modules.items():
        packages.setdefault(module.package, []).append(name)
    for package in sorted(packages):
        parts = list(_cut(site, packages[package]))
        for i, part in enumerate(parts, 1):
            suffix = f" part {i} of {len(parts)}" if len(parts) > 1 else ""
            yield {
                "name": f"package {_short(site, package or '(none)', part[0])}{suffix}",
                "input": {
                    "step": "package",
                    "package": package,
                    "modules": [site.numbers[name] for name in part],
                },
                "depends_on": sorted({measured_by[name] for name in part}),
            }


def _report_node(site: _Site, packages: Sequence[Node]) -> Node:
    unlisted = [list(each) for each in site.code_base.unlisted]
    return {
        "name": "report",
        "input": {
            "step": "report",
            "code_base": str(site.code_base.top),
            "modules": len(site.modules),
            "unlisted": unlisted[:_UNLISTED_SHOWN],
            "unlisted_total": len(unlisted),
        },
        "depends_on": [node["name"] for node in packages],
    }


def _unit_name(site: _Site, unit: Unit) -> str:
    others = f" +{len(unit.modules) - 1}" if unit.cycle else ""
    return f"{'cycle' if unit.cycle else 'module'} {_short(site, unit.key, unit.key)}{others}"


def _short(site: _Site, name: str, module: str) -> str:
    """*name*, or its start with the number of *module*, which keeps it unique."""
    return name if len(name) <= _NAME_LENGTH else f"{name[:_NAME_LENGTH]}… #{site.numbers[module]}"


def _cut(site: _Site, names: Sequence[str]) -> Iterator[list[str]]:
    """*names* in parts whose findings fit into one result."""
    part: list[str] = []
    room = RESULT_BUDGET
    for name in names:
        size = _findings_size(site, name)
        if part and size > room:
            yield part
            part, room = [], RESULT_BUDGET
        part.append(name)
        room -= size
    yield part


def _findings_size(site: _Site, name: str) -> int:
    imports = site.graph[name]
    texts = (name, site.modules[name].path, site.modules[name].problem or "", *imports.outside)
    return _FINDINGS_BYTES + sum(map(_json_size, texts)) + 8 * len(imports.inside)


def _json_size(text: str) -> int:
    """Bytes of *text* in JSON at most, with its quotes and separator."""
    return (1 if text.isascii() and text.isprintable() else 12) * len(text) + 4
