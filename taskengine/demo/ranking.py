"""Sums and ranks over findings, small enough to read: what the report says first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

Json = dict[str, Any]

#: Modules in each list of the largest.
TOP = 25
#: What each list ranks by, the largest first.
RANKED = ("reach", "complexity", "code", "fan_in", "fan_out")
_ADDED_UP = ("lines", "code", "comment", "blank", "functions", "classes", "complexity")


def totals(modules: Sequence[Json]) -> dict[str, int]:
    """Sums over modules; ``problems`` counts those that could not be read or parsed."""
    return {
        "modules": len(modules),
        **{key: sum(found[key] for found in modules) for key in _ADDED_UP},
        "problems": sum(found["problem"] is not None for found in modules),
    }


def top_lists(modules: Sequence[Json]) -> dict[str, list[Json]]:
    """Return the first modules by each of RANKED, and the most complex ``functions``, one of a module."""
    shown = [{key: value for key, value in found.items() if key != "imports"} for found in modules]
    functions = [found["worst"] | {"module": found["module"]} for found in modules if found["worst"]]
    return {
        **{key: _largest(shown, key) for key in RANKED},
        "functions": _largest(functions, "complexity"),
    }


def _largest(rows: Iterable[Json], key: str) -> list[Json]:
    return sorted(rows, key=lambda row: (-row[key], row["module"]))[:TOP]


def cycles(packages: Iterable[Json]) -> list[Json]:
    """Return the cycles that the packages' results name, the largest first."""
    named = {cycle["name"]: cycle for package in packages for cycle in package["cycles"]}
    return sorted(named.values(), key=lambda cycle: (-cycle["size"], cycle["name"]))


def by_package(packages: Iterable[Json]) -> list[Json]:
    """Totals of each package, the most complex first; parts of one package are added up."""
    sums: dict[str, Counter[str]] = {}
    for package in packages:
        sums.setdefault(package["package"], Counter()).update(package["totals"])
    rows = [{"package": name, **counts} for name, counts in sums.items()]
    return sorted(rows, key=lambda row: (-row["complexity"], row["package"]))


def outside(packages: Iterable[Json]) -> list[Json]:
    """Packages that the code base does not hold, with the number of modules that import each."""
    counts: Counter[str] = Counter()
    for package in packages:
        counts.update(package["outside"])
    rows = [{"package": name, "modules": count} for name, count in counts.items()]
    return sorted(rows, key=lambda row: (-row["modules"], row["package"]))


def bounded(name: str, rows: Sequence[Json], limit: int) -> Json:
    """Return the first *limit* rows under *name*, and how many there are under ``name_total``."""
    return {name: list(rows[:limit]), f"{name}_total": len(rows)}
