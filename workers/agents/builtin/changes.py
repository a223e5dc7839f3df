"""The lines that a change adds, read from git's own account."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workers.agents.builtin.clone import Clone

_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True, slots=True)
class Changes:
    """What lies between two commits."""

    #: File -> number -> text of each line that is new.
    added: Mapping[str, Mapping[int, str]]
    #: File, lines added, lines removed; None of what is no text.
    counted: Sequence[tuple[str, int | None, int | None]]

    @property
    def files(self) -> list[str]:
        """Names of all that it touches."""
        return [name for name, _, _ in self.counted]


def changed_lines(clone: Clone) -> Changes:
    """Return what the commit of a clone changes, compared with its base."""
    span = (clone.base or "HEAD~1", "HEAD")
    common = ("-c", "core.quotePath=false", "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")
    counted = clone.git(*common, "--numstat", "-z", *span).split("\0")
    text = clone.git(*common, "--unified=0", "--src-prefix=a/", "--dst-prefix=b/", *span)
    return Changes(dict(_added(text)), [_count(line) for line in counted if line])


def totals(changes: Changes) -> dict[str, Any]:
    """Return files and lines of a change."""
    return {
        "files": changes.files,
        "additions": sum(added or 0 for _, added, _ in changes.counted),
        "deletions": sum(removed or 0 for _, _, removed in changes.counted),
    }


def _count(line: str) -> tuple[str, int | None, int | None]:
    added, removed, name = line.split("\t", 2)
    return name, None if added == "-" else int(added), None if removed == "-" else int(removed)


def _added(text: str) -> Iterator[tuple[str, dict[int, str]]]:
    """Yield each file with its new lines. A line's own text may look like a header: only outside of hunks it is one."""
    for part in re.split(r"^diff --git .*\n", text, flags=re.MULTILINE)[1:]:
        lines: dict[int, str] = {}
        name, number, is_hunk = "", 0, False
        for line in part.split("\n"):
            if (hunk := _HUNK.match(line)) is not None:
                number, is_hunk = int(hunk[1]), True
            elif not is_hunk and line.startswith("+++ "):
                name = line.removeprefix("+++ ").removeprefix("b/").rstrip("\t")
            elif is_hunk and line.startswith("+"):
                lines[number] = line[1:]
                number += 1
        if name and name != "/dev/null":
            yield name, lines
