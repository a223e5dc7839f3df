"""What an operator asks and mends: why, logs, history, fleet, dead letters, quarantine."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from taskengine.api.aio.operations import AsyncOperations
from taskengine.api.arguments import Id
from taskengine.api.blocking.door import BlockingDoor
from taskengine.api.door import documented_like
from taskengine.api.stories import ask, dead, explain, fleet, logs, quarantine
from taskengine.errors import StoreError
from taskengine.models import (
    DeadLetter,
    DeadLetterPage,
    Event,
    Explanation,
    LogPage,
    QuarantinedMessage,
    QuarantinePage,
)


@documented_like(AsyncOperations)
class BlockingOperations(BlockingDoor):
    """Questions of an operator, and what is kept aside."""

    def explain(self, task_id: Id) -> Explanation:
        return self._run(explain.explain_task(self._scope, task_id))

    def get_logs(
        self, task_id: Id, execution: Id | int | None = None, after: str | None = None, limit: int = 1000
    ) -> LogPage:
        return self._run(logs.get_logs(self._scope, task_id, execution, after, limit))

    def follow_logs(
        self,
        task_id: Id,
        execution: Id | int | None = None,
        after: str | None = None,
        timeout: float | None = None,
    ) -> LogPage:
        return self._run(logs.follow_logs(self._scope, task_id, execution, after, timeout))

    def get_events(self, run_id: Id, after: int = 0, limit: int = 1000) -> list[Event]:
        return self._run(ask.get_events(self._scope, run_id, after, limit))

    def get_task_events(self, task_id: Id, limit: int = 100) -> list[Event]:
        return self._run(ask.get_task_events(self._scope, task_id, limit))

    def get_queue_statistics(self) -> dict[str, Any]:
        return self._run(fleet.get_queue_statistics())

    def list_workers(self) -> list[dict[str, Any]]:
        return self._run(fleet.list_workers())

    def health_check(self) -> dict[str, Any]:
        try:
            return self._run(fleet.health_check())
        except StoreError as exc:
            return fleet.unhealthy(exc)

    def list_dead_letters(
        self,
        capability: str | None = None,
        since: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> DeadLetterPage:
        return self._run(
            dead.list_dead_letters(self._scope, capability=capability, since=since, limit=limit, after=cursor)
        )

    def get_dead_letter(self, task_id: Id) -> DeadLetter:
        return self._run(dead.get_dead_letter(self._scope, task_id))

    def requeue_dead_letters(
        self,
        task_ids: Iterable[Id] | Id | None = None,
        capability: str | None = None,
        since: datetime | None = None,
        everything: bool = False,
    ) -> list[UUID]:
        return self._run(dead.requeue_dead_letters(self._scope, task_ids, capability, since, everything))

    def drop_dead_letters(
        self,
        task_ids: Iterable[Id] | Id | None = None,
        capability: str | None = None,
        since: datetime | None = None,
        everything: bool = False,
    ) -> list[UUID]:
        return self._run(dead.drop_dead_letters(self._scope, task_ids, capability, since, everything))

    def list_quarantined(self, limit: int = 50, cursor: str | None = None) -> QuarantinePage:
        return self._run(quarantine.list_quarantined(self._scope, limit, cursor))

    def get_quarantined(self, message_id: str) -> QuarantinedMessage:
        return self._run(quarantine.get_quarantined(self._scope, message_id))

    def drop_quarantined(
        self, message_ids: Iterable[str] | str | None = None, everything: bool = False
    ) -> int:
        return self._run(quarantine.drop_quarantined(self._scope, message_ids, everything))
