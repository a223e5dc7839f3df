"""Laws of core/graph: sound or refused with the cycle named, ordered, measured; for any shape and size."""

from __future__ import annotations

import random
import subprocess
import sys
from itertools import pairwise

import networkx as nx  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskengine.core import graph
from taskengine.errors import CircularDependencyError, InvalidInputError, UnknownDependencyError
from taskengine.settings import environment

DIAMOND = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}
DEEP = 100_000

ids = st.integers(0, 11).map(lambda number: f"t{number:02d}")
any_graph = st.dictionaries(ids, st.sets(ids, max_size=4), max_size=12)
seconds_of_all = st.lists(st.integers(0, 50).map(float), min_size=12, max_size=12)


@st.composite
def acyclic(draw: st.DrawFn) -> dict[str, set[str]]:
    """A graph without a cycle, its tasks given in any order, some parents lying outside."""
    names = draw(st.permutations([f"t{number:02d}" for number in range(draw(st.integers(0, 12)))]))
    edges = {
        name: draw(st.sets(st.sampled_from([*names[:at], "outside"]), max_size=4))
        for at, name in enumerate(names)
    }
    return {name: edges[name] for name in draw(st.permutations(names))}


def inner(parents: dict[str, set[str]]) -> nx.DiGraph:
    """The independent witness: the same graph as networkx holds it."""
    witness = nx.DiGraph()
    witness.add_nodes_from(parents)
    witness.add_edges_from((p, task) for task, ps in parents.items() for p in ps if p in parents)
    return witness


def chain(length: int) -> dict[str, list[str]]:
    return {str(at): [str(at - 1)] if at else [] for at in range(length)}


def assert_is_cycle(path: list[str], parents: dict[str, set[str]]) -> None:
    assert path[0] == path[-1]
    assert len(set(path)) == len(path) - 1
    assert all(above in parents[task] for task, above in pairwise(path))


# --- cycles


def test_acyclic_graph_has_no_cycle() -> None:
    assert graph.find_cycle(DIAMOND) is None
    assert graph.find_cycle({}) is None


def test_cycle_is_a_path_where_each_depends_on_the_next() -> None:
    assert graph.find_cycle({"a": ["c"], "b": ["a"], "c": ["b"]}) == ["a", "c", "b", "a"]


def test_self_dependency_is_a_cycle_of_one() -> None:
    assert graph.find_cycle({"a": [], "b": ["a", "b"]}) == ["b", "b"]


def test_shortest_of_several_cycles_is_named_wherever_it_stands() -> None:
    ring = {str(at): [str((at - 1) % 50)] for at in range(50)}
    ring["40"] = ["39", "41"]
    assert graph.find_cycle(ring) == ["40", "41", "40"]


def test_tasks_before_and_behind_a_cycle_are_not_named() -> None:
    parents = {"end": ["x"], "x": ["y", "start"], "y": ["x"], "start": []}
    assert graph.find_cycle(parents) == ["x", "y", "x"]


def test_names_stand_for_ids_in_the_path_of_a_cycle() -> None:
    parents = {"1": ["2"], "2": ["1"]}
    assert graph.find_cycle(parents, {"1": "build", "2": "test"}) == ["build", "test", "build"]


def test_names_shared_inside_a_cycle_carry_their_ids() -> None:
    parents = {"1": ["2"], "2": ["3"], "3": ["1"]}
    names = {"1": "build", "2": "build", "3": "test"}
    assert graph.find_cycle(parents, names) == ["build (1)", "build (2)", "test", "build (1)"]


@given(any_graph)
@settings(max_examples=150, deadline=None)
def test_found_cycle_is_real_and_no_shorter_one_exists(parents: dict[str, set[str]]) -> None:
    path = graph.find_cycle(parents)
    lengths = [len(cycle) for cycle in nx.simple_cycles(inner(parents))] if path else []
    assert (path is None) == nx.is_directed_acyclic_graph(inner(parents))
    if path is not None:
        assert_is_cycle(path, parents)
        assert len(path) - 1 == min(lengths)


