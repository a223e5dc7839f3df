"""The table of what can be asked for from afar: complete, without doubles, each row with a scope."""

from __future__ import annotations

import inspect
from collections import Counter

import pytest

from taskengine.api import TaskAPI
from taskengine.api.surface import ALIASES, NOT_REMOTE, ROWS, Row, Scope, Sends

COROUTINES = {
    name for name, _ in inspect.getmembers(TaskAPI, inspect.iscoroutinefunction) if not name.startswith("_")
}
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)


def parameters(row: Row) -> dict[str, inspect.Parameter]:
    found = dict(inspect.signature(getattr(TaskAPI, row.name)).parameters)
    found.pop("self")
    return found


def test_every_coroutine_of_the_client_has_a_row_or_a_reason() -> None:
    missing = COROUTINES - {row.name for row in ROWS} - ALIASES.keys() - NOT_REMOTE.keys()
    assert not missing, (
        f"add to ROWS in taskengine/api/surface.py a Row(name, verb, path, scope, …) for each of {sorted(missing)}, "
        "beside those of its noun (READ asks, SUBMIT stores work, OPERATE steers work of others, ADMIN changes the "
        "fleet); or to NOT_REMOTE, with the reason, what makes no sense from afar"
    )


def test_every_name_of_the_table_is_a_coroutine_of_the_client() -> None:
    gone = ({row.name for row in ROWS} | ALIASES.keys() | NOT_REMOTE.keys()) - COROUTINES
    assert not gone, f"take out of taskengine/api/surface.py what the client no longer has: {sorted(gone)}"


def test_an_alias_is_the_same_method() -> None:
    assert all(getattr(TaskAPI, alias) is getattr(TaskAPI, name) for alias, name in ALIASES.items())


def test_paths_and_names_are_unique() -> None:
    assert [key for key, times in Counter((row.verb, row.path) for row in ROWS).items() if times > 1] == []
    assert [name for name, times in Counter(row.id for row in ROWS).items() if times > 1] == []


def test_no_path_hides_another() -> None:
    """``/tasks:wait`` is no task, and nothing stands where an id may: the second of two such would be unreachable."""
    for row in ROWS:
        for other in ROWS:
            ours, theirs = row.path.split("/"), other.path.split("/")
            if row.verb == other.verb and row is not other and len(ours) == len(theirs):
                pairs = zip(ours, theirs, strict=True)
                assert not all(a == b or a.startswith("{") or b.startswith("{") for a, b in pairs), (row.id, other.id)


@each_row
def test_every_row_has_a_scope_that_fits_its_verb(row: Row) -> None:
    assert isinstance(row.scope, Scope)
    assert row.verb != "GET" or row.scope is Scope.READ or row.name == "list_keys"  # who is let in is no work
    assert row.verb in {"GET", "POST"} or row.scope > Scope.READ


@each_row
def test_every_argument_that_a_row_names_is_one_of_its_method(row: Row) -> None:
    known = parameters(row)
    named = {*row.in_path, *row.without, *filter(None, (row.one, row.who, row.key.partition(".")[0]))}
    assert named <= known.keys()


@each_row
def test_who_does_it_is_never_an_argument_of_the_caller(row: Row) -> None:
    by = parameters(row).get("by")
    assert by is None or row.who == "by" or "Literal" in str(by.annotation)


@each_row
def test_a_row_sends_what_its_verb_can_carry(row: Row) -> None:
    assert (row.sends is Sends.QUERY) == (row.verb in {"GET", "DELETE"})
    assert (row.sends is Sends.ONE) == bool(row.one)
    assert not row.waits or "timeout" in parameters(row)
