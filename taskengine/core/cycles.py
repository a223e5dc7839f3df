"""The cycle to show a user whose graph has one: a short one, and the same at every try.

``networkx.find_cycle`` takes the first that a depth-first search closes, often hundreds of tasks long where
two edges are to blame. Here networkx finds the strongly connected parts, and a breadth-first search inside
them a short cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from importlib import import_module
from typing import Any

#: Edges looked at while searching for a shorter cycle than the one in hand: about half a second.
_SEARCH_LIMIT = 1_000_000


def networkx() -> Any:
    """Return it, imported for whoever asks first: it takes 0.14 s, and hardly a process has such a question."""
    return import_module("networkx")


def shortest_cycle(parents: Mapping[str, Collection[str]]) -> list[str]:
    """Return the shortest cycle of a graph that has one, or the shortest found within the search limit."""
    best: list[str] = []
    looked = 0
    for knot in _components(parents):
        for task in knot:
            way, edges = shortest_way(knot.__getitem__, task, task, shorter_than=len(best) or None)
            best = way or best
            looked += edges
            if len(best) == 2 or looked > _SEARCH_LIMIT:
                return best
    return best


def _components(parents: Mapping[str, Collection[str]]) -> list[dict[str, list[str]]]:
    """Return the strongly connected parts that hold a cycle, tasks and edges in the given order."""
    place = {task: i for i, task in enumerate(parents)}
    graph = networkx().DiGraph((p, task) for task, ps in parents.items() for p in ps if p in parents)
    components = []
    for part in networkx().strongly_connected_components(graph):
        members = sorted(part, key=place.__getitem__)
        knot = {t: sorted((p for p in parents[t] if p in part), key=place.__getitem__) for t in members}
        if any(knot.values()):
            components.append(knot)
    return sorted(components, key=lambda knot: place[next(iter(knot))])


def shortest_way(
    up: Callable[[str], Iterable[str]], start: str, goal: str, *, shorter_than: int | None = None
) -> tuple[list[str] | None, int]:
    """Return the shortest way of one edge or more *up* from *start* to *goal* (both in it), and the edges looked at.

    None if there is none, or none with fewer than *shorter_than* tasks.
    """
    came_from: dict[str, str] = {}
    level, tasks_so_far, looked = [start], 1, 0
    while level and (shorter_than is None or tasks_so_far + 1 < shorter_than):
        above = []
        for task in level:
            for parent in up(task):
                looked += 1
                if parent == goal:
                    return _walk_back(came_from, start, task, goal), looked
                if parent not in came_from and parent != start:
                    came_from[parent] = task
                    above.append(parent)
        level, tasks_so_far = above, tasks_so_far + 1
    return None, looked


def _walk_back(came_from: Mapping[str, str], start: str, last: str, goal: str) -> list[str]:
    way = [goal, last]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return way[::-1]
