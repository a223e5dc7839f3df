"""What the tasks of a code analysis do, as pure functions of a task's input and its dependencies' results.

Each step takes the input that :mod:`taskengine.demo.plan` wrote and a mapping with the results of the tasks
it depends on (the keys do not matter), and returns a JSON object well below 256 KiB for code bases of
thousands of modules. Only the steps ``module``, ``cycle`` and ``cycle_part`` read files. All are safe to
repeat.

A set of modules is a string of hexadecimal digits: bit *n* stands for module number *n*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any

from taskengine.demo.measure import measure
from taskengine.demo.ranking import bounded, by_package, cycles, outside, top_lists, totals
from taskengine.demo.reach import fan_in, reach
from taskengine.demo.text import Source, read
from taskengine.errors import InvalidInputError

Json = dict[str, Any]
Results = Mapping[str, Json]

#: Most complex functions in one task's result, shared out among its modules.
_FUNCTIONS_KEPT = 200
#: Characters of a function's name.
_NAME_LENGTH = 120
#: Lines of the lists in the report's result; the written report has them all.
_LISTED = 100


def analyse(input: Json, results: Results) -> Json:
    """Do the step that *input* names; InvalidInputError if it is none, or lacks a field."""
    step = _STEPS.get(str(input.get("step")))
    if step is None:
        raise InvalidInputError(
            f"input.step is {input.get('step')!r}, none of {', '.join(_STEPS)}; take inputs from plan(path)",
            field="input.step",
        )
    function, fields = step
    missing = [field for field in fields if field not in input]
    if missing:
        raise InvalidInputError(
            f"input.{missing[0]} is missing for step {input['step']}; take inputs from plan(path)",
            field=f"input.{missing[0]}",
        )
    return function(input, results)


def analyse_module(input: Json, results: Results) -> Json:
    """Measure a module, or all modules of a cycle, and add up what they need from the modules they import.

    ``{"members": set, "needs": set of all other modules needed, "depth": modules and cycles on the longest
    way down, "cycle": {name, size, path, at_load} or None, "modules": [findings]}``.
    """
    below = list(results.values())
    needs = 0
    for result in below:
        needs |= int(result["needs"], 16) | int(result["members"], 16)
    members = sum(1 << number for number in input["members"])
    depth = 1 + max((result["depth"] for result in below), default=-1)
    return _unit(input, members, needs, depth)


def analyse_cycle_part(input: Json, results: Results) -> Json:
    """Measure some modules of a large cycle, whose needs are the only dependency's result."""
    (cycle,) = results.values()
    return _unit(input, int(cycle["members"], 16), int(cycle["needs"], 16), cycle["depth"])


