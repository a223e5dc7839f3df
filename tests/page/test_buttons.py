"""Buttons that change something, each pressed: what the API says afterwards is what stood on them."""

from __future__ import annotations

from uuid import uuid4

import pytest

from taskengine.builders import WorkflowBuilder
from taskengine.models import Task, TaskStatus
from taskengine.transport.quarantine import put_aside

from ..fleet import until
from .screen import Screen
from .site import Site
from .test_page import NOWHERE, waiting

pytestmark = [pytest.mark.browser, pytest.mark.process]


def test_many_tasks_are_paused_resumed_and_opened_again(screen: Screen, site: Site) -> None:
    who = f"many-{uuid4().hex[:6]}"
    run = site.submit(who, *waiting(2, created_by=who))
    counts = lambda: site.api.get_run(run).counts  # noqa: E731
    screen.go(f"/tasks?created_by={who}")
    for button, action, status in (
        ("Pause all …", "Pause 2 tasks", TaskStatus.PAUSED),
        ("Resume all …", "Resume 2 tasks", TaskStatus.READY),
        ("Cancel all …", "Cancel 2 tasks", TaskStatus.CANCELLED),
        ("Retry all …", "Retry 2 tasks", TaskStatus.READY),
    ):
        screen.press(button)
        screen.see(f"{action}?")
        screen.press(action)
        until(lambda status=status: counts() == {status: 2}, 30)


def test_what_failed_of_one_kind_is_opened_again(screen: Screen, site: Site) -> None:
    who = f"kind-{uuid4().hex[:6]}"
    bad = Task(name="bad", capability="bake", input={"fails": True}, max_retries=0, created_by=who)
    site.submit(who, bad, *waiting(1, created_by=who))
    site.api.wait([bad.id], timeout=60)
    kind = site.api.get_task(bad.id).error_kind
    assert kind
    screen.go(f"/tasks?created_by={who}")
    screen.type("Error kind", kind)
    screen.until(lambda: f"error_kind={kind}" in screen.place)
    screen.press("Retry all …")
    screen.see("Retry 1 task?")
    screen.press("Retry 1 task")
    until(lambda: len(site.api.get_task_executions(bad.id)) == 2, 60)


def test_what_is_asked_first_is_not_done_where_the_answer_is_not_now(screen: Screen, site: Site) -> None:
    run = site.submit("kept", *waiting())
    screen.go(f"/runs/{run}")
    screen.press("Cancel …")
    screen.press("Not now")
    screen.control("Cancel …")
    assert site.api.get_run(run).counts == {TaskStatus.READY: 1}


def test_a_task_that_is_held_is_started_at_once(screen: Screen, site: Site) -> None:
    (task,) = waiting(hold=True)
    site.submit("held", task)
    screen.go(f"/tasks/{task.id}")
    screen.press("Start now")
    until(lambda: not site.api.get_task(task.id).hold, 30)
    assert site.api.get_task(task.id).status is TaskStatus.READY


def test_everything_and_an_agent_are_paused_and_go_on(screen: Screen, site: Site) -> None:
    screen.go("/queues")
    screen.press("Pause everything …")
    screen.press("Pause it")
    until(lambda: [each.scope for each in site.api.list_pauses()] == ["everything"], 30)
    screen.press("Resume everything")
    until(lambda: not site.api.list_pauses(), 30)
    screen.go("/workers")
    screen.press("Pause baker")
    screen.press("Pause it")
    until(lambda: site.api.get_agent("baker").status == "paused", 30)
    screen.press("Resume baker")
    until(lambda: site.api.get_agent("baker").status == "online", 30)


def test_dead_letters_are_opened_again_one_and_all(screen: Screen, site: Site) -> None:
    doomed = [Task(name=f"lost {n}", capability="die") for n in range(3)]
    site.submit("lost", *doomed)
    until(lambda: len(site.api.list_dead_letters(capability="die")) == 3, 120)
    site.api.pause(capability="die")
    screen.go("/dead-letters?capability=die")
    screen.press("Requeue lost 0")
    until(lambda: site.api.get_task(doomed[0].id).status is TaskStatus.READY, 30)
    screen.press("Requeue all …")
    screen.press("Requeue 2 dead letters")
    until(lambda: not site.api.list_dead_letters(capability="die"), 30)
    assert {site.api.get_task(each.id).status for each in doomed} == {TaskStatus.READY}
    site.api.cancel_tasks(capability="die")
    site.api.resume(capability="die")


def test_one_message_is_dropped_and_the_others_stay(screen: Screen, site: Site) -> None:
    pool = site.fleet.server.client.connection_pool
    for text in (b"one", b"other"):
        put_aside(pool, site.fleet.keys.fixed("quarantine"), "bake", text, "not JSON")
    first, second = (each.id for each in site.api.list_quarantined())
    screen.go("/quarantine")
    screen.press(f"Drop {first[:8]}")
    until(lambda: [each.id for each in site.api.list_quarantined()] == [second], 30)
    site.api.drop_quarantined([second])


def test_a_workflow_is_paused_resumed_rejected_opened_again_signalled_and_cancelled(screen: Screen, site: Site) -> None:
    builder = WorkflowBuilder(f"steered {uuid4().hex[:6]}")
    builder.add_approval_step("sign_off", "Shall it go on?")
    builder.add_wait_step("hear", signal="go")
    started = site.api.start_workflow(builder.build())
    now = lambda: site.api.get_workflow_status(started.id).status  # noqa: E731
    screen.go(f"/workflows/{started.id}")
    screen.press("Pause …")
    screen.press("Pause it")
    until(lambda: now() == "paused", 30)
    screen.press("Resume")
    until(lambda: now() == "running", 30)
    screen.press("Reject")
    until(lambda: now() == "failed", 30)
    answer = site.api.get_approval(started.id, "sign_off")
    assert answer is not None
    assert not answer.approved
    screen.press("Retry")
    until(lambda: now() == "running", 30)
    screen.press("Signal …")
    screen.type("Name", "aside")
    screen.type("Payload (JSON, if any)", '{"n": 1}')
    screen.press("Send it")
    screen.see("Sent aside")
    screen.press("Cancel …")
    screen.press("Cancel it")
    until(lambda: now() == "cancelled", 60)


def test_a_list_is_turned_over_and_its_filters_are_cleared(screen: Screen, site: Site) -> None:
    who = f"pages-{uuid4().hex[:6]}"
    tasks = [Task(name=f"{who} {n:02}", capability=NOWHERE, created_by=who) for n in range(60)]
    run = site.submit(who, *tasks)
    screen.go(f"/tasks?created_by={who}")
    screen.see(f"{who} 59")
    screen.press("Next page")
    screen.see(f"{who} 00")
    assert "cursor=" in screen.place
    screen.press("First page")
    screen.see(f"{who} 59")
    screen.press("Clear")
    screen.until(lambda: screen.place == "/tasks")
    site.api.cancel_tasks(run_id=run)


def test_what_waits_for_a_task_is_shown_when_it_is_asked_for(screen: Screen, site: Site) -> None:
    first, after = Task(name="before it", capability=NOWHERE), Task(name="behind it", capability=NOWHERE)
    after = after.model_copy(update={"depends_on": {first.id}})
    site.submit("edges", first, after)
    screen.go(f"/tasks/{first.id}")
    screen.press("Show what waits for it")
    screen.press("behind it")
    screen.until(lambda: screen.place == f"/tasks/{after.id}")
    screen.see("before it")
