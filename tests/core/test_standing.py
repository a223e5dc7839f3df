"""What an agent is doing, from facts alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from taskengine.core.standing import Facts, Serving, standing
from taskengine.models import AgentStatus, Pause, PauseScope
from taskengine.models.agent import AgentInfo, AgentRecord
from taskengine.models.limit import Closed

T0 = datetime(2030, 1, 1, tzinfo=UTC)
RECORD = AgentRecord(id="c1", type="claude", capabilities={"review"})
DRAINS = RECORD.model_copy(update={"draining": "ann: upgrade"})
CODE = RECORD.model_copy(update={"origin": "code", "type": "function"})
PAUSE = Pause(scope=PauseScope.AGENT, name="c1", by="bob", since=T0, until=T0 + timedelta(hours=1))
FREE, FULL = Serving("n1", 4, 1), Serving("n2", 4, 4)
LEAVES = Serving("n3", 4, 0, draining="shut down by SIGTERM")


def found(**facts: object) -> AgentInfo:
    return standing(Facts(**{"record": RECORD, "serving": (FREE,)} | facts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({}, AgentStatus.ONLINE),
        ({"serving": (FULL,)}, AgentStatus.BUSY),
        ({"serving": (FULL, FREE)}, AgentStatus.ONLINE),
        ({"serving": (LEAVES,)}, AgentStatus.BUSY),
        ({"record": RECORD.model_copy(update={"max_concurrency": 2}), "running": 2}, AgentStatus.BUSY),
        ({"record": RECORD.model_copy(update={"max_concurrency": 2}), "running": 1}, AgentStatus.ONLINE),
        ({"closed": Closed(limit="key", bound="in_flight")}, AgentStatus.BUSY),
        ({"closed": Closed(limit="key", bound="requests", until=T0)}, AgentStatus.BUSY),
        ({"closed": Closed(limit="key", bound="tokens_per_day", until=T0)}, AgentStatus.PAUSED),
        ({"closed": Closed(limit="key", bound="paused", until=T0, why="429")}, AgentStatus.PAUSED),
        ({"closed": Closed(limit="agent:c1", bound="breaker", until=T0)}, AgentStatus.PAUSED),
        ({"closed": Closed(limit="key", bound="paused"), "pause": PAUSE}, AgentStatus.PAUSED),
        ({"closed": Closed(limit="key", bound="paused"), "serving": ()}, AgentStatus.OFFLINE),
        ({"pause": PAUSE, "serving": (FULL,)}, AgentStatus.PAUSED),
        ({"record": DRAINS, "pause": PAUSE}, AgentStatus.DRAINING),
        ({"record": DRAINS, "pause": PAUSE, "serving": ()}, AgentStatus.OFFLINE),
        ({"serving": ()}, AgentStatus.OFFLINE),
    ],
)
def test_the_first_that_holds_is_the_status(facts: dict[str, object], status: AgentStatus) -> None:
    assert found(**facts).status is status


def test_whoever_is_offline_says_since_when_what_else_holds_and_what_to_start() -> None:
    info = found(serving=(), seen_at=T0, record=DRAINS, pause=PAUSE)
    assert (info.since, info.seen_at, info.pause) == (T0, T0, PAUSE)
    assert "no living worker serves it" in info.reason
    assert "somebody drains it (ann: upgrade)" in info.reason
    assert "paused: agent c1 by bob" in info.reason
    assert info.reason.endswith("start one: taskengine worker --agent c1")


def test_an_executor_names_the_module_to_import_and_code_its_own_worker() -> None:
    placed = RECORD.model_copy(update={"executor": "my_agents:run"})
    assert found(serving=(), record=placed).reason.endswith("taskengine worker --agent c1 --import my_agents")
    assert "--import MODULE" in found(serving=(), record=CODE).reason


def test_a_pause_says_until_when() -> None:
    info = found(pause=PAUSE)
    assert (info.since, info.until) == (T0, T0 + timedelta(hours=1))
    assert info.reason == f"paused: {PAUSE}"


def test_workers_that_run_with_an_older_record_are_named() -> None:
    newer = RECORD.model_copy(update={"revision": 3})
    nodes = (*(Serving(f"n{n}", 1, 0, revision=n) for n in (0, 1, 3)), Serving("silent", 1, 0))
    assert found(record=newer, serving=nodes).outdated == ("n1",)


def test_draining_says_what_is_left() -> None:
    info = found(record=DRAINS, running=2, draining_since=T0)
    assert (info.reason, info.since) == ("drained by ann: upgrade; 2 of its executions still run", T0)
    assert found(record=DRAINS).reason.endswith("nothing of it runs")


def test_busy_says_what_is_taken() -> None:
    assert found(serving=(FULL, FULL)).reason == "all 8 slots of its workers are taken"
    most = RECORD.model_copy(update={"max_concurrency": 2})
    assert found(record=most, running=2).reason == "2 of its executions run, and no more than 2 may"
    assert found(serving=(LEAVES,)).reason == "its workers take nothing new: shut down by SIGTERM"


def test_online_counts_what_is_free() -> None:
    info = found(serving=(FREE, FULL), running=3, seen_at=T0)
    assert info.reason == "3 of 8 slots are free on 2 workers"
    assert (info.workers, info.slots, info.running, info.seen_at) == (("n1", "n2"), 8, 3, None)
