"""The text of an event says what Celery's own dispatcher would say."""

from __future__ import annotations

import json
import os
from typing import Any

import celery
import pytest
from celery.events import EventDispatcher
from hypothesis import given
from hypothesis import strategies as st
from kombu.utils.json import dumps

from taskengine.store.replies import Assignment
from workers import events

_TEXTS = st.text(st.characters(exclude_characters="\x1f"), max_size=100)
_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x1f"), max_size=20)


def rendered(note: bytes) -> list[dict[str, Any]]:
    """The events of *note* without the moment at which it was made."""
    ticks = iter(range(1, 9))
    texts = events.rendered(note, events.origin("node@é", -2, os.getpid()), lambda: next(ticks))
    found = [json.loads(text) for text in texts]
    assert all(isinstance(each.pop("timestamp"), float) for each in found)
    return found


APP = celery.Celery("x", broker="memory://", set_as_current=False)


def celerys(kind: str, **fields: Any) -> dict[str, Any]:
    """The event as Celery's dispatcher makes it and a receiver reads it."""
    sent: list[Any] = []
    with EventDispatcher(APP.connection_for_write(), hostname="node@é", app=APP) as dispatcher:
        dispatcher._publish = lambda event, *_, **__: sent.append(event)
        dispatcher.send(kind, **fields)
    (event,) = json.loads(dumps(sent))
    return {name: value for name, value in event.items() if name not in {"timestamp", "clock", "utcoffset"}}


def _same(found: dict[str, Any], kind: str, clock: int, **fields: Any) -> None:
    assert (found.pop("clock"), found.pop("utcoffset")) == (clock, -2)
    assert found == celerys(kind, **fields)


@given(name=_TEXTS, agent=_WORDS, attempt=st.integers(1, 10**6), retries=st.integers(0, 10**6))
def test_a_beginning_is_two_events(name: str, agent: str, attempt: int, retries: int) -> None:
    told = Assignment("execution", "task", attempt, 0, "run", name, "{}", retries, "")
    received, began = rendered(events.started(told, agent))
    shown = events.brief(name.encode(errors="replace").decode())
    args = f"({shown!r}, task=task, run=run, attempt={attempt})"
    _same(
        received, "task-received", 1, uuid="execution", name=agent, args=args, kwargs="{}", retries=retries,
        root_id="run",
    )  # fmt: skip
    _same(began, "task-started", 2, uuid="execution")


@given(seconds=st.floats(0, 1e9))
def test_a_success_is_one_event_with_its_seconds(seconds: float) -> None:
    (found,) = rendered(events.ended("execution", "completed", seconds=seconds))
    _same(found, "task-succeeded", 1, uuid="execution", runtime=round(seconds, 6), result="{…}")


@pytest.mark.parametrize("is_terminated", [False, True])
def test_a_cancelled_one_is_revoked(is_terminated: bool) -> None:
    (found,) = rendered(events.ended("execution", "cancelled", is_terminated=is_terminated))
    signal = "SIGTERM" if is_terminated else None
    _same(found, "task-revoked", 1, uuid="execution", terminated=is_terminated, signum=signal, expired=False)


@given(error=_TEXTS, trace=_TEXTS, became=st.sampled_from(["failed", "retrying", "ready", ""]))
def test_a_failure_and_a_retry_say_what_was_raised(error: str, trace: str, became: str) -> None:
    (found,) = rendered(events.ended("execution", became, error=error, trace=trace))
    said, came_by = (text.encode(errors="replace").decode() for text in (error, trace))
    kind = "task-failed" if became == "failed" else "task-retried"
    _same(found, kind, 1, uuid="execution", exception=events.brief(said), traceback=came_by)


@given(note=st.binary(max_size=200) | _TEXTS.map(lambda text: f"started\x1f1\x1fx\x1f{text}".encode(errors="replace")))
def test_what_is_no_note_is_refused_or_still_json(note: bytes) -> None:
    try:
        texts = list(events.rendered(note, events.origin("node", 0, 1), lambda: 1))
    except ValueError:
        return
    assert all(json.loads(text)["type"] for text in texts)
