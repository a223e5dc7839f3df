"""Which agent types there are here, and what each takes as its config.

A type is found by its entry point and imported by the worker that serves it (:mod:`workers.agents.load`); here are the
names, and the models of their configs, which cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points

from taskengine.agents.config import AgentConfig
from taskengine.errors import AgentError, InvalidInputError
from taskengine.models.agent import AgentRecord

#: Groups of entry points: classes of types, and of their configs.
TYPES, CONFIGS = "taskengine.agents", "taskengine.agent_configs"
#: What ``@agent`` declares.
FUNCTION = "function"
#: Bytes of a config as JSON.
LARGEST_CONFIG = 64 * 1024
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


def default_secret(record: AgentRecord) -> str | None:
    """Return the secret that a type works with where the record names none; None for most types.

    Only at the address that the type knows itself: a record must say it when a credential is to go anywhere else.
    """
    if record.type == "codegen" and record.secret is None and "base_url" not in record.config:
        return "CODEGEN_API_TOKEN"
    return None


def check_record(record: AgentRecord) -> None:
    """InvalidInputError names the first thing in a record that its type does not take, or that nobody knows."""
    for path, says in faults_of(record):
        raise InvalidInputError(f"agent {record.id!r}: {says}", field=".".join(path))


def faults_of(record: AgentRecord) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield where and what is wrong with a record: its type, or each key of its config."""
    types = known_types()
    if record.type not in types:
        yield (
            ("agent_type",),
            f"there is no agent type {record.type!r}{_meant(record.type, types)}; there are {', '.join(types)}, and a "
            "type of somebody else's comes with its package",
        )
        return
    size = len(record.model_dump_json(include={"config"}).encode())
    if size > LARGEST_CONFIG:
        yield (("config",), f"its config is {size} bytes, the limit is {LARGEST_CONFIG}; keep large texts elsewhere")
    # Without any config it is only named, and its worker says what it still needs.
    if record.config and (model := config_model(record.type)) is not None:
        yield from _config_faults(record, model)


def read_config(record: AgentRecord, model: type[AgentConfig]) -> AgentConfig:
    """Return the config of a record as its type takes it; InvalidInputError names what is wrong in it first."""
    for path, says in _config_faults(record, model):
        raise InvalidInputError(f"agent {record.id!r}: {says}", field=".".join(path))
    return model.model_validate(record.config)


def _config_faults(record: AgentRecord, model: type[AgentConfig]) -> Iterator[tuple[tuple[str, ...], str]]:
    takes = sorted(model.model_fields)
    for key in record.config:
        if key not in model.model_fields:
            shown = ", ".join(takes) or "nothing"
            says = f"the config of type {record.type!r} knows no {key!r:.80}{_meant(key, takes)}; it takes {shown}"
            yield ("config", f"{key:.80}"), says
    try:
        model.model_validate({key: value for key, value in record.config.items() if key in model.model_fields})
    except InvalidInputError as exc:
        yield ("config", *str(exc.field).split(".")), f"config.{str(exc).removeprefix(f'{model.__name__}.')}"


def _meant(word: str, words: Sequence[str]) -> str:
    near = get_close_matches(word, words, 1)
    return f", did you mean {near[0]!r}?" if near else ""
