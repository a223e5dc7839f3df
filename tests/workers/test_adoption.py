"""What an agent hands back unfinished is followed until it is over."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from taskengine import Outcome
from taskengine.agents import Reference
from workers import adoption
from workers.adoption import follow, is_begun

from ..cases import each


class Run:
    """As the package hands it back; it says one status after the other."""

    def __init__(self, *statuses: str, raises: Exception | None = None, hangs: threading.Event | None = None) -> None:
        self.id, self.web_url, self.result = 17, "https://codegen.test/17", None
        self.status, self._next = statuses[0], list(statuses[1:])
        self._raises, self._hangs = raises, hangs

    def refresh(self) -> None:
        if self._hangs is not None:
            self._hangs.wait(10)
        if self._raises is not None:
            raise self._raises
        self.status = self._next.pop(0)
        self.result = "done"


class Context:
    """What it needs of a context."""

    def __init__(self) -> None:
        self.cancelled = False
        self.said: list[str] = []
        self.kept: list[Reference] = []
        self.detached: Reference | None = None

    def progress(self, _: float, note: str) -> None:
        self.said.append(note)

    def checkpoint(self, reference: Reference) -> None:
        self.kept.append(reference)

    def goes_on_at(self, reference: Reference, _: float) -> None:
        self.detached = reference


class Remote:
    """What goes on with runs of organisation 7."""

    poll_seconds = 5.0

    def adopt(self, run: Any) -> Reference | None:
        return Reference("codegen", "posted", str(run.id)) if getattr(run, "org_id", 7) == 7 else None


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adoption, "REFRESH_SECONDS", 0.01)
    monkeypatch.setattr(adoption, "LOOK_SECONDS", 0.01)


def test_a_run_is_refreshed_until_it_is_over_and_its_result_is_the_tasks() -> None:
    context: Any = Context()
    outcome = follow(Run("PENDING", "ACTIVE", "COMPLETE"), None, context)
    assert outcome.kind == "completed"
    assert outcome.output == {
        "run_id": "17", "status": "COMPLETE", "result": "done", "web_url": "https://codegen.test/17",
    }  # fmt: skip
    assert context.said == ["PENDING", "ACTIVE"]


@each(
    ("status", "kind", "retryable"),
    [("FAILED", "remote_failed", True), ("OUT_OF_TOKENS", "billing", True), ("cancelled", "remote_failed", False)],
)
def test_a_run_that_ends_badly_is_a_failure_of_its_kind(status: str, kind: str, retryable: bool) -> None:
    context: Any = Context()
    outcome = follow(Run("ACTIVE", status), None, context)
    assert (outcome.kind, outcome.error_kind, outcome.retryable) == ("failed", kind, retryable)


def test_what_the_refresh_raises_is_the_agents_error() -> None:
    context: Any = Context()
    with pytest.raises(OSError, match="no answer"):
        follow(Run("ACTIVE", raises=OSError("no answer")), None, context)


def test_a_refresh_that_hangs_does_not_outlive_a_cancel() -> None:
    context: Any = Context()
    hangs = threading.Event()
    threading.Timer(0.1, lambda: setattr(context, "cancelled", True)).start()
    outcome = follow(Run("ACTIVE", "ACTIVE", hangs=hangs), None, context)
    hangs.set()
    assert (outcome.kind, outcome.error_kind) == ("cancelled", "cancelled")


def test_a_run_that_its_type_knows_is_left_to_its_poller_with_its_reference_kept() -> None:
    context: Any = Context()
    follow(Run("ACTIVE"), Remote(), context)
    assert context.detached == Reference("codegen", "posted", "17")
    assert context.kept == [context.detached]


def test_a_run_of_another_organisation_keeps_its_slot() -> None:
    context: Any = Context()
    run = Run("ACTIVE", "COMPLETE")
    run.org_id = 8  # type: ignore[attr-defined]  # as the package has it
    assert follow(run, Remote(), context).kind == "completed"
    assert context.detached is None


@each("value", [{"status": "x", "refresh": 1}, "text", Outcome("completed"), Reference("t", "intent"), 5, None])
def test_nothing_else_is_taken_for_a_run(value: object) -> None:
    assert not is_begun(value)
