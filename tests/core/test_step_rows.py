"""The rows of a scope, which every piece of it asks for."""

from __future__ import annotations

from typing import Any

from taskengine.core.bindings import Bindings
from taskengine.core.steps.compile import Scope, rows_of
from taskengine.core.steps.plan import PIECE
from taskengine.core.steps.templates import Author
from taskengine.models import Workflow, WorkflowDefinition, WorkflowStep


def definition(steps: int) -> WorkflowDefinition:
    template = {"capability": "lint", "input": {"to": "${context.to}"}}
    made = [WorkflowStep(name=f"s{n}", task_template=template) for n in range(steps)]
    return Workflow(name="w", steps=made).definition


def scope(what: WorkflowDefinition, **context: Any) -> Scope:
    return Scope(Author(what, bindings=Bindings(context=context)), "", what.steps)


def test_all_pieces_of_a_scope_share_its_rows() -> None:
    large = definition(PIECE + 1)
    assert rows_of(scope(large, to="x")) is rows_of(scope(large, to="x"))


def test_rows_are_those_of_their_own_values_and_definition() -> None:
    large, other = definition(PIECE + 1), definition(PIECE + 2)
    first = rows_of(scope(large, to="x"))
    assert rows_of(scope(large, to="y")) != first
    assert len(rows_of(scope(other, to="x"))) == PIECE + 2
    assert rows_of(scope(large, to="x")) == first


def test_a_scope_of_one_piece_is_not_kept() -> None:
    small = definition(PIECE)
    assert rows_of(scope(small, to="x")) is not rows_of(scope(small, to="x"))
