"""What the status of a Codegen run means: a free word of the service, compared without case.

A word that nobody knows means that it still runs; its deadline bounds that.
"""

from __future__ import annotations

from typing import Literal

_DONE = frozenset({"complete", "completed"})
#: Status -> kind of failure.
_FAILED = {
    "error": "remote_failed", "failed": "remote_failed", "timeout": "remote_failed", "max_iterations_reached": "limit",
    "out_of_tokens": "billing",
}  # fmt: skip
_STOPPED = frozenset({"cancelled", "canceled", "stopped"})

Meaning = Literal["running", "completed", "failed", "stopped", "paused"]


def meaning(status: object) -> Meaning:
    """Return what a status means."""
    word = _word(status)
    if word in _DONE:
        return "completed"
    if word in _FAILED:
        return "failed"
    if word in _STOPPED:
        return "stopped"
    return "paused" if word == "paused" else "running"


def failure_kind(status: object) -> str:
    """Return the kind of failure that a status is."""
    return _FAILED.get(_word(status), "remote_failed")


def _word(status: object) -> str:
    """The SDK gives it as text or as an enum of text."""
    return str(getattr(status, "value", status) or "").strip().lower()
