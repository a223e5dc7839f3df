"""Which agent types there are here, and what each takes as its config.

A type is found by its entry point and imported by the worker that serves it (:mod:`workers.agents.load`); here are the
names, and the models of their configs, which cost next to nothing.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points

from taskengine.agents.config import AgentConfig
from taskengine.errors import AgentError, InvalidInputError
from taskengine.models.agent import AgentRecord

#: Groups of entry points: classes of types, and of their configs.
TYPES, CONFIGS = "taskengine.agents", "taskengine.agent_configs"
#: What ``@agent`` declares.
FUNCTION = "function"
#: Types that taskengine brings; what each needs may have to be installed.
BUILT_IN = (FUNCTION, "claude", "codegen", "command", "http")


def known_types() -> list[str]:
    """Names of the types that are installed here, and of those that taskengine brings."""
    return sorted({*BUILT_IN, *(point.name for point in entry_points(group=TYPES))})


def entry_of(group: str, name: str) -> EntryPoint | None:
    """Return what is installed of that name, None for nothing; AgentError when two packages bring different ones."""
    found = {point.value: point for point in entry_points(group=group, name=name)}
    if len(found) > 1:
        raise AgentError(f"two packages bring the agent type {name!r}: {' and '.join(sorted(found))}; uninstall one")
    return next(iter(found.values()), None)


def config_model(name: str) -> type[AgentConfig] | None:
    """Return the model of a type's config; None where nobody here knows it. AgentError when it cannot be imported."""
    point = entry_of(CONFIGS, name)
    if point is None:
        return None
    try:
        model = point.load()
    except (ImportError, AttributeError) as exc:
        raise AgentError(f"the config of agent type {name!r} is not at {point.value}: {exc}") from exc
    if not (isinstance(model, type) and issubclass(model, AgentConfig)):
        raise AgentError(f"the config of agent type {name!r}, {point.value}, is no AgentConfig")
    return model


def check_type(record: AgentRecord) -> None:
    """InvalidInputError when nobody knows the record's type, or its type does not take its config."""
    types = known_types()
    if record.type not in types:
        near = get_close_matches(record.type, types, 1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise InvalidInputError(
            f"agent {record.id!r}: there is no agent type {record.type!r}; {meant}There are {', '.join(types)}; a type "
            "of somebody else's comes with its package",
            field="agent_type",
        )
    model = config_model(record.type)
    if model is not None:
        read_config(record, model)


def read_config(record: AgentRecord, model: type[AgentConfig]) -> AgentConfig:
    """Return the config of a record as its type takes it; InvalidInputError names what is wrong in it."""
    takes = sorted(model.model_fields)
    for key in record.config:
        if key not in model.model_fields:
            near = get_close_matches(key, takes, 1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            shown = ", ".join(takes) or "nothing"
            raise InvalidInputError(
                f"agent {record.id!r} of type {record.type!r}: its config knows no {key!r:.80}; {meant}It takes "
                f"{shown}",
                field=f"config.{key:.80}",
            )
    try:
        return model.model_validate(record.config)
    except InvalidInputError as exc:
        says = str(exc).removeprefix(f"{model.__name__}.")
        raise InvalidInputError(
            f"agent {record.id!r} of type {record.type!r}: config.{says}", field=f"config.{exc.field}"
        ) from exc
