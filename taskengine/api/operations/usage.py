"""What agents used of services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from taskengine.api.arguments import number
from taskengine.api.context import OperationContext
from taskengine.errors import InvalidInputError
from taskengine.models.spent import Spent
from taskengine.models.usage import AgentUsage
from taskengine.store import coordination, spent
from taskengine.store.call import Operation

By = Literal["agent", "model", "day"]
_NAMES: Mapping[By, Callable[[spent.Used], str | date]] = {
    "agent": lambda one: one.agent, "model": lambda one: one.spent.model, "day": lambda one: one.day,
}  # fmt: skip


def get_agent_usage(context: OperationContext, by: By, days: int) -> Operation[list[AgentUsage]]:
    """Return what was used on the last days, today included, by agent, model or day; days without use are left out."""
    if by not in _NAMES:
        raise InvalidInputError(f"by is {by!r:.80}; use {', '.join(_NAMES)}", field="by")
    count = number(days, "days", 1, spent.KEPT_DAYS)
    today = datetime.fromtimestamp((yield from coordination.server_ms()) / 1000, UTC).date()
    found: dict[str | date, Spent] = {}
    for ago in range(count - 1, -1, -1):
        for one in (yield from spent.of_day(context.keys, today - timedelta(days=ago))):
            name = _NAMES[by](one)
            found[name] = found.get(name, Spent("")).plus(one.spent)
    rows = [_row(by, name, used) for name, used in found.items()]
    return rows if by == "day" else sorted(rows, key=lambda row: (-row.tokens, str(row.agent or row.model)))


def _row(by: By, name: str | date, used: Spent) -> AgentUsage:
    return AgentUsage.model_validate(
        {
            by: name, "requests": used.requests, "input_tokens": used.input_tokens,
            "output_tokens": used.output_tokens, "cache_read_tokens": used.cache_read_tokens,
            "cache_write_tokens": used.cache_write_tokens, "tokens": used.tokens,
        }
    )  # fmt: skip
