"""Limits by name: what agents that share one may use together."""

# Generated from ../aio/limits.py: change that file, then run python taskengine/api/generate.py

from __future__ import annotations

from taskengine import models
from taskengine.api import operations
from taskengine.api.blocking.base_client import BlockingBaseClient


class BlockingLimits(BlockingBaseClient):
    """Set limits, look at them, remove them."""

    def set_limit(
        self,
        name: str,
        *,
        in_flight: int | None = None,
        requests_per_minute: int | None = None,
        input_tokens_per_minute: int | None = None,
        output_tokens_per_minute: int | None = None,
        tokens_per_day: int | None = None,
    ) -> models.LimitInfo:
        """Say how much all agents that name this limit may use together; how it stands then. None is no bound.

        All bounds are set at once, in the whole fleet, without a restart: one that is left out is none. Lowered under
        load it ends nothing, and nothing more starts until what runs is below it. *in_flight*: executions at once. A
        minute's numbers are never exceeded by more than one request in any minute: a tenth may come at once, the rest
        is spread. *tokens_per_day*: of all kinds together, in UTC; then nothing starts until the next day. Agents name
        limits when they are registered. Safe to repeat.
        """
        bounds = {
            "in_flight": in_flight, "requests_per_minute": requests_per_minute,
            "input_tokens_per_minute": input_tokens_per_minute, "output_tokens_per_minute": output_tokens_per_minute,
            "tokens_per_day": tokens_per_day,
        }  # fmt: skip
        return self._run(operations.limits.set_limit(name, bounds))

    def list_limits(self) -> list[models.LimitInfo]:
        """Return all limits by name: their bounds, what is in flight, today's tokens, and why one lets nothing
        start.
        """
        return self._run(operations.limits.list_limits())

    def remove_limit(self, name: str) -> None:
        """Forget a limit; NotAllowedError while agents name it, and says which."""
        self._run(operations.limits.remove_limit(name))
