"""What a demo runs: the analysis of a code base, or a graph of any size whose tasks only wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from taskengine.demo import mosaic
from taskengine.demo.imports import import_graph
from taskengine.demo.plan import Node, nodes
from taskengine.demo.run import Analysis
from taskengine.demo.source import CodeBase, find
from taskengine.errors import InvalidInputError
from taskengine.models import TaskType

#: The package that this file belongs to.
_OWN_SOURCE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is shown."""

    #: Of the run, of its queue, and of what is done before there is a plan.
    name: str
    queue: str
    planning: str
    #: What it is, in a line.
    sentence: str
    plan: Callable[[], Iterable[Node]]
    #: None: the tasks find nothing out, so there is no report.
    code_base: CodeBase | None = None

    def analysis(self) -> Analysis:
        """Plan it; takes seconds for thousands of tasks."""
        return Analysis.of(self.plan(), None if self.code_base else self.queue)


def subject(path: Path | None, synthetic: int | None) -> Subject:
    """Return what the command line asks for; InvalidInputError if that is both, or no code."""
    if synthetic is None:
        return _code(find(path or _OWN_SOURCE))
    if path is not None:
        raise InvalidInputError("--synthetic makes a graph of its own: leave PATH or the option out", field="synthetic")
    return _mosaic(synthetic)


def _code(code_base: CodeBase) -> Subject:
    return Subject(
        name=f"demo of {code_base.top.name}".encode(errors="replace").decode(),
        queue=TaskType.CODE_ANALYSIS.value,
        planning="reading who imports whom",
        sentence=f"Code base {code_base.top}, {len(code_base.modules)} modules",
        plan=lambda: nodes(code_base, import_graph(code_base)),
        code_base=code_base,
    )


def _mosaic(size: int) -> Subject:
    return Subject(
        name=f"mosaic of {size} tasks",
        queue=mosaic.CAPABILITY,
        planning="planning the mosaic",
        sentence=f"Mosaic    {size} tasks that wait for a few milliseconds each, in the shape of Montage",
        plan=lambda: mosaic.mosaic(size),
    )
