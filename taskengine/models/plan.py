"""The shape of what is stored, and the order in which it can run: plain JSON data, with ids as text."""

from __future__ import annotations

from typing_extensions import TypedDict  # a schema of the standard one needs Python 3.12


class Node(TypedDict):
    """A task in a dependency graph."""

    id: str
    name: str
    status: str
    run_id: str


class Edge(TypedDict):
    """``source`` must be over before ``target`` starts."""

    source: str
    target: str


class DependencyGraph(TypedDict):
    """Tasks and what waits for what."""

    nodes: list[Node]
    edges: list[Edge]


class ExecutionPlan(TypedDict):
    """The order in which tasks can run."""

    #: Each wave waits only for earlier ones; the tasks of one can run at the same time.
    waves: list[list[str]]
    #: The chain that no number of workers shortens, first to last, by ``estimated_seconds``.
    critical_path: list[str]
    critical_path_seconds: float