def _unit(input: Json, members: int, needs: int, depth: int) -> Json:
    count = needs.bit_count() + members.bit_count() - 1
    kept = max(1, _FUNCTIONS_KEPT // max(1, len(input["modules"])))
    cycle = input["cycle"]
    common = {"needs": count, "depth": depth, "cycle": cycle and cycle["name"]}
    return {
        "members": f"{members:x}",
        "needs": f"{needs:x}",
        "depth": depth,
        "cycle": cycle,
        "modules": [_findings(Path(input["root"]), module, kept) | common for module in input["modules"]],
    }


def _findings(root: Path, module: Json, functions_kept: int) -> Json:
    """One module's findings; ``functions`` counts them, ``most_complex`` names some."""
    source = Source("", None, module["problem"]) if module["problem"] else read(root, module["path"])
    found = measure(source)
    functions = sorted(found["functions"], key=lambda function: -function["complexity"])[:functions_kept]
    most_complex = [function | {"name": function["name"][:_NAME_LENGTH]} for function in functions]
    return {
        "number": module["number"],
        "module": module["name"],
        "path": module["path"],
        **{"lines" if kind == "total" else kind: count for kind, count in found["lines"].items()},
        "functions": len(found["functions"]),
        "classes": found["classes"],
        "complexity": found["complexity"]["total"],
        "most_complex": most_complex,
        "imports": module["imports"],
        "fan_out": len(module["imports"]),
        "outside": module["outside"],
        "problem": found["problem"],
    }


def aggregate_package(input: Json, results: Results) -> Json:
    """Return the findings of a package's modules together.

    ``{"package", "totals", "outside": {package outside: modules that import it}, "cycles", "modules":
    [findings with the one most complex function]}``. Modules of other packages, which share a cycle with this
    one, are left out.
    """
    wanted = set(input["modules"])
    all_results = list(results.values())
    modules = [found for result in all_results for found in result["modules"] if found["number"] in wanted]
    came_in = f"{len(modules)} of {len(wanted)} modules of package {input['package']!r} came in"
    _require(len(modules) == len(wanted), came_in)
    modules.sort(key=itemgetter("module"))
    in_cycles = {result["cycle"]["name"]: result["cycle"] for result in all_results if result["cycle"]}
    return {
        "package": input["package"],
        "totals": totals(modules),
        "outside": dict(Counter(chain.from_iterable(found["outside"] for found in modules))),
        "cycles": [in_cycles[name] for name in sorted(in_cycles)],
        "modules": [_shortened(found) for found in modules],
    }


def _shortened(found: Json) -> Json:
    most_complex = found["most_complex"]
    kept = {key: value for key, value in found.items() if key not in {"most_complex", "outside"}}
    return kept | {"worst": most_complex[0] if most_complex else None}


def final_report(input: Json, results: Results) -> Json:
    """Return the findings of the whole code base.

    ``reach`` and ``fan_in`` are lists by module number; with the package results they are the full table.
    ``top`` ranks modules; ``cycles``, ``packages``, ``problems`` and ``outside`` are lists of at most 100
    with a ``_total`` beside each.
    """
    packages = list(results.values())
    found = sorted(chain.from_iterable(package["modules"] for package in packages), key=itemgetter("number"))
    complete = [module["number"] for module in found] == list(range(input["modules"]))
    _require(complete, f"{len(found)} of {input['modules']} modules came in")
    imports = [module["imports"] for module in found]
    reached, importers = reach(imports), fan_in(imports)
    # Each pair of a module and one that it needs was counted along the tasks; here it is from the other end.
    needed = sum(module["needs"] for module in found)
    _require(sum(reached) == needed, f"reach counts {sum(reached)} pairs of modules, needs {needed}")
    modules = [
        module | {"reach": reach_, "fan_in": fan_in_}
        for module, reach_, fan_in_ in zip(found, reached, importers, strict=True)
    ]
    return {
        "code_base": input["code_base"],
        "totals": {**totals(modules), "imports": sum(map(len, imports))},
        "depth": max(module["depth"] for module in modules),
        "top": top_lists(modules),
        **bounded("cycles", cycles(packages), _LISTED),
        **bounded("packages", by_package(packages), _LISTED),
        **bounded("problems", [_problem(module) for module in modules if module["problem"]], _LISTED),
        **bounded("outside", outside(packages), _LISTED),
        "unlisted": input["unlisted"],
        "unlisted_total": input["unlisted_total"],
        "reach": reached,
        "fan_in": importers,
    }


def _problem(module: Json) -> Json:
    return {key: module[key] for key in ("module", "path", "problem")}


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise InvalidInputError(f"results: {otherwise}; submit the whole plan again", field="results")


_MEASURING = ("root", "modules", "cycle")
#: Step to its function and the fields that its input must have.
_STEPS: dict[str, tuple[Callable[[Json, Results], Json], tuple[str, ...]]] = {
    "module": (analyse_module, (*_MEASURING, "members")),
    "cycle": (analyse_module, (*_MEASURING, "members")),
    "cycle_part": (analyse_cycle_part, _MEASURING),
    "package": (aggregate_package, ("package", "modules")),
    "report": (final_report, ("code_base", "modules", "unlisted", "unlisted_total")),
}
