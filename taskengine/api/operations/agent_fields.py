"""What may be said of an agent, as a record takes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from taskengine.agents.types import check_record
from taskengine.api.arguments import mapping
from taskengine.errors import InvalidInputError
from taskengine.models.agent import NAMED, AgentRecord
from taskengine.store.codec import dumps

#: What a change of an agent may name.
CHANGEABLE = (
    "capabilities", "executor", "max_concurrency", "resources", "limits", "secret", "config", "preference",
    "drain_seconds", "description",
)  # fmt: skip


def checked(fields: Mapping[str, Any]) -> AgentRecord:
    """Return a record of which everything is known to be right."""
    refuse_value(fields.get("secret"))
    record = AgentRecord(**fields)
    dumps(record.config, "config")
    check_record(record)
    return record


def refuse_other_changes(id: str, changes: Mapping[str, Any]) -> None:
    """InvalidInputError when nothing is to be changed, or something that does not change."""
    unknown = sorted(changes.keys() - set(CHANGEABLE))
    if unknown or not changes:
        named = f"{unknown[0]!r:.80} is nothing that changes" if unknown else "nothing is to be changed"
        raise InvalidInputError(
            f"agent {id!r}: {named}; name one of {', '.join(CHANGEABLE)}", field=unknown[0] if unknown else "changes"
        )


def refuse_value(secret: object) -> None:
    """InvalidInputError when *secret* cannot be a name: it may be the secret itself, and is not repeated."""
    if secret is not None and not (isinstance(secret, str) and re.fullmatch(NAMED, secret)):
        raise InvalidInputError(
            "secret is no name of a secret (letters, digits and _, at most 100); pass the name, such as "
            "ANTHROPIC_API_KEY, never the value: workers look for it in their environment",
            field="secret",
        )


def plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """*fields* as a record takes them: sets of words also from one alone, a function by where it is."""
    found = dict(fields)
    if "capabilities" in found:
        found["capabilities"] = _words(found["capabilities"], "capabilities")
    if "limits" in found:
        found["limits"] = tuple(dict.fromkeys(_words(found["limits"] or (), "limits")))
    for name in ("resources", "config"):
        if name in found:
            found[name] = dict(mapping(found[name] or {}, name))
    if callable(found.get("executor")):
        found["executor"] = place_of(found["executor"])
    if "description" in found:
        found["description"] = found["description"] or ""
    return found


def _words(given: Iterable[str] | str, field: str) -> list[str]:
    if isinstance(given, str):
        return [given]
    if not isinstance(given, Iterable) or isinstance(given, Mapping):
        raise InvalidInputError(f"{field} is a {type(given).__name__}; pass a set of names", field=field)
    return list(given)


def place_of(function: Callable[..., Any]) -> str:
    """Return where workers find a function; InvalidInputError when no import brings it."""
    module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
    if not name or "<" in name or module in {"", "__main__"}:
        raise InvalidInputError(
            f"executor is {function!r:.80}, which no worker can import; define it at the top of a module and pass it, "
            "or its place as 'module:name', and start workers with --import MODULE",
            field="executor",
        )
    return f"{module}:{name}"
