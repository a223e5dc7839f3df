"""Queue statistics, workers and health: what operators look at."""

from __future__ import annotations

import json
from typing import Any

from taskengine import BlockingTaskAPI, Task
from taskengine.settings import Settings

from ..store.world import World


def lint(name: str = "a", **fields: Any) -> Task:
    return Task(**{"name": name, "capability": "lint"} | fields)


def test_statistics_count_by_status_and_queue(api: Any, world: World) -> None:
    done, failed, _ = api.create_tasks([lint("done"), lint("failed"), lint("p", hold=True)])
    world.finish(done)
    world.finish(failed, disposition="failed")
    world.beat(slots=1)
    api.create_tasks([lint("r"), lint("s"), lint("x", capability="review")])
    stats = api.get_queue_statistics()
    assert (stats["pending_tasks"], stats["ready_tasks"], stats["running_tasks"]) == (1, 3, 0)
    assert (stats["completed_tasks"], stats["failed_tasks"], stats["cancelled_tasks"]) == (1, 1, 0)
    assert (stats["paused_tasks"], stats["retrying_tasks"]) == (0, 0)
    assert (stats["total_tasks"], stats["open_tasks"]) == (6, 4)
    assert stats["queues"]["review"] == {"ready": 1, "granted": 0, "running": 0, "workers": 0, "paused": None}
    assert stats["queues"]["lint"] == {"ready": 1, "granted": 1, "running": 0, "workers": 1, "paused": None}
    assert json.loads(json.dumps(stats)) == stats


def test_the_demand_of_a_queue_is_what_waits_and_what_runs(api: Any, world: World) -> None:
    parts = {"granted": 0, "running": 0, "workers": 0, "paused": None, "parked": 0}
    assert api.get_queue_demand("lint") == {"queue": "lint", "demand": 0, "ready": 0, **parts}
    api.create_tasks([lint("a"), lint("b"), lint("c")])
    assert api.get_queue_demand("lint") == {"queue": "lint", "demand": 3, "ready": 3, **parts}
    world.beat(slots=1)
    world.start()
    running = api.get_queue_demand("lint")
    assert (running["demand"], running["ready"], running["granted"] + running["running"]) == (3, 2, 1)


def test_a_pause_demands_slots_for_what_runs_alone(api: Any, world: World) -> None:
    world.beat(slots=1)
    api.create_tasks([lint("a"), lint("b")])
    world.start()
    api.pause(capability="lint")
    assert api.get_queue_demand("lint")["demand"] == 1
    api.resume(capability="lint")
    assert api.get_queue_demand("lint")["demand"] == 2


def test_what_is_pinned_to_an_agent_without_a_worker_demands_one(api: Any, world: World) -> None:
    world.beat(slots=1)
    api.create_task(lint("a", assigned_to="bot"))
    assert api.get_queue_demand("@bot")["demand"] == 1
    assert api.get_queue_demand("lint")["demand"] == 0


def test_a_queue_of_which_all_runs_is_one_of_the_queues(api: Any, world: World) -> None:
    world.beat(slots=3)
    api.create_task(lint("r"))
    world.start()
    assert api.get_queue_statistics()["queues"] == {
        "lint": {"ready": 0, "granted": 0, "running": 1, "workers": 1, "paused": None}
    }


def test_statistics_of_an_empty_engine(api: Any) -> None:
    stats = api.get_queue_statistics()
    assert (stats["pending_tasks"], stats["total_tasks"], stats["queues"]) == (0, 0, {})


def test_workers_show_what_they_offer(api: Any, world: World) -> None:
    assert api.list_workers() == []
    world.beat(slots=4)
    world.beat("n2", queues="review=r2 @r2=r2", drain="stop")
    first, second = api.list_workers()
    assert first == {
        "name": "n1", "alive": True, "draining": None, "slots": 4, "busy": 0, "capabilities": ["lint"],
        "agents": ["lint"], "serves": {"@lint": "lint", "lint": "lint"}, "info": {},
    }  # fmt: skip
    assert (second["name"], second["draining"], second["agents"]) == ("n2", "stop", ["r2"])


def test_whole_stack_is_healthy(api: Any, world: World) -> None:
    world.beat()
    world.elect("c1")
    health = api.health_check()
    assert (health["status"], health["problems"], health["coordinator"]) == ("healthy", [], "c1")
    assert (health["workers"], health["slots"], health["server"]["append_only"]) == (1, 2, True)


def test_what_is_missing_is_said_with_its_remedy(api: Any) -> None:
    api.create_task(lint())
    health = api.health_check()
    assert health["status"] == "degraded"
    assert [problem.partition(";")[0].partition(":")[0] for problem in health["problems"]] == [
        "no coordinator leads",
        "no worker is alive",
        "1 tasks wait in queue 'lint', which no worker offers",
    ]
    assert health["problems"][1].endswith("start one: taskengine worker --import MODULE (a module with agents)")


def test_server_that_is_down_is_unhealthy_and_no_error(tmp_path: Any) -> None:
    with BlockingTaskAPI(settings=Settings(redis_url=f"redis+socket://{tmp_path}/none")) as api:
        health = api.health_check()
    assert health["status"] == "unhealthy"
    assert "no answer from Redis" in health["problems"][0]
