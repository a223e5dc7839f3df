"""What a limit without room says to people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

from taskengine.core.limits import why_closed
from taskengine.models.limit import Bound, Closed

from ..cases import each

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
SAYS = {
    "in_flight": (Closed(limit="key", bound="in_flight"), "limit 'key' has as many executions in flight as it may"),
    "requests": (
        Closed(limit="key", bound="requests", until=NOON),
        "limit 'key' has no requests a minute left until 12:00:00 UTC",
    ),
    "input_tokens": (Closed(limit="key", bound="input_tokens"), "limit 'key' has no input tokens a minute left"),
    "output_tokens": (Closed(limit="key", bound="output_tokens"), "limit 'key' has no output tokens a minute left"),
    "tokens_per_day": (
        Closed(limit="key", bound="tokens_per_day"), "the tokens_per_day of limit 'key' is reserved by what runs",
    ),
    "paused": (
        Closed(limit="key", bound="paused", until=NOON, why="429 slow down"),
        "the provider behind limit 'key' takes nothing until 12:00:00 UTC (429 slow down)",
    ),
    "breaker": (
        Closed(limit="agent:bot", bound="breaker", until=NOON, why="network on n1: connect: refused"),
        "five or more of its executions failed in a row, last on worker n1 (network: connect: refused); one is tried "
        "at 12:00:00 UTC; or at once: resume_agent('bot')",
    ),
}  # fmt: skip


@each("bound", get_args(Bound))
def test_each_bound_says_what_it_is_and_until_when(bound: str) -> None:
    closed, says = SAYS[bound]
    assert why_closed(closed) == says


def test_an_agents_own_bound_names_the_agent() -> None:
    says = why_closed(Closed(limit="agent:bot", bound="in_flight"))
    assert says == "as many executions of agent 'bot' run as it may have (max_concurrency)"


def test_a_day_that_is_used_up_says_when_the_next_begins() -> None:
    closed = Closed(limit="key", bound="tokens_per_day", until=NOON)
    assert why_closed(closed) == "the tokens_per_day of limit 'key' is used up until 12:00:00 UTC, the end of the day"


def test_a_refused_key_is_named_and_never_its_value() -> None:
    closed = Closed(limit="agent:bot", bound="breaker", until=NOON, why="auth on w@h1: 401 invalid x-api-key")
    assert why_closed(closed, "ANTHROPIC_API_KEY").startswith(
        "secret ANTHROPIC_API_KEY was refused on worker w@h1 (auth: 401 invalid x-api-key); mend it"
    )
    assert why_closed(closed).startswith("its credential was refused")


def test_a_half_open_breaker_says_that_one_is_tried() -> None:
    assert "one is being tried" in why_closed(Closed(limit="agent:bot", bound="breaker", why="crash on n1: x"))
