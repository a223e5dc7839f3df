"""What a run of the service means to its execution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic_core import from_json

from taskengine.agents import Asks, Gone, Over, Reference, RemoteState, Running, Tracked
from taskengine.models import Outcome
from taskengine.models.question import Question
from workers.agents.answer_text import bare
from workers.agents.run_status import failure_kind, meaning

TYPE = "codegen"
#: Words of a reference: mark of its intent, organisation, whether somebody looked for it in vain, the question that was
#: answered last, how many were, looks in a row that did not find it, its place in the order in which runs were made.
MARK, ORG, LOOKED, ANSWERED, ANSWERS, MISSED, RANK = "mark", "org", "looked", "answered", "answers", "missed", "rank"
#: Whether its result is JSON, by its task's schema, and what is to be sent back of a result that does not fit.
JSON, REPAIR = "json", "repair"
#: Looks in a row that do not find a run before it counts as gone: a new one may take a while to be seen.
MISSES = 3
_FIELDS = ("result", "summary", "web_url", "github_pull_requests")


def state_of(one: Tracked, run: Mapping[str, Any] | None, rank: int | None) -> RemoteState:
    """Return how a run stands; *run* None: the service does not show it. *rank*: as its reference should say it."""
    if run is None:
        return _missed(one)
    status, said = _shown(run.get("status")), meaning(run.get("status"))
    match said:
        case "completed":
            answer = _answer(run.get("result")) if one.reference.words.get(JSON) else None
            return Over(Outcome("completed", output=_output(run) if answer is None else answer))
        case "failed" | "stopped":
            where = f"; see {run['web_url']}" if run.get("web_url") else ""
            error = f"codegen run {run.get('id')} ended {status}{where}"
            # Who stopped it there does not want another one.
            ended = Outcome("failed", error=error, error_kind=failure_kind(status), retryable=said == "failed")
            return Over(replace(ended, output=_output(run)))
        case "paused":
            text = str(run.get("summary") or run.get("result") or "the run paused; how should it go on?")
            return Asks(Question(id=f"{one.reference.id}-{count(one.reference, ANSWERS)}", text=text[:10_000]))
        case "running":
            words = {name: value for name, value in one.reference.words.items() if name not in (MISSED, RANK)}
            kept = count(one.reference, RANK) or None if rank is None else rank
            now = replace(one.reference, words=words if kept is None else {**words, RANK: kept})
            return Running(status, reference=None if now == one.reference else now)


def count(reference: Reference, word: str) -> int:
    """Return a number in a reference; 0 where it has none."""
    found = reference.words.get(word)
    return found if isinstance(found, int) else 0


def created(run: Mapping[str, Any]) -> float:
    """Return when a run was made, in seconds since 1970; infinity where it does not say: it may be the one."""
    try:
        at = datetime.fromisoformat(str(run.get("created_at")).replace("Z", "+00:00"))
    except ValueError:
        return float("inf")
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _missed(one: Tracked) -> RemoteState:
    times = count(one.reference, MISSED) + 1
    if times >= MISSES:
        return Gone(f"codegen does not know run {one.reference.id}")
    words = {**one.reference.words, MISSED: times}
    return Running("codegen does not show the run", reference=replace(one.reference, words=words))


def _output(run: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: run[name] for name in _FIELDS if run.get(name) is not None}
    return {"run_id": str(run.get("id")), "status": _shown(run.get("status")), **found}


def _answer(text: object) -> dict[str, Any] | None:
    """Return the JSON that a result is; None where it is none."""
    try:
        value: Any = from_json(bare(str(text or "")), allow_inf_nan=False)
    except ValueError:
        return None
    return value if isinstance(value, dict) else {"value": value}


def _shown(status: object) -> str:
    return str(status or "")[:100]
