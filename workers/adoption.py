"""Follows what the function of an agent began elsewhere and handed back unfinished, as with the package ``codegen``.

Such a thing has a ``status`` and can ``refresh()``. Where the agent's type knows the service and has its credential
here, the run goes on without the slot and is polled (:mod:`workers.poller`). Else it keeps its slot: it is refreshed
every few seconds until it is over, its attempt's deadline comes or somebody cancels it. The package sets no timeouts:
each refresh has a thread of its own, which nobody waits for longer than that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from taskengine.models import Outcome
from workers.agent_context import AgentContext
from workers.agents.run_status import failure_kind, meaning

#: Seconds between two refreshes, and between two looks whether somebody cancelled it.
REFRESH_SECONDS, LOOK_SECONDS = 5.0, 0.25
_FIELDS = ("result", "summary", "web_url", "github_pull_requests")


def is_begun(value: object) -> bool:
    """Return whether an agent handed back what still runs elsewhere."""
    return callable(getattr(value, "refresh", None)) and hasattr(value, "status")


def follow(value: Any, remote: Any, context: AgentContext) -> Outcome:
    """Return what it comes to; where a poller goes on with it, of the slot's part alone."""
    reference = remote.adopt(value) if remote is not None else None
    if reference is not None:
        context.checkpoint(reference)
        context.goes_on_at(reference, remote.poll_seconds)
        return Outcome("completed")
    while meaning(value.status) in ("running", "paused"):
        context.progress(0.0, str(value.status)[:100])
        if context.cancelled or not _refreshed(value.refresh, context) or not _rested(context):
            return Outcome("cancelled", error="the agent was cancelled while its run went on", error_kind="cancelled")
    return _outcome(value)


def _refreshed(refresh: Callable[[], object], context: AgentContext) -> bool:
    """Refresh it once; False when it was cancelled meanwhile. Raises what the refresh does."""
    raised: list[BaseException] = []

    def ask() -> None:
        try:
            refresh()
        except BaseException as exc:
            raised.append(exc)

    thread = threading.Thread(target=ask, name="taskengine-refresh", daemon=True)
    thread.start()
    while thread.is_alive():
        if context.cancelled:
            return False
        thread.join(LOOK_SECONDS)
    if raised:
        raise raised[0]
    return True


def _rested(context: AgentContext) -> bool:
    """Wait until the next refresh; False when it was cancelled meanwhile."""
    ends, pause = time.monotonic() + REFRESH_SECONDS, threading.Event()
    while not context.cancelled:
        left = ends - time.monotonic()
        if left <= 0:
            return True
        pause.wait(min(LOOK_SECONDS, left))
    return False


def _outcome(value: Any) -> Outcome:
    found = {name: getattr(value, name) for name in _FIELDS if getattr(value, name, None) is not None}
    output = {"run_id": str(getattr(value, "id", "")), "status": str(value.status), **found}
    said = meaning(value.status)
    if said == "completed":
        return Outcome("completed", output=output)
    error = f"the run {output['run_id']} ended {value.status}"
    return Outcome(
        "failed", output=output, error=error, error_kind=failure_kind(value.status), retryable=said == "failed"
    )
