"""What a node offers is what it consumes."""

from __future__ import annotations

import subprocess
import sys

from taskengine.models import Task
from workers.lanes import Served

from ..fleet import Fleet, until


def control(fleet: Fleet, *words: str) -> None:
    command = [sys.executable, "-m", "celery", "-A", "workers", "control", *words]
    subprocess.run(command, cwd=fleet.folder, env=fleet.environment(), check=True, capture_output=True, timeout=60)


def test_a_cancelled_consumer_is_offered_no_more_and_an_added_one_is(bare_fleet: Fleet) -> None:
    fleet = bare_fleet
    fleet.coordinator()
    fleet.await_leader()
    fleet.worker("w", "-Q", "work,play")
    control(fleet, "cancel_consumer", "work")
    until(lambda: "work" not in fleet.nodes()[0].lanes, 10, "the offer without it")
    waits, runs = fleet.submit(Task(capability="work"), Task(capability="play"))
    fleet.wait([runs])
    assert fleet.statuses([waits]) == ["ready"], "neither granted nor pulled"
    assert fleet.view().lanes[-1].granted == 0
    control(fleet, "add_consumer", "work")
    fleet.wait([waits])
    control(fleet, "add_consumer", "special")
    until(lambda: "special" in fleet.nodes()[0].lanes, 10, "what its agents can do besides")
    control(fleet, "add_consumer", "nobodys")
    assert "nobodys" not in fleet.nodes()[0].lanes


def test_what_is_served_follows_what_is_consumed() -> None:
    served = Served({"a": "x", "b": "y", "@x": "x"})
    assert served.text == "a=x b=y @x=x"
    served.consume({"b", "foreign"})
    assert served.text == "b=y"
    served.consume(())
    assert served.text == ""
    assert Served({}).text == ""
