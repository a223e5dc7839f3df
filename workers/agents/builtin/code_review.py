"""``ruff_review`` looks at the lines that a change adds, sums up what several reviews found, and notes an answer.

``input.action`` ``review`` (or none) compares ``ref`` with ``base``: ruff on changed lines by the repository's rules,
and rules of its own, each of a kind. ``input.review_type`` takes those of one kind: ``style``, ``security``, ``size``,
``tests``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

from taskengine.agents import AgentContext
from taskengine.models import Outcome, Task, TaskType
from workers.agents.builtin import ruff
from workers.agents.builtin.changes import Changes, changed_lines, totals
from workers.agents.builtin.clone import Clone, check_out
from workers.agents.builtin.declare import builtin, refused
from workers.agents.builtin.place import place
from workers.agents.builtin.source import asked

#: Added lines of a change, and of one file, that people can still read.
_MANY, _MANY_IN_A_FILE = 500, 300
#: Comments that a result lists, and texts of a summary.
_LISTED, _SUMMED_UP = 200, 20
KINDS = ("style", "security", "size", "tests")
#: What an added line may hold: kind, rule, whether it must not stay, what is looked for, what is said.
_RULES: tuple[tuple[str, str, bool, re.Pattern[str], str], ...] = tuple(
    (kind, rule, stops, re.compile(pattern), says)
    for kind, rule, stops, pattern, says in (
        ("style", "tab", False, r"\t", "a tab"),
        ("style", "print", False, r"\bprint\(", "a print"),
        ("style", "space", False, r"[ \t]+$", "white space at the end"),
        ("security", "eval", True, r"\b(eval|exec)\(", "eval"),
        ("security", "shell", True, r"\bshell\s*=\s*True\b", "a shell"),
        ("security", "tls", True, r"\bverify\s*=\s*False\b", "unverified TLS"),
        ("security", "pickle", True, r"\bpickle\.loads?\(", "pickle"),
        ("security", "key", True, r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----", "a private key"),
        (
            "security", "secret", True,
            r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_-]{20,})", "a credential",
        ),
        (
            "security", "password", True,
            r"(?i)\b\w*(?:password|passwd|secret|token|api_?key)\w*\s*[:=]\s*[\"'][^\"'${}<>\s]{8,}[\"']",
            "what looks like a credential",
        ),
    )
)  # fmt: skip
_SOURCES = (".py", ".js", ".ts", ".go", ".rs", ".java", ".rb", ".c", ".cpp")


@dataclass(frozen=True, slots=True)
class Comment:
    """What a review says of a line; 0 is the file, and a file without a name the change."""

    file: str
    line: int
    kind: str
    rule: str
    text: str
    #: Whether the change must not stay as it is.
    stops: bool = False

    @property
    def short(self) -> str:
        """One line for people."""
        return f"{self.file}: {self.text}" if self.file else self.text


@builtin("ruff_review", TaskType.CODE_REVIEW)
def ruff_review(task: Task, context: AgentContext) -> dict[str, Any] | Outcome:
    """Review the added lines of a change."""
    match task.input.get("action", "review"):
        case "review":
            return _review(task, context)
        case "summarise":
            return _sum_up(task)
        case "approve" | "request_changes" as answer:
            context.log(f"{answer}: {task.input.get('text')}")
            return {"answer": answer, "text": task.input.get("text")}
        case other:
            return refused(f"input.action is {other!r:.60}; use review, summarise, approve or request_changes")


def _review(task: Task, context: AgentContext) -> dict[str, Any] | Outcome:
    kind = task.input.get("review_type")
    if kind is not None and kind not in KINDS:
        return refused(f"input.review_type is {kind!r:.60}; this agent knows {', '.join(KINDS)}")
    wanted = asked(task.input)
    with place(context) as programs:
        clone = check_out(programs, wanted, compared=True)
        changes = changed_lines(clone)
        found = [one for one in _comments(clone, changes) if kind in (None, one.kind)]
    return {
        "verdict": "request_changes" if any(one.stops for one in found) else "comment" if found else "approve",
        "comments": [asdict(one) for one in found[:_LISTED]],
        "findings": [one.short for one in found[:_LISTED]],
        "found": len(found),
        "commit": clone.commit,
        "base": clone.base,
        "ruff": "checked" if ruff.program() else ruff.MISSING,
        **totals(changes),
    }


def _comments(clone: Clone, changes: Changes) -> Iterator[Comment]:
    for file, lines in changes.added.items():
        for number, text in lines.items():
            for kind, rule, stops, pattern, says in _RULES:
                if pattern.search(text):
                    yield Comment(file, number, kind, rule, says, stops)
    yield from _of_ruff(clone, changes)
    yield from _of_size(changes)
    yield from _of_tests(changes)


def _of_ruff(clone: Clone, changes: Changes) -> Iterator[Comment]:
    files = [name for name in changes.added if name.endswith((".py", ".pyi")) and (clone.folder / name).is_file()]
    program = ruff.program()
    if program is None or not files:
        return
    for one in ruff.check(clone, program, *files):
        if one.line in changes.added.get(one.file, {}) or one.rule in ("syntax", "invalid-syntax"):
            kind = "security" if re.match(r"S\d", one.rule) else "style"
            yield Comment(one.file, one.line, kind, one.rule, one.text, "syntax" in one.rule)


def _of_size(changes: Changes) -> Iterator[Comment]:
    total = sum(added or 0 for _, added, _ in changes.counted)
    if total > _MANY:
        yield Comment("", 0, "size", "large", f"{total} added lines in {len(changes.files)} files: split it")
    for name, added, _ in changes.counted:
        if added is None:
            yield Comment(name, 0, "size", "binary", "is no text")
        elif added > _MANY_IN_A_FILE:
            yield Comment(name, 0, "size", "large", f"{added} added lines in one file")


def _of_tests(changes: Changes) -> Iterator[Comment]:
    touched = [name for name, added, _ in changes.counted if added and name.endswith(_SOURCES)]
    if touched and not any(map(_is_test, touched)):
        yield Comment("", 0, "tests", "missing", f"no test changes with {touched[0]}")


def _is_test(name: str) -> bool:
    path = PurePosixPath(name)
    return path.stem.startswith("test") or path.stem.endswith(("_test", ".test", ".spec")) or "tests" in path.parts


def _sum_up(task: Task) -> dict[str, Any] | Outcome:
    said = task.input.get("findings")
    if not isinstance(said, dict) or not all(isinstance(each, list) for each in said.values()):
        return refused("input.findings: give lists of texts by kind of review")
    found = [str(text) for several in said.values() if isinstance(several, list) for text in several]
    passed = "pass" if task.input.get("passed") else "fail"
    return {
        "findings": len(found), "text": f"{len(found)} findings, tests {passed}. {'; '.join(found[:_SUMMED_UP])}",
    }  # fmt: skip
