"""The stored form has a number: the first leader writes it, whoever does not read that form is refused."""

from __future__ import annotations

import asyncio
from threading import Event, Timer
from typing import Any

import pytest

from taskengine import BlockingTaskAPI, SchemaMismatchError, Task, TaskAPI
from taskengine.cli.doctor import findings
from taskengine.coordinator.serve import serve
from taskengine.settings import Settings
from taskengine.store import coordination
from taskengine.store.schema import FORMS, OLDEST, SCHEMA, refuse_other_form

from .conftest import SETTINGS
from .world import World

OTHERS = {"too new": (str(OLDEST - 1), "this taskengine is too new for it"), "too old": (str(SCHEMA + 1), "too old")}


def number(world: World) -> str | None:
    found = world.raw.get(world.keys.fixed("schema"))
    return None if found is None else found.decode()


def store_number(world: World, value: str) -> None:
    world.raw.set(world.keys.fixed("schema"), value)


def here(world: World) -> Settings:
    socket = world.raw.connection_pool.connection_kwargs["path"]
    return SETTINGS.model_copy(update={"redis_url": f"unix://{socket}"})


def test_each_number_says_what_changed() -> None:
    assert list(FORMS) == list(range(1, SCHEMA + 1))
    assert 1 <= OLDEST <= SCHEMA


def test_the_first_leader_stores_it_and_nobody_before(world: World) -> None:
    world.new("t")
    world.beat()
    assert number(world) is None
    world.elect()
    assert number(world) == str(SCHEMA)


@pytest.mark.parametrize("stored", [None, str(OLDEST), str(SCHEMA)])
def test_a_form_that_is_read_is_accepted(stored: str | None) -> None:
    refuse_other_form(stored)


@pytest.mark.parametrize("stored", ["0", str(SCHEMA + 1), "9" * 30, "", "x", "-1"])
def test_any_other_is_refused_with_what_to_do(stored: str) -> None:
    with pytest.raises(SchemaMismatchError, match=r"pip install|let the version|TASKENGINE_REDIS_URL") as refused:
        refuse_other_form(stored)
    assert refused.value.stored == stored


@pytest.mark.parametrize("which", OTHERS)
def test_nobody_leads_over_a_form_that_he_does_not_read(world: World, which: str) -> None:
    stored, _ = OTHERS[which]
    store_number(world, stored)
    answer = world.run(coordination.elect("c1", 1000))
    assert (answer.word, str(answer.number())) == ("schema", stored)
    assert number(world) == stored
    assert not world.raw.exists(world.keys.fixed("leader"))


@pytest.mark.parametrize("which", OTHERS)
@pytest.mark.parametrize("client", ["blocking", "async"])
def test_a_client_is_refused_and_changes_nothing(real: World, which: str, client: str) -> None:
    stored, says = OTHERS[which]
    store_number(real, stored)

    async def create() -> None:
        async with TaskAPI(settings=here(real)) as api:
            await api.create_task(Task(name="a"))

    def create_blocking() -> None:
        with BlockingTaskAPI(settings=here(real)) as api:
            api.create_task(Task(name="a"))

    with pytest.raises(SchemaMismatchError, match=says):
        asyncio.run(create()) if client == "async" else create_blocking()
    assert real.key_names() == {real.keys.fixed("schema")}


def test_a_coordinator_is_refused_at_its_start(real: World) -> None:
    store_number(real, str(SCHEMA + 1))
    with pytest.raises(SchemaMismatchError):
        serve(here(real), here(real).redis_url or "", "{}", Event())


def test_a_standby_of_an_older_version_ends_when_it_would_lead(real: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It began beside its own version, and a newer one led since."""
    real.elect()
    run = coordination.elect

    def elect(*asked: Any) -> Any:
        store_number(real, str(SCHEMA + 1))
        real.run(coordination.resign("c1"))
        return run(*asked)

    monkeypatch.setattr(coordination, "elect", elect)
    stop = Event()
    gives_up = Timer(20, stop.set)
    gives_up.start()
    with pytest.raises(SchemaMismatchError, match="too old"):
        serve(here(real), here(real).redis_url or "", "{}", stop)
    gives_up.cancel()


def test_doctor_says_it_and_looks_no_further(real: World) -> None:
    store_number(real, str(SCHEMA + 1))
    found = [one for one in findings(here(real), deep=True) if one.about == "stored form"]
    assert [one.level.value for one in found] == ["wrong"]
    assert "pip install --upgrade" in found[0].says
