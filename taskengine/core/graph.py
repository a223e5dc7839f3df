"""Questions about a graph of tasks: is it sound, in which order, how long at least, what hangs on what.

A graph is plain data: ``parents`` maps each task id to the ids it depends on, in the order the tasks were
given. A parent that is no key of its own lies outside (stored earlier) and binds nothing here; ``check``
alone asks whether it exists. Everything is iterative, so a chain of 100 000 tasks is as good as any other
shape, and deterministic even where parents come as sets: order comes from the mapping, never from hashing.

What every submit needs (``check``, ``longest_to_end``) and ``execution_order`` are plain loops: for 100 000
tasks with 300 000 edges each costs 0.3 s, while building a ``networkx.DiGraph`` alone takes 0.6 s.
Questions that nobody asks per task (the cyclic parts of a broken graph, waves, descendants) are networkx's.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Mapping
from typing import Any

from taskengine.core.cycles import networkx, shortest_cycle, shortest_way
from taskengine.errors import CircularDependencyError, UnknownDependencyError

Parents = Mapping[str, Collection[str]]


class Frontier:
    """Tasks that wait for nothing any more, smallest *key* first, then as given: to walk a graph."""

    def __init__(self, parents: Parents, key: Callable[[str], Any] | None = None) -> None:
        self._tasks = list(parents)
        self._place = {task: i for i, task in enumerate(self._tasks)}
        self._key = key
        self._children, self._waiting = _children(parents)
        self._heap = [self._entry(task) for task in self._tasks if not self._waiting[task]]
        heapq.heapify(self._heap)

    def __bool__(self) -> bool:
        return bool(self._heap)

    def pop(self) -> str:
        """Take the first task out."""
        return self._tasks[heapq.heappop(self._heap)[1]]

    def finish(self, task: str) -> None:
        """Let go the dependents of a task that was popped: those that wait for nothing else come in."""
        for child in self._children[task]:
            self._waiting[child] -= 1
            if not self._waiting[child]:
                heapq.heappush(self._heap, self._entry(child))

    def _entry(self, task: str) -> tuple[Any, int]:
        return 0 if self._key is None else self._key(task), self._place[task]


def check(
    parents: Parents, *, known: Container[str] = frozenset(), names: Mapping[str, str] | None = None
) -> None:
    """Raise UnknownDependencyError or CircularDependencyError unless the graph may be submitted.

    *known* holds the ids that are stored already. *names* (task name by id) make the errors readable. A
    task that depends on itself is a cycle of one.
    """
    for task, wanted in parents.items():
        missing = [p for p in wanted if p not in parents and p not in known]
        if missing:
            label = f"{names[task]} ({task})" if names and task in names else task
            raise UnknownDependencyError(label, sorted(missing))
    path = find_cycle(parents, names)
    if path:
        raise CircularDependencyError(path)


def find_cycle(parents: Parents, names: Mapping[str, str] | None = None) -> list[str] | None:
    """Return a cycle as a path of ids, each depending on the next, the first repeated at the end; None without one.

    With *names* the path holds task names instead, with the id behind where two of them are called the
    same. It is a shortest cycle unless the cyclic part is so large that the search stops early; then the
    best so far.
    """
    order = _peel(parents)
    if len(order) == len(parents):
        return None
    done = set(order)
    path = shortest_cycle({task: parents[task] for task in parents if task not in done})
    return _labels(path, names)


def would_close_cycle(
    parents_of: Parents, task: str, dependency: str, names: Mapping[str, str] | None = None
) -> list[str] | None:
    """Return the cycle that *task* depending on *dependency* would close (*task* first and last), or None.

    *parents_of* are the edges known so far; only what lies above *dependency* is looked at. *names* as in
    :func:`find_cycle`.
    """
    if task == dependency:
        return _labels([task, task], names)
    way, _ = shortest_way(lambda at: sorted(parents_of.get(at, ())), dependency, task)
    return None if way is None else _labels([task, *way], names)


def execution_order(parents: Parents, key: Callable[[str], Any] | None = None) -> list[str]:
    """Return every task after all that it depends on; of those that may come next always the smallest *key*.

    Equal keys, and all of them without *key*, keep the given order. Raises CircularDependencyError.
    """
    frontier = Frontier(parents, key)
    order = []
    while frontier:
        order.append(task := frontier.pop())
        frontier.finish(task)
    return require_all(order, parents)


def waves(parents: Parents) -> list[list[str]]:
    """Tasks in generations: each wave depends only on earlier ones; inside a wave the given order.

    Raises CircularDependencyError.
    """
    place, nx = {task: i for i, task in enumerate(parents)}, networkx()
    try:
        return [sorted(wave, key=place.__getitem__) for wave in nx.topological_generations(_digraph(parents))]
    except nx.NetworkXUnfeasible:
        raise _circular(parents) from None


def longest_to_end(parents: Parents, seconds: Mapping[str, float]) -> dict[str, float]:
    """Seconds of the longest path from each task through its dependents to the end, its own time included.

    Raises CircularDependencyError.
    """
    longest = dict.fromkeys(parents, 0.0)
    for task in reversed(require_all(_peel(parents), parents)):
        total = longest[task] = longest[task] + seconds[task]
        for parent in parents[task]:
            if longest.get(parent, total) < total:
                longest[parent] = total
    return longest


def critical_path(parents: Parents, seconds: Mapping[str, float]) -> list[str]:
    """Return the chain of tasks, first to last, that takes longest: no schedule is shorter. Empty without tasks."""
    longest = longest_to_end(parents, seconds)
    children, waiting = _children(parents)
    path: list[str] = []
    following: Iterable[str] = [task for task in parents if not waiting[task]]
    while following:
        path.append(max(following, key=longest.__getitem__))
        following = children[path[-1]]
    return path


def descendants(parents: Parents, task: str) -> set[str]:
    """Everything that depends on *task*, directly or through others; *task* may lie outside the graph."""
    graph = _digraph(parents, outside=True)
    return set(networkx().descendants(graph, task)) if task in graph else set()


def require_all(reached: list[str], parents: Parents) -> list[str]:
    """*reached* as it is if a walk met every task of the graph; else raises CircularDependencyError."""
    if len(reached) < len(parents):
        raise _circular(parents)
    return reached


def _children(parents: Parents) -> tuple[dict[str, list[str]], dict[str, int]]:
    """Dependents of each task in the given order, and how many parents each task waits for."""
    children: dict[str, list[str]] = {task: [] for task in parents}
    waiting: dict[str, int] = {}
    dependents_of = children.get
    for task, wanted in parents.items():
        inside = 0
        for parent in wanted:
            dependents = dependents_of(parent)
            if dependents is not None:
                dependents.append(task)
                inside += 1
        waiting[task] = inside
    return children, waiting


def _peel(parents: Parents) -> list[str]:
    """Return all tasks that no cycle holds back, parents first (Kahn's algorithm)."""
    children, waiting = _children(parents)
    order = [task for task in parents if not waiting[task]]
    for task in order:  # grows while it is read
        for child in children[task]:
            waiting[child] -= 1
            if not waiting[child]:
                order.append(child)
    return order


def _circular(parents: Parents) -> CircularDependencyError:
    return CircularDependencyError(find_cycle(parents) or ())


def _digraph(parents: Parents, *, outside: bool = False) -> Any:
    """Return the graph for networkx, edges from parent to child; *outside*: with parents that are no keys."""
    graph = networkx().DiGraph()
    graph.add_nodes_from(parents)
    graph.add_edges_from((p, task) for task, ps in parents.items() for p in ps if outside or p in parents)
    return graph


def _labels(path: list[str], names: Mapping[str, str] | None) -> list[str]:
    """Names of a path's tasks; a name that two of them share carries the id behind it."""
    if names is None:
        return path
    called = {task: names.get(task, task) for task in path}
    shared = Counter(called.values())
    return [f"{called[task]} ({task})" if shared[called[task]] > 1 else called[task] for task in path]
