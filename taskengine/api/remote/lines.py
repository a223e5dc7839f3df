"""Verbs for many tasks: how far they are comes in lines, and the last one is the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from taskengine.api.problems import PROBLEM_JSON
from taskengine.api.remote.message import NDJSON, Answer, Exchange, Request
from taskengine.api.remote.revive import error_of, no_server_of_ours
from taskengine.api.remote.verb import understood
from taskengine.errors import StoreUnavailableError
from taskengine.models import BulkResult
from taskengine.store.codec import dumps


class _Line(BaseModel):
    progress: BulkResult | None = None
    result: BulkResult | None = None
    problem: dict[str, Any] | None = None


@dataclass(slots=True)
class _Lines:
    where: str
    progress: Callable[[BulkResult], object] | None
    last: _Line | None = None

    def told(self, line: str) -> None:
        """Take one line."""
        try:
            said = _Line.model_validate_json(line)
        except ValidationError as exc:
            raise no_server_of_ours(self.where, f"it says {line!r:.80} where a line of progress belongs") from exc
        if said.progress is None:
            self.last = said
        elif self.progress is not None:
            self.progress(said.progress)

    def result(self) -> BulkResult:
        """Return what the last line says."""
        if self.last is not None and self.last.problem is not None:
            document = self.last.problem
            body = dumps(document, "problem").encode()
            raise error_of(Answer(int(document.get("status", 500)), PROBLEM_JSON, body), self.where)
        if self.last is None or self.last.result is None:
            raise StoreUnavailableError(
                f"{self.where} broke off before it was through; calling again goes on where it stopped"
            )
        return self.last.result


def in_lines(request: Request, progress: Callable[[BulkResult], object] | None, where: str) -> Exchange[BulkResult]:
    """Return what a verb for many tasks came to; *progress* is told how far it is."""
    lines = _Lines(where, progress)
    answer = yield from replace(request, told=lines.told)
    if answer.media_type == NDJSON:
        return lines.result()
    found: BulkResult = understood(answer, BulkResult.model_validate_json, where)
    return found