@pytest.mark.process
def test_cycle_is_the_same_under_every_hash_seed() -> None:
    program = (
        "from taskengine.core import graph\n"
        "p = {f'n{i}': {f'n{(i * k + 1) % 40}' for k in (3, 7, 11)} for i in range(40)}\n"
        "print(graph.find_cycle(p), graph.would_close_cycle(p, 'n1', 'n2'))"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**environment(), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(answers) == 1


@pytest.mark.slow
def test_ring_of_30_000_is_found_whole() -> None:
    ring = chain(30_000)
    ring["0"] = ["29999"]
    path = graph.find_cycle(ring)
    assert path is not None
    assert len(path) == 30_001
    assert_is_cycle(path, {task: set(ps) for task, ps in ring.items()})


# --- check


def test_check_accepts_a_sound_graph_and_known_ids_outside() -> None:
    graph.check({**DIAMOND, "e": ["stored"]}, known={"stored"})


def test_check_names_a_task_and_its_unknown_dependencies() -> None:
    with pytest.raises(UnknownDependencyError, match="build") as caught:
        graph.check({"1": ["9", "8", "7"]}, known={"8"}, names={"1": "build"})
    assert caught.value.missing == ("7", "9")
    assert caught.value.task == "build (1)"
    assert caught.value.field == "depends_on"


def test_check_names_the_path_of_a_cycle_by_task_names() -> None:
    with pytest.raises(CircularDependencyError, match="build -> test -> build") as caught:
        graph.check({"1": {"2"}, "2": {"1"}}, names={"1": "build", "2": "test"})
    assert caught.value.path == ("build", "test", "build")


def test_check_refuses_a_self_dependency_as_a_cycle() -> None:
    with pytest.raises(CircularDependencyError) as caught:
        graph.check({"1": {"1"}}, names={"1": "build"})
    assert caught.value.path == ("build", "build")


# --- would_close_cycle


def test_new_edge_that_closes_a_cycle_answers_its_path() -> None:
    assert graph.would_close_cycle(DIAMOND, "a", "d") == ["a", "d", "b", "a"]
    assert graph.would_close_cycle(DIAMOND, "a", "a") == ["a", "a"]


def test_new_edge_along_the_order_closes_nothing() -> None:
    assert graph.would_close_cycle(DIAMOND, "d", "a") is None
    assert graph.would_close_cycle(DIAMOND, "b", "c") is None
    assert graph.would_close_cycle({}, "new", "other") is None


@given(acyclic(), st.data())
@settings(deadline=None)
def test_edge_is_refused_exactly_when_the_graph_with_it_has_a_cycle(
    parents: dict[str, set[str]], data: st.DataObject
) -> None:
    if not parents:
        return
    task, dependency = (data.draw(st.sampled_from(sorted(parents))) for _ in range(2))
    with_edge = {**parents, task: parents[task] | {dependency}}
    path = graph.would_close_cycle(parents, task, dependency)
    assert (path is None) == (graph.find_cycle(with_edge) is None)
    if path is not None:
        assert path[:2] == [task, dependency]
        assert_is_cycle(path, with_edge)


# --- order and waves


def test_execution_order_keeps_the_given_order_where_it_is_free() -> None:
    assert graph.execution_order({"c": ["a"], "z": [], "a": [], "b": ["a"]}) == ["z", "a", "c", "b"]


def test_execution_order_takes_the_smallest_key_of_what_may_come() -> None:
    urgency = {"a": 3, "b": 9, "c": 1, "d": 0, "e": 5}
    assert graph.execution_order({**DIAMOND, "e": []}, key=urgency.__getitem__) == ["a", "c", "e", "b", "d"]


def test_execution_order_of_a_cycle_raises_with_its_path() -> None:
    with pytest.raises(CircularDependencyError) as caught:
        graph.execution_order({"a": ["b"], "b": ["a"], "c": []})
    assert caught.value.path == ("a", "b", "a")


@given(acyclic())
@settings(deadline=None)
def test_execution_order_is_the_lexicographic_topological_order(parents: dict[str, set[str]]) -> None:
    place = {task: at for at, task in enumerate(parents)}
    expected = list(nx.lexicographical_topological_sort(inner(parents), key=place.__getitem__))
    assert graph.execution_order(parents) == expected


@given(acyclic())
@settings(deadline=None)
def test_wave_of_a_task_is_one_behind_its_latest_parent(parents: dict[str, set[str]]) -> None:
    found = graph.waves(parents)
    wave_of = {task: number for number, wave in enumerate(found) for task in wave}
    assert sorted(wave_of) == sorted(parents)
    assert all(wave for wave in found)
    for task, wanted in parents.items():
        assert wave_of[task] == 1 + max((wave_of[p] for p in wanted if p in parents), default=-1)


def test_waves_keep_the_given_order_inside() -> None:
    assert graph.waves({"d": ["a"], "c": ["a"], "b": [], "a": []}) == [["b", "a"], ["d", "c"]]


def test_waves_of_a_cycle_raise_with_its_path() -> None:
    with pytest.raises(CircularDependencyError) as caught:
        graph.waves({"a": ["b"], "b": ["a"]})
    assert caught.value.path == ("a", "b", "a")


# --- lengths


def test_longest_to_end_counts_own_time_and_the_slowest_dependents() -> None:
    seconds = {"a": 1.0, "b": 5.0, "c": 2.0, "d": 0.5}
    assert graph.longest_to_end(DIAMOND, seconds) == {"a": 6.5, "b": 5.5, "c": 2.5, "d": 0.5}


def test_critical_path_runs_from_a_first_task_to_a_last_even_through_tasks_of_no_time() -> None:
    parents = {"free": [], "a": ["free"], "b": ["a"], "done": ["b"], "other": []}
    seconds = {"free": 0.0, "a": 1.0, "b": 2.0, "done": 0.0, "other": 2.9}
    assert graph.critical_path(parents, seconds) == ["free", "a", "b", "done"]
    assert graph.critical_path({}, {}) == []


@pytest.mark.parametrize("question", [graph.longest_to_end, graph.critical_path])
def test_lengths_of_a_cycle_raise(question: object) -> None:
    with pytest.raises(CircularDependencyError):
        question({"a": ["b"], "b": ["a"]}, {"a": 1.0, "b": 1.0})  # type: ignore[operator]  # one of two functions


@given(acyclic(), seconds_of_all)
@settings(deadline=None)
def test_lengths_agree_with_every_path_counted_out(parents: dict[str, set[str]], times: list[float]) -> None:
    seconds = {task: times[int(task[1:])] for task in parents}
    witness = inner(parents)
    longest = graph.longest_to_end(parents, seconds)
    for task in parents:
        beyond = [longest[child] for child in witness.successors(task)]
        assert longest[task] == seconds[task] + max(beyond, default=0.0)
    path = graph.critical_path(parents, seconds)
    assert sum(seconds[task] for task in path) == max(longest.values(), default=0.0)
    assert all(above in parents[below] for above, below in pairwise(path))
    if parents:
        assert not [p for p in parents[path[0]] if p in parents]
        assert not list(witness.successors(path[-1]))


# --- descendants


def test_descendants_reach_through_others_and_from_outside() -> None:
    parents = {**DIAMOND, "e": ["stored"], "f": ["e"]}
    assert graph.descendants(parents, "a") == {"b", "c", "d"}
    assert graph.descendants(parents, "d") == set()
    assert graph.descendants(parents, "stored") == {"e", "f"}
    assert graph.descendants(parents, "nobody knows it") == set()


# --- size


@pytest.mark.slow
def test_chain_of_100_000_is_answered_without_recursion() -> None:
    parents = chain(DEEP)
    seconds = dict.fromkeys(parents, 1.0)
    graph.check(parents)
    assert graph.execution_order(parents) == list(parents)
    assert graph.longest_to_end(parents, seconds)["0"] == DEEP
    assert graph.critical_path(parents, seconds) == list(parents)
    assert len(graph.waves(parents)) == DEEP
    assert len(graph.descendants(parents, "0")) == DEEP - 1
    closing = graph.would_close_cycle(parents, "0", str(DEEP - 1))
    assert closing is not None
    assert len(closing) == DEEP + 1


@pytest.mark.slow
def test_100_000_tasks_with_300_000_edges_are_checked_ordered_and_ranked() -> None:
    dice = random.Random(7)
    parents = {
        str(at): {str(dice.randrange(max(0, at - 1000), at)) for _ in range(3)} if at else set()
        for at in range(DEEP)
    }
    graph.check(parents)
    position = {task: at for at, task in enumerate(graph.execution_order(parents))}
    assert all(position[p] < position[task] for task, ps in parents.items() for p in ps)
    longest = graph.longest_to_end(parents, dict.fromkeys(parents, 1.0))
    assert all(longest[p] > longest[task] for task, ps in parents.items() for p in ps)


def test_message_of_a_huge_cycle_stays_readable_while_its_path_is_whole() -> None:
    ring = chain(1000)
    ring["0"] = ["999"]
    with pytest.raises(
        CircularDependencyError, match=r"0 -> 999 -> .* -> \(986 more\) -> .* -> 1 -> 0;"
    ) as caught:
        graph.check(ring)
    assert len(caught.value.path) == 1001
    assert len(str(caught.value)) < 300


def test_message_of_many_unknown_dependencies_stays_readable_while_all_are_kept() -> None:
    with pytest.raises(UnknownDependencyError, match=r"\(85 more\)") as caught:
        graph.check({"a": [str(at) for at in range(100)]})
    assert len(caught.value.missing) == 100


def test_errors_of_a_graph_belong_to_the_tree_of_invalid_input() -> None:
    assert issubclass(CircularDependencyError, InvalidInputError)
    assert issubclass(UnknownDependencyError, InvalidInputError)
