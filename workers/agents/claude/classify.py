"""What an error of the service means for the task: another attempt, a wait of all that share the key, or an end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import anthropic
import httpx2

from taskengine.models import Outcome
from workers.agents.retry_after import delay_of

#: Kinds of the service's errors, which say more than the status: an overload in mid-stream has the status 200.
_BY_TYPE = {
    "authentication_error": "auth",
    "permission_error": "auth",
    "billing_error": "billing",
    "rate_limit_error": "not_now",
    "overloaded_error": "not_now",
    "invalid_request_error": "invalid_request",
    "not_found_error": "invalid_request",
    "timeout_error": "network",
    "api_error": "network",
}
_BY_STATUS = {401: "auth", 402: "billing", 403: "auth", 413: "context_window", 429: "not_now", 529: "not_now"}
#: What is tried again. An error of the service itself is one of the way to it: there was no answer, and the next
#: attempt goes on behind the turns that are paid, which a failure of another kind would throw away.
_RETRIED = frozenset({"network"})

class BrokenStreamError(Exception):
    """A stream hung, or ended without its last event and without an error."""


#: What can go wrong with a request.
ERRORS = (anthropic.APIError, httpx2.TransportError, BrokenStreamError)


def outcome_of(exc: Exception, *, secret: str, attempt: int) -> Outcome:
    """Return the outcome of an attempt that ended with *exc*; *secret* is the name of the key that was used."""
    if isinstance(exc, anthropic.APIResponseValidationError):
        return _failed("network", f"the service answered what nobody can read: {exc}")
    if not isinstance(exc, anthropic.APIStatusError):
        return _failed("network", f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__)
    kind, text = _kind(exc), exc.api_message or exc.message
    said = f"{exc.type or 'error'} ({exc.status_code}): {text:.500}"
    if exc.request_id:
        said += f" [{exc.request_id}]"
    match kind:
        case "not_now":
            return Outcome.not_now(delay_of(exc.response.headers, attempt), said, scope="credential")
        case "auth":
            return _failed(kind, f"secret {secret} was refused: {said}")
        case "billing":
            return _failed(kind, f"the account of secret {secret} cannot pay: {said}")
        case _:
            return _failed(kind, said)


def _failed(kind: str, text: str) -> Outcome:
    return Outcome("failed", error=text, error_kind=kind, retryable=kind in _RETRIED)


def _kind(exc: anthropic.APIStatusError) -> str:
    code = exc.error_code or ""
    if code.endswith("spend_limit_reached") or "billing" in code or code == "organization_on_hold":
        return "billing"  # a 429 among them: it stays so, however long one waits
    text = (exc.api_message or "").lower()
    if exc.type == "invalid_request_error" and ("prompt is too long" in text or "context window" in text):
        return "context_window"
    if exc.type == "invalid_request_error" and ("credit balance" in text or "usage limits" in text):
        return "billing"  # as accounts without these codes are told
    if exc.type in _BY_TYPE:
        return _BY_TYPE[exc.type]
    if exc.status_code in _BY_STATUS:
        return _BY_STATUS[exc.status_code]
    return "invalid_request" if 400 <= exc.status_code < 500 and exc.status_code not in (408, 409) else "network"


def remaining(headers: Mapping[str, str]) -> dict[str, float]:
    """Return what the headers of an answer say is left of the key's limits; empty where they say nothing."""
    found: dict[str, float] = {}
    resets = []
    for name in ("requests", "input_tokens", "output_tokens"):
        prefix = f"anthropic-ratelimit-{name.replace('_', '-')}"
        try:
            found[name] = float(headers[f"{prefix}-remaining"])
            reset = datetime.fromisoformat(headers[f"{prefix}-reset"])
            resets.append((reset - datetime.now(UTC)).total_seconds())
        except (KeyError, ValueError, TypeError):
            continue
    if resets:
        found["reset_seconds"] = max(0.0, *resets)
    return found
