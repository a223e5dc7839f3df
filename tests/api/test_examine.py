"""What the doctor finds, through every client: how everything is, and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine import BlockingTaskAPI, Finding, FindingLevel, Task
from taskengine.api.operations import examine
from taskengine.errors import StoreError
from taskengine.settings import Settings

from ..store.world import World


def by_about(found: list[Finding]) -> dict[str, Finding]:
    return {each.about: each for each in found}


def test_a_whole_stack_is_well(api: Any, world: World) -> None:
    world.beat()
    world.elect("c1")
    found = by_about(api.examine())
    assert {about: each.level.value for about, each in found.items()} == {
        "server": "ok", "append-only file": "ok", "coordinator": "ok", "worker n1": "ok", "tasks": "ok",
    }  # fmt: skip
    assert all(each.do is None for each in found.values())


def test_what_is_not_well_says_what_to_do(api: Any) -> None:
    api.create_task(Task(name="a", capability="lint"))
    found = by_about(api.examine())
    odd = {about: each.do for about, each in found.items() if each.level is FindingLevel.WRONG}
    assert odd.keys() == {"coordinator", "workers", "queue lint"}
    assert all(odd.values())


def test_a_deep_look_reads_every_record(api: Any, world: World) -> None:
    api.create_task(Task(name="a", capability="lint"))
    assert "invariants" not in by_about(api.examine())
    assert by_about(api.examine(deep=True))["invariants"].says == "all hold"
    world.raw.hincrby(world.keys.fixed("counts"), "failed", 3)
    assert by_about(api.examine(deep=True))["invariants"].level is FindingLevel.WRONG
    world.raw.hincrby(world.keys.fixed("counts"), "failed", -3)


def test_a_server_that_does_not_say_who_may_connect_is_examined_all_the_same(
    one: BlockingTaskAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where ACL and CONFIG are forbidden."""
    run = one._run

    def refuse(operation: Any) -> Any:
        if operation.gi_code is examine.examine_access.__code__:
            raise StoreError("NOPERM")
        return run(operation)

    monkeypatch.setattr(one, "_run", refuse)
    assert by_about(one.examine())["server"].level is FindingLevel.OK


@pytest.mark.parametrize(
    ("url", "about"), [("redis+socket://{}/none", "server"), ("http://127.0.0.1:1", "server of REST")]
)
def test_a_server_that_is_down_is_a_finding_and_no_error(tmp_path: Any, url: str, about: str) -> None:
    with BlockingTaskAPI(url.format(tmp_path), Settings()) as api:
        (found,) = api.examine()
    assert (found.about, found.level) == (about, FindingLevel.WRONG)
    assert "no answer from" in found.says
    assert found.do is not None
    assert found.do.startswith("start it")
