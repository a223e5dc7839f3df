"""What a change of a module would reach: everything that imports it, directly or through others.

Tasks run in the order of imports, so what flows into a task is what its module *needs*. Reach is the same
relation read from the other end, which nothing upstream can know: it is computed once, in the report, from
all edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import networkx as nx  # type: ignore[import-untyped]  # it ships no types; what comes back is annotated here


def fan_in(imports: Sequence[Sequence[int]]) -> list[int]:
    """Return how many modules import each one directly; ``imports[n]`` are the modules that module *n* imports."""
    counts = [0] * len(imports)
    for targets in imports:
        for target in targets:
            counts[target] += 1
    return counts


def reach(imports: Sequence[Sequence[int]]) -> list[int]:
    """Return how many other modules need each one, directly or through others; those of a cycle need each other."""
    parts = nx.condensation(_digraph(imports))
    sizes = [0] * len(imports)
    reached: dict[int, int] = {}
    for part in nx.topological_sort(parts):  # importers before what they import
        members = parts.nodes[part]["members"]
        bits = sum(1 << module for module in members)
        for importer in parts.predecessors(part):
            bits |= reached[importer]
        reached[part] = bits
        for module in members:
            sizes[module] = bits.bit_count() - 1
    return sizes


def _digraph(imports: Sequence[Sequence[int]]) -> Any:
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(imports)))
    graph.add_edges_from((n, target) for n, targets in enumerate(imports) for target in targets)
    return graph
