"""``patch_apply`` applies a patch, or runs a generator, in a checkout, and returns the difference. It writes no code of
its own: a model does that, once one is registered for ``code_generation``.

``input.action`` ``build`` compiles every module and returns the commit. Nothing leaves the checkout but the difference.
"""

from __future__ import annotations

import sys
from typing import Any

from taskengine.agents import AgentContext
from taskengine.models import Outcome, Task, TaskType
from workers.agents.builtin.changes import changed_lines, totals
from workers.agents.builtin.clone import Clone, check_out
from workers.agents.builtin.commands import command
from workers.agents.builtin.declare import builtin, refused
from workers.agents.builtin.place import place
from workers.agents.builtin.programs import ProgramError, TooLargeError
from workers.agents.builtin.source import asked

#: Bytes of a difference.
MOST_DIFF = 4 * 1024 * 1024
_WHO = ("-c", "user.name=taskengine", "-c", "user.email=taskengine@localhost", "-c", "commit.gpgSign=false")


@builtin("patch_apply", TaskType.CODE_GENERATION)
def patch_apply(task: Task, context: AgentContext) -> dict[str, Any] | Outcome:
    """Apply a patch or run a generator on a commit; the difference."""
    given = task.input
    if given.get("action") == "build":
        return _build(task, context)
    argv = command(given["command"], "command") if "command" in given else None
    patch = given.get("patch")
    if argv is None and not isinstance(patch, str):
        return refused(
            "no model: register claude or codegen for code_generation (taskengine agents register), or give "
            "input.patch, as git diff writes it, or input.command"
        )
    wanted = asked(given)
    with place(context) as programs:
        clone = check_out(programs, wanted)
        if isinstance(patch, str):
            _apply(clone, patch)
        if argv is not None:
            programs.output(*argv, at=clone.folder)
        return _difference(clone)


def _apply(clone: Clone, patch: str) -> None:
    """Apply a patch to the files and the index; git refuses one that leads out of the folder, by name or link."""
    file = clone.programs.folder / "patch"
    file.write_text(patch if patch.endswith("\n") else f"{patch}\n", encoding="utf-8")
    try:
        clone.git("apply", "--index", "--whitespace=nowarn", "--", str(file))
    except ProgramError as exc:
        said = str(exc).replace(f"{file}:", "line ")
        raise ProgramError(f"input.patch does not apply to {clone.commit}: {said}") from exc


def _difference(clone: Clone) -> dict[str, Any]:
    clone.git("add", "--all")
    clone.git(*_WHO, "commit", "--quiet", "--allow-empty", "--no-verify", "--message", "the change")
    changed = changed_lines(Clone(clone.programs, clone.folder, clone.commit, clone.commit))
    diff = clone.git("diff", "--no-ext-diff", "--no-textconv", "--binary", str(clone.commit), "HEAD")
    if len(diff) > MOST_DIFF:
        raise TooLargeError(f"the difference is {len(diff)} characters, the limit is {MOST_DIFF}")
    return {"commit": clone.commit, "diff": diff, **totals(changed)}


def _build(task: Task, context: AgentContext) -> dict[str, Any]:
    with place(context) as programs:
        clone = check_out(programs, asked(task.input))
        programs.output(sys.executable, "-I", "-m", "compileall", "-q", ".", at=clone.folder)
        return {"commit": clone.commit}
