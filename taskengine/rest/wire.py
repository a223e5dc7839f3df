"""What the client's parameters are as JSON: the same names, types that a schema can tell.

A method takes what is convenient in Python (a UUID or its text, an enumeration or its value, one id or many); JSON has
one way to say each of these.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import cache, reduce
from operator import or_
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from taskengine.api import TaskAPI
from taskengine.api.surface import Row
from taskengine.models import Task, TaskCreateRequest, Workflow, WorkflowDefinition

#: The second stands for the first: it says all that a client may say.
_INSTEAD: Mapping[Any, Any] = {Task: TaskCreateRequest, WorkflowDefinition: Workflow}


@cache
def parameters(row: Row) -> Mapping[str, inspect.Parameter]:
    """Return what a row's method takes from afar, with the types of the wire."""
    method = getattr(TaskAPI, row.name)
    hints = get_type_hints(method)
    found = dict(inspect.signature(method).parameters)
    for name in ("self", "progress", row.who, *row.without):
        found.pop(name, None)
    return {name: each.replace(annotation=wire_type(hints.get(name, Any))) for name, each in found.items()}


def answer_type(row: Row) -> Any:
    """Return what a row's method answers."""
    return get_type_hints(getattr(TaskAPI, row.name))["return"]


def wire_type(annotation: Any) -> Any:
    """Return the type of JSON values for a parameter of this type."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _one_way(list(dict.fromkeys(filter(None, map(_member, args)))))
    if origin is Iterable:
        return types.GenericAlias(list, (wire_type(args[0]),))
    if origin is Mapping:
        return types.GenericAlias(dict, args)
    return _INSTEAD.get(annotation, annotation)


def _member(annotation: Any) -> Any:
    """Return a member of a union; None where JSON has nothing of the kind."""
    return None if get_origin(annotation) is Callable else wire_type(annotation)


def _one_way(members: list[Any]) -> Any:
    """Return a union without the members that others make superfluous."""
    listed = {get_args(each)[0] for each in members if get_origin(each) is list}
    flat = {inner for each in listed for inner in (get_args(each) or (each,))}
    enums = {each for each in members if inspect.isclass(each) and issubclass(each, Enum)}
    spare = set(flat)
    if UUID in members or enums:
        spare.add(str)
    if any(issubclass(each, int) for each in enums):
        spare.add(int)
    left = [each for each in members if each not in spare]
    # A text first: our models refuse one with an error that ends the search of a union.
    return reduce(or_, sorted(left, key=lambda each: each is not str))
