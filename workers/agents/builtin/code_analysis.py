"""``ast_analysis`` measures Python code, says what a change touches, or lints.

``input.analysis_type`` ``lint`` fails where something is found; ``diff`` says which files and lines a change touches;
without one it measures: files, lines, functions, complexity, and what ruff finds. A task with ``input.step`` is one of
a planned analysis (:mod:`taskengine.demo.plan`), whose folder must lie in TASKENGINE_WORKSPACES.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from taskengine.agents import AgentContext
from taskengine.demo.measure import measure
from taskengine.demo.source import find
from taskengine.demo.steps import analyse
from taskengine.demo.text import read
from taskengine.models import Outcome, Task, TaskType
from workers.agents.builtin import ruff
from workers.agents.builtin.changes import changed_lines, totals
from workers.agents.builtin.clone import Clone, check_out
from workers.agents.builtin.declare import builtin, refused
from workers.agents.builtin.place import place
from workers.agents.builtin.roots import within
from workers.agents.builtin.source import asked

#: Functions, findings and problems that a result lists; it counts all.
_LISTED = 50


@builtin("ast_analysis", TaskType.CODE_ANALYSIS)
def ast_analysis(task: Task, context: AgentContext) -> dict[str, Any] | Outcome:
    """Measure, lint or compare a commit."""
    if "step" in task.input:
        return _planned(task, context)
    wanted, kind = asked(task.input), str(task.input.get("analysis_type", "metrics"))
    with place(context) as programs:
        match kind:
            case "diff":
                return totals(changed_lines(check_out(programs, wanted, compared=True)))
            case "lint":
                return _lint(check_out(programs, wanted, plain=True))
            case "metrics":
                return _measured(check_out(programs, wanted, plain=True))
    return refused(f"input.analysis_type is {kind!r:.60}; use metrics, lint or diff")


def _planned(task: Task, context: AgentContext) -> dict[str, Any]:
    given = dict(task.input)
    if "root" in given:
        given["root"] = str(within(str(given["root"]), "root"))
    return analyse(given, context.results)


def _measured(clone: Clone) -> dict[str, Any]:
    found = find(clone.folder)
    measured = [(module.path, measure(read(found.root, module.path))) for module in found.modules]
    functions = [{"file": path, **function} for path, one in measured for function in one["functions"]]
    functions.sort(key=itemgetter("complexity"), reverse=True)
    problems = [{"file": path, "problem": one["problem"]} for path, one in measured if one["problem"]]
    return {
        "commit": clone.commit,
        "files": len(measured),
        "lines": {kind: sum(one["lines"][kind] for _, one in measured) for kind in ("total", "code", "comment")},
        "functions": len(functions),
        "classes": sum(one["classes"] for _, one in measured),
        "complexity": sum(one["complexity"]["total"] for _, one in measured),
        "most_complex": functions[:_LISTED],
        "problems": problems[:_LISTED],
        "ruff": _ruff(clone),
    }


def _ruff(clone: Clone) -> dict[str, Any] | str:
    """Return what ruff finds, or why it finds nothing."""
    program = ruff.program()
    if program is None:
        return ruff.MISSING
    found = ruff.check(clone, program)
    return {"findings": len(found), "listed": [_shown(one) for one in found[:_LISTED]]}


def _lint(clone: Clone) -> dict[str, Any] | Outcome:
    """Return that a commit is clean, or fail with what is not: ruff's findings, and what git calls wrong with space."""
    program = ruff.program()
    found = [_shown(one) for one in ruff.check(clone, program)] if program else []
    if clone.commit is not None:
        empty = clone.git("hash-object", "-t", "tree", "/dev/null").strip()
        ended = clone.programs.run("git", "diff", "--no-ext-diff", "--check", empty, "HEAD", at=clone.folder)
        found += [line for line in ended.output.decode(errors="replace").splitlines() if line[:1] not in "+-"]
    said = {"clean": not found, "findings": found[:_LISTED], "ruff": "checked" if program else ruff.MISSING}
    if not found:
        return said
    return refused(f"{len(found)} findings: {'; '.join(found[:5])}"[:1000], said)


def _shown(one: ruff.Finding) -> str:
    return f"{one.file}:{one.line}: {one.rule} {one.text}"
