"""Waits that last longer than one request may: asked for again until they are over, or until the caller's time is.

A wait is never begun twice: what started a task or a workflow goes on as a wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from taskengine.api.arguments import id_texts, seconds
from taskengine.api.remote.answers import Waited, waited_of
from taskengine.api.remote.message import Exchange, Request
from taskengine.api.remote.verb import Verb, answered
from taskengine.api.surface import LONGEST_WAIT, MOST_IDS
from taskengine.errors import WaitTimeoutError
from taskengine.models import LogPage
from taskengine.settings import Settings


@dataclass(frozen=True, slots=True)
class Waits:
    """One client's waits."""

    verbs: Mapping[str, Verb]
    settings: Settings
    #: The server, for people.
    where: str
    #: Seconds that only go forward.
    clock: Callable[[], float]

    def until_over(self, name: str, given: Mapping[str, Any]) -> Exchange[Any]:
        """Return what a verb that waits comes to; WaitTimeoutError when its time is up."""
        if name == "wait":
            pieces = pieces_of(given["task_ids"])
            if len(pieces) > 1:
                return (yield from self._until_all_over(pieces, seconds(given.get("timeout"))))
            given = {**given, "task_ids": pieces[0]}
        if not given.get("wait", True):
            return (yield from self._ask(name, {**given, "timeout": 0.0})).result
        timeout = seconds(given.get("timeout"))
        deadline = None if timeout is None else self.clock() + timeout
        takes_wait = "wait" in self.verbs[name].signature.parameters  # over HTTP nobody waits who did not say so
        asks, told = name, {**given, **({"wait": True} if takes_wait else {})}
        while True:
            left = LONGEST_WAIT if deadline is None else max(0.0, min(LONGEST_WAIT, deadline - self.clock()))
            now = yield from self._ask(asks, {**told, "timeout": left})
            if now.is_done and asks == name:
                return now.result
            if now.is_done:  # its tasks are over; what came of them is told by what began it
                return (yield from self._outcome(name, given, now))
            if deadline is not None and self.clock() >= deadline:
                raise WaitTimeoutError(now.pending, timeout or 0, says=_says(now, left, timeout or 0))
            asks, told = self._goes_on(name, asks, told, now)

    def _until_all_over(self, pieces: list[list[str]], timeout: float | None) -> Exchange[list[Any]]:
        """Wait for more tasks than one request may name, a piece after the other."""
        deadline = None if timeout is None else self.clock() + timeout
        found: list[Any] = []
        pending: list[str] = []
        for piece in pieces:
            left = None if deadline is None else max(0.0, deadline - self.clock())
            try:
                found += yield from self.until_over("wait", {"task_ids": piece, "timeout": left})
            except WaitTimeoutError as exc:
                pending += exc.pending
        if pending:
            raise WaitTimeoutError(pending, timeout or 0)
        return found

    def _goes_on(
        self, name: str, asks: str, told: dict[str, Any], now: Waited
    ) -> tuple[str, dict[str, Any]]:
        if name in {"execute_task", "retry_task"}:
            return "wait", {"task_ids": [told["task_id"]]} if asks == name else told
        if name == "execute_workflow":
            return "wait_workflow", {"workflow_id": now.pending[0]} if asks == name else told
        return asks, told

    def _outcome(self, name: str, given: Mapping[str, Any], now: Waited) -> Exchange[Any]:
        if name == "execute_workflow":
            return now.result
        told = {"task_id": given["task_id"], "wait": True, "timeout": LONGEST_WAIT}
        return (yield from self._ask("execute_task", told)).result

    def _ask(self, name: str, told: Mapping[str, Any]) -> Exchange[Waited]:
        verb = self.verbs[name]
        request: Request = verb.request(told, self.settings)
        now: Waited = yield from answered(request, waited_of(verb.kind), self.where)
        return now

    def follow(self, name: str, given: Mapping[str, Any], read: Callable[[bytes], LogPage]) -> Exchange[LogPage]:
        """Return the next lines of a log; an empty page when the time is up."""
        timeout = seconds(given.get("timeout"))
        deadline = None if timeout is None else self.clock() + timeout
        while True:
            left = LONGEST_WAIT if deadline is None else max(0.0, min(LONGEST_WAIT, deadline - self.clock()))
            request = self.verbs[name].request({**given, "timeout": left}, self.settings)
            page: LogPage = yield from answered(request, read, self.where)
            if page or page.is_over or (deadline is not None and self.clock() >= deadline):
                return page

    def until_deleted(self, name: str, given: Mapping[str, Any], read: Callable[[bytes], Any]) -> Exchange[Any]:
        """Return whether a task was deleted, which takes until what runs of it has ended."""
        while True:
            try:
                return (yield from answered(self.verbs[name].request(given, self.settings), read, self.where))
            except WaitTimeoutError:
                continue  # the request's time was up; the same one goes on


def pieces_of(task_ids: Any) -> list[list[str]]:
    """Return ids in pieces that one request may name; one piece at least, also of none."""
    ids = id_texts(task_ids)
    return [ids[at : at + MOST_IDS] for at in range(0, len(ids), MOST_IDS)] or [[]]


def _says(now: Waited, left: float, timeout: float) -> str | None:
    """Return the server's sentence, with the time that the caller gave instead of that of the last request."""
    return now.detail and now.detail.replace(f"within {left:g} s", f"within {timeout:g} s")


