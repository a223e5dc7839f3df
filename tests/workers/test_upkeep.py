"""What the manual says of a copy, of restoring it and of rolling a fleet, done with real processes."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taskengine import BlockingTaskAPI, SchemaMismatchError
from taskengine.models import Task
from taskengine.store.invariants import check_invariants
from taskengine.store.schema import SCHEMA

from ..conftest import Valkey
from ..fleet import Fleet, Process, overlaps, until

README = Path(__file__).resolve().parents[2] / "README.md"


def sleepers(number: int, seconds: float, capability: str = "work") -> list[Task]:
    return [
        Task(name="sleep", capability=capability, input={"seconds": seconds, "n": n}) for n in range(number)
    ]


def server_commands() -> list[list[str]]:
    """Words behind ``redis-cli`` in the manual's recipe for a copy, in order."""
    recipe = README.read_text().partition("**A copy.**")[2].partition("**")[0]
    return [line.split()[1:] for line in recipe.splitlines() if line.strip().startswith("redis-cli")]


@pytest.fixture
def other() -> Iterator[Valkey]:
    """A second server."""
    server = Valkey()
    yield server
    server.close()


def test_a_copy_made_beside_a_working_fleet_is_a_store_that_works(bare_fleet: Fleet, other: Valkey) -> None:
    fleet, server = bare_fleet, bare_fleet.server
    fleet.coordinator()
    fleet.worker("first", "-Q", "work")
    parent, done = Task(name="sleep", capability="work"), Task(name="sleep", capability="work")
    (first,) = fleet.run(done)
    ids = fleet.submit(*sleepers(30, 0.3), parent, Task(name="sleep", capability="work", depends_on={parent.id}))
    until(lambda: "running" in fleet.statuses(ids), what="some run")

    off, ask, on = server_commands()
    server.client.execute_command(*off)
    until(lambda: not server.client.execute_command(*ask)["aof_rewrite_in_progress"], what="no rewrite")
    other.kill()
    shutil.rmtree(other.folder / "appendonlydir")
    shutil.copytree(server.folder / "appendonlydir", other.folder / "appendonlydir")
    server.client.execute_command(*on)
    assert server.client.config_get("auto-aof-rewrite-percentage")["auto-aof-rewrite-percentage"] == "100"
    fleet.wait(ids, 60)

    other.restart()
    restored = Fleet(other, fleet.folder)
    try:
        assert restored.statuses([str(first.id)]) == ["completed"]
        assert set(restored.statuses(ids)) != {"completed"}, "the copy is of a moment before the end"
        restored.coordinator("second-coordinator")
        restored.worker("second", "-Q", "work")
        assert set(restored.wait(ids, 60)) == {"completed"}
        assert restored.store.run(check_invariants(restored.keys)) == []
    finally:
        restored.close()


def newer(fleet: Fleet, kind: str, name: str) -> Process:
    """A worker or coordinator of a version that stores another form."""
    if kind == "coordinator":
        return fleet.start(name, "-m", "newer", "taskengine.coordinator")
    words = ("celery", "-A", "workers", "worker", "-n", f"{name}@test", "-l", "INFO", "-c", "2")
    return fleet.start(name, "-m", "newer", *words, "-I", "fleet_agents", "--without-mingle", "-Q", "work")


def end(old: Process) -> None:
    """Tell it to drain, and see it gone."""
    old.send(signal.SIGTERM)
    assert old.wait(30) == 0, old.log()


def stored_form(fleet: Fleet) -> Any:
    return fleet.server.client.get(fleet.keys.fixed("schema"))


def test_a_fleet_is_rolled_to_a_newer_form_workers_first_and_coordinators_last(bare_fleet: Fleet) -> None:
    fleet = bare_fleet
    coordinator = fleet.coordinator("old-coordinator")
    workers = [fleet.celery(f"old{n}", "-Q", "work") for n in range(2)]
    fleet.await_ready(*workers)
    fleet.await_leader()
    ids = fleet.submit(*sleepers(60, 0.2))

    for n, old in enumerate(workers):
        fleet.await_ready(newer(fleet, "worker", f"new{n}"))
        end(old)
    assert int(stored_form(fleet)) == SCHEMA, "the old coordinator leads, and old clients are served"
    more = fleet.submit(*sleepers(4, 0))
    newer(fleet, "coordinator", "new-coordinator")
    end(coordinator)
    until(lambda: int(stored_form(fleet)) == SCHEMA + 1, what="a coordinator of the newer version leads")

    assert set(fleet.wait([*ids, *more], 60)) == {"completed"}
    begun = [one.task for one in fleet.effects("begin")]
    assert sorted(begun) == sorted([*ids, *more]), "each ran once"
    assert overlaps(fleet.effects()) == []
    with pytest.raises(SchemaMismatchError, match="too old"), BlockingTaskAPI(settings=fleet.settings) as api:
        api.get_task(ids[0])
    late = fleet.celery("late", "-Q", "work")
    assert late.wait(40) != 0
    assert "this taskengine is too old for it" in late.log()


DOORS = {
    "client": ("taskengine.cli", "task", "list"),
    "coordinator": ("taskengine.coordinator",),
    "worker": ("celery", "-A", "workers", "worker", "-c", "1", "-I", "fleet_agents", "--without-mingle", "-Q", "work"),
}  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("which", ["the release before", "this one"])
def test_a_version_that_does_not_read_the_stored_form_ends_with_one_sentence(
    bare_fleet: Fleet, which: str, door: str
) -> None:
    """So neither meets what the other stored: no step of a workflow stands before who knows none."""
    is_old = which == "the release before"
    stored = SCHEMA if is_old else SCHEMA - 1
    name = bare_fleet.keys.fixed("schema")
    bare_fleet.server.client.set(name, stored)
    refused = bare_fleet.start("refused", "-m", *(("older",) if is_old else ()), *DOORS[door])
    assert refused.wait(40) != 0
    says = f"what is stored is in form {stored}, and this taskengine is too {'old' if is_old else 'new'} for it"
    assert says in refused.log()
    assert "Traceback" not in refused.log()
    assert [key.decode() for key in bare_fleet.server.client.scan_iter()] == [name], "it changed nothing"
