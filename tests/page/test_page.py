"""The page as its users see it: what stands there is so, and what they press happens."""

from __future__ import annotations

from uuid import uuid4

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from taskengine.builders import WorkflowBuilder
from taskengine.models import Task, TaskStatus
from taskengine.transport.quarantine import put_aside

from ..agents.page_agents import MARKUP
from ..fleet import until
from .screen import Screen
from .site import Site

pytestmark = [pytest.mark.browser, pytest.mark.process]
#: A queue that no worker serves: what is in it stays as it is.
NOWHERE = "nowhere"


def waiting(count: int = 1, **fields: object) -> list[Task]:
    return [Task(name=f"{uuid4().hex[:6]} waits", capability=NOWHERE, **fields) for _ in range(count)]  # type: ignore[arg-type]


def test_the_key_in_the_printed_address_logs_in_and_leaves_the_address_bar(stranger: Screen, site: Site) -> None:
    stranger.open(f"key={site.key}")
    stranger.see("Runs", "Log out")
    assert stranger.place == "/runs"
    stored = stranger.driver.execute_script("return JSON.stringify([localStorage, sessionStorage, document.cookie])")
    assert site.key not in stored


def test_without_a_key_the_page_asks_for_one_and_says_why_it_refuses_another(stranger: Screen, site: Site) -> None:
    stranger.open("/health")
    stranger.type("Key", "te_none_such")
    stranger.press("Log in")
    stranger.see("Log in", "key")
    assert stranger.until(lambda: stranger.driver.find_element(By.CSS_SELECTOR, "form [role=alert]").text)
    stranger.type("Key", site.key)
    stranger.press("Log in")
    stranger.see("Health", "Coordinator", "Log out")
    stranger.press("Log out")
    stranger.see("You are logged out.")
    stranger.open("/tasks")
    stranger.see("This server wants a key")


def test_a_run_is_paused_resumed_and_cancelled_by_its_buttons(screen: Screen, site: Site) -> None:
    name = f"slow {MARKUP}"
    run = site.submit(name, *waiting(3))
    screen.go("/runs")
    screen.press(name)
    screen.see(name, "0 of 3 tasks over")
    screen.press("Pause …")
    screen.type("Reason (others read it)", "too loud")
    screen.press("Pause the run")
    screen.see("Paused by", "too loud")
    (pause,) = [each for each in site.api.list_pauses() if each.name == run]
    assert (pause.reason, pause.by) == ("too loud", screen_name(screen))
    screen.press("Resume")
    screen.control("Pause …")
    assert [each for each in site.api.list_pauses() if each.name == run] == []
    screen.press("Cancel …")
    screen.see("Cancel 3 tasks?")
    screen.press("Cancel 3 tasks")
    until(lambda: site.api.get_run(run).counts == {TaskStatus.CANCELLED: 3}, 30)
    screen.see("3 cancelled")


def screen_name(screen: Screen) -> str:
    """Return the name of the key that the page is logged in with."""
    asks = "fetch('/session').then((answer) => answer.json()).then((session) => arguments[0](session.name))"
    return str(screen.driver.execute_async_script(asks))


def test_failed_tasks_are_counted_before_they_are_opened_again(screen: Screen, site: Site) -> None:
    bad = [Task(name=f"bad {n}", capability="bake", input={"fails": True}, max_retries=0) for n in range(2)]
    run = site.submit("half bad", *bad, Task(name="good", capability="bake"))
    site.api.wait([task.id for task in bad], timeout=60)
    screen.go(f"/runs/{run}/tasks")
    screen.press("Retry failed …")
    screen.see("Retry 2 tasks?")
    screen.keys(Keys.ESCAPE)
    screen.until(lambda: not screen.driver.find_elements(By.TAG_NAME, "dialog"))
    assert [site.api.get_task(task.id).retry_count for task in bad] == [0, 0]
    begun = [len(site.api.get_task_executions(task.id)) for task in bad]
    screen.press("Retry failed …")
    screen.press("Retry 2 tasks")
    until(lambda: [len(site.api.get_task_executions(task.id)) for task in bad] > begun, 60)
    screen.press("Events")
    screen.see("bad 0 was opened again", "The run is over")


def test_a_task_tells_its_reason_its_log_and_its_history_as_text(screen: Screen, site: Site) -> None:
    task = Task(name=f"cold {MARKUP}", capability="bake", input={"fails": True}, max_retries=0)
    site.submit("cold", task)
    site.api.wait([task.id], timeout=60)
    screen.go(f"/tasks/{task.id}")
    screen.see(f"cold {MARKUP}", f"ValueError: {MARKUP}", f"the oven is {MARKUP}")
    screen.see("Was submitted", "Started attempt 1", "Failed: crash")
    assert screen.driver.find_elements(By.CSS_SELECTOR, "main img, main b img") == []
    assert screen.driver.title.startswith("cold <img")
    Select(screen.field("Level from")).select_by_visible_text("error")
    screen.until(lambda: "the oven is" not in screen.text)
    assert "level=error" in screen.place
    screen.open(screen.place)
    screen.see("of 3 lines")
    assert "the oven is" not in screen.text


def test_a_log_comes_while_its_task_runs(screen: Screen, site: Site) -> None:
    task = Task(name="long", capability="bake", input={"seconds": 120})
    site.submit("long", task)
    screen.go(f"/tasks/{task.id}")
    screen.see("began long", "lines, live", "50 %", "half of it")
    screen.go("/workers")
    screen.see("long", "of 2 slots busy")
    screen.go(f"/tasks/{task.id}")
    screen.press("Cancel …")
    screen.type("Reason (others read it)", "it is late")
    screen.press("Cancel it")
    screen.see("Was cancelled: it is late")
    assert site.api.get_task(task.id).status is TaskStatus.CANCELLED


def test_questions_are_answered_with_their_forms(screen: Screen, site: Site) -> None:
    choice, form = Task(name="which", capability="choose"), Task(name="how many", capability="fill")
    site.submit("questions", choice, form)
    screen.go("/tasks?asking=true")
    screen.see("Which oven?", "How many?")
    screen.press("which")
    screen.press("left")
    screen.go(f"/tasks/{form.id}")
    screen.type("Hosts", "3")
    Select(screen.field("Tier (if any)")).select_by_visible_text("silver")
    screen.press("Answer")
    screen.until(lambda: site.api.get_task(form.id).question is None, "an answer")
    first, second = site.api.wait([choice.id, form.id], timeout=60)
    assert (first.result, second.result) == (
        {"said": "left", "by": screen_name(screen)},
        {"said": {"hosts": 3, "tier": "silver", "is_urgent": False}, "by": screen_name(screen)},
    )
    screen.see("completed", '"silver"')


def test_the_buttons_of_a_task_do_what_they_say(screen: Screen, site: Site) -> None:
    (task,) = waiting()
    site.submit("buttons", task)
    now = lambda: site.api.get_task(task.id)  # noqa: E731
    screen.go(f"/tasks/{task.id}")
    screen.press("Hold")
    until(lambda: now().hold, 30)
    screen.press("Release")
    until(lambda: not now().hold, 30)
    screen.press("Pause …")
    screen.press("Pause it")
    until(lambda: now().status is TaskStatus.PAUSED, 30)
    screen.press("Resume")
    until(lambda: now().status is TaskStatus.READY, 30)
    screen.press("Priority …")
    Select(screen.field("Priority")).select_by_visible_text("urgent")
    screen.press("Set it")
    until(lambda: now().priority.name == "URGENT", 30)
    screen.press("Cancel …")
    screen.press("Cancel it")
    until(lambda: now().status is TaskStatus.CANCELLED, 30)
    screen.press("Retry")
    until(lambda: now().status is TaskStatus.READY, 30)
    site.api.cancel_task(task.id)
    screen.press("Delete …")
    screen.press("Delete it")
    screen.see("This run has no tasks")
    until(lambda: not site.api.list_tasks(run_id=now_run(task, site)), 30)


def test_the_events_of_a_run_name_its_tasks_though_one_of_them_was_deleted(screen: Screen, site: Site) -> None:
    stays, goes = waiting(2)
    run = site.submit("halved", stays, goes)
    site.api.cancel_task(goes.id)
    site.api.delete_task(goes.id)
    screen.go(f"/runs/{run}/events")
    screen.see(stays.name, str(goes.id)[:8])


def now_run(task: Task, site: Site) -> str:
    """Return the run named ``buttons``, which the task was in."""
    return str(site.api.list_runs(name="buttons")[0].id)


def test_many_tasks_are_cancelled_by_the_filters_of_the_address(screen: Screen, site: Site) -> None:
    who = f"clerk-{uuid4().hex[:6]}"
    held = Task(name="held", capability=NOWHERE, hold=True, created_by=who)
    run = site.submit("many", *waiting(4, created_by=who), held)
    screen.go("/tasks")
    screen.type("Submitted by", who)
    screen.until(lambda: f"created_by={who}" in screen.place)
    Select(screen.field("Status")).select_by_visible_text("ready")
    screen.until(lambda: "status=ready" in screen.place)
    screen.press("Cancel all …")
    screen.see("Cancel 4 tasks?")
    screen.press("Cancel 4 tasks")
    until(lambda: site.api.get_run(run).counts == {TaskStatus.CANCELLED: 4, TaskStatus.PENDING: 1}, 30)


def test_a_queue_and_an_agent_are_stopped_and_go_on(screen: Screen, site: Site) -> None:
    site.submit("queued", *waiting())
    screen.go("/queues")
    screen.press(f"Pause {NOWHERE}")
    screen.type("Reason (others read it)", "moved")
    screen.press("Pause it")
    until(lambda: [each.name for each in site.api.list_pauses()] == [NOWHERE], 30)
    screen.see("moved", "drained")
    screen.press(f"Resume {NOWHERE}")
    until(lambda: not site.api.list_pauses(), 30)
    screen.go("/workers")
    screen.press("Drain baker")
    screen.press("Drain it")
    until(lambda: site.api.get_agent("baker").status == "draining", 30)
    screen.press("Resume baker")
    until(lambda: site.api.get_agent("baker").status == "online", 30)


def test_dead_letters_and_quarantine_are_counted_before_they_go(screen: Screen, site: Site) -> None:
    doomed = [Task(name=f"doomed {n}", capability="die") for n in range(2)]
    site.submit("doomed", *doomed)
    until(lambda: len(site.api.list_dead_letters()) == 2, 90)
    screen.go("/dead-letters")
    screen.press("Drop doomed 0")
    until(lambda: len(site.api.list_dead_letters()) == 1, 30)
    screen.press("Drop all …")
    screen.see("Drop 1 dead letter?")
    screen.press("Drop 1 dead letter")
    until(lambda: not site.api.list_dead_letters(), 30)
    screen.see("No dead letter")
    pool = site.fleet.server.client.connection_pool
    put_aside(pool, site.fleet.keys.fixed("quarantine"), "bake", MARKUP.encode(), "not JSON")
    screen.press("Quarantine")
    screen.press("What it says")
    screen.see("not JSON", MARKUP)
    screen.press("Drop all …")
    screen.press("Drop 1 message")
    until(lambda: not site.api.list_quarantined(), 30)


def test_a_workflow_is_approved_with_its_form_and_signalled(screen: Screen, site: Site) -> None:
    builder = WorkflowBuilder("release")
    builder.add_task_step("bread", {"capability": "bake"})
    form = {"type": "object", "required": ["shops"], "properties": {"shops": {"type": "integer", "title": "Shops"}}}
    builder.add_approval_step("sign_off", "To all shops?", form=form)
    builder.add_wait_step("hear", signal="go")
    started = site.api.start_workflow(builder.build())
    screen.go("/workflows")
    screen.press("release")
    screen.see("To all shops?", "bread")
    screen.type("Shops", "7")
    screen.press("Approve")
    screen.press("Send go …")
    screen.press("Send it")
    done = site.api.wait_workflow(started.id, timeout=60)
    assert done.status == "completed"
    answer = site.api.get_approval(started.id, "sign_off")
    assert answer is not None
    assert (answer.approved, answer.by, answer.form) == (True, screen_name(screen), {"shops": 7})
    screen.see("completed")


def test_health_shows_what_the_doctor_finds_with_what_to_do(screen: Screen, site: Site) -> None:
    queue = f"unserved-{uuid4().hex[:6]}"
    (task,) = (Task(name="nobody bakes it", capability=queue),)
    site.submit("unserved", task)
    screen.go("/health")
    screen.see(f"Queue {queue}", "1 task READY, no worker offers it", f"taskengine worker --queues {queue}", " wrong")
    screen.press("Check every record")
    screen.see("Every record", "all hold")
    site.api.cancel_task(task.id)
    screen.until(lambda: queue not in screen.text)


def test_keys_are_made_shown_once_and_revoked_and_seen_by_who_may_everything(screen: Screen, site: Site) -> None:
    name = f"bo-{uuid4().hex[:6]}"
    screen.go("/health")
    screen.press("New key …")
    screen.type("Whose it is", name)
    Select(screen.field("What it may do")).select_by_value("operate")
    screen.press("Make it")
    screen.see("shown only now")
    shown = str(screen.driver.find_element(By.CSS_SELECTOR, "dialog pre").text)
    screen.press("Understood")
    (made,) = [each for each in site.api.list_keys() if each.name == name]
    assert (made.scope, shown.split("_")[1]) == ("operate", made.id)
    screen.until(lambda: shown not in screen.driver.page_source and name in screen.text, "the list without its secret")
    screen.open(f"key={shown}")  # who has it sees no keys
    screen.go("/health")
    screen.see("What there is")
    assert "New key" not in screen.text
    screen.open(f"key={site.key}")
    screen.go("/health")
    screen.press(f"Revoke {name} {made.id}")
    screen.press("Revoke it")
    until(lambda: made.id not in [each.id for each in site.api.list_keys()], 30)
    screen.until(lambda: made.id not in screen.text)


@pytest.mark.parametrize(
    "path",
    [
        "/runs", "/runs/{run}", "/runs/{run}/timeline", "/runs/{run}/tasks", "/runs/{run}/events", "/tasks",
        "/tasks/{task}", "/workflows", "/queues", "/workers", "/dead-letters", "/quarantine", "/health", "/nowhere",
    ],
)  # fmt: skip
def test_every_control_has_a_name_and_every_page_one_heading(screen: Screen, site: Site, path: str) -> None:
    run = next(iter(site.api.list_runs(name="named")), None)
    if run is None:
        site.submit("named", Task(name="which of them", capability="choose"), *waiting())
        (run,) = site.api.list_runs(name="named")
    task = next(each for each in site.api.list_tasks(run_id=run.id) if each.capability == "choose")
    screen.go(path.format(run=run.id, task=task.id))
    if path != "/nowhere":
        screen.until(lambda: len(screen.driver.find_elements(By.CSS_SELECTOR, "main h1")) == 1, "a heading")
    assert screen.nameless() == []


def test_a_run_is_paused_with_the_keyboard_alone(screen: Screen, site: Site) -> None:
    run = site.submit("by keys", *waiting(2))
    screen.see("by keys")
    screen.tab_to("by keys")
    screen.keys(Keys.ENTER)
    screen.see("0 of 2 tasks over")
    screen.tab_to("Pause …")
    screen.keys(Keys.ENTER)
    screen.see("Pause this run?")
    screen.keys("by hand", Keys.ENTER)
    until(lambda: [each.reason for each in site.api.list_pauses() if each.name == run] == ["by hand"], 30)
    screen.see("Paused by")  # until then the focus is on a button that is about to go
    screen.tab_to("Resume")
    screen.keys(Keys.SPACE)
    until(lambda: not [each for each in site.api.list_pauses() if each.name == run], 30)


def test_a_page_that_was_open_goes_on_by_itself_when_its_server_comes_back(screen: Screen, site: Site) -> None:
    screen.go("/runs")
    site.server.kill()
    screen.see("The server does not answer. Trying again …")
    site.submit("came meanwhile", *waiting())
    site.server = site.serve()
    screen.see("came meanwhile")
    screen.until(lambda: "does not answer" not in screen.text)


def test_light_and_dark_are_chosen_and_remembered(screen: Screen) -> None:
    ground = lambda: screen.driver.execute_script("return getComputedStyle(document.body).backgroundColor")  # noqa: E731
    screen.press("Theme: system")
    light = ground()
    screen.press("Theme: light")
    assert ground() != light
    screen.open("/tasks")
    screen.control("Theme: dark")
    assert ground() != light
    screen.press("Theme: dark")


_FORECAST = """
const [slots, now, done] = arguments;
const base = document.querySelector('script[src$="js/main.js"]').src.replace("js/main.js", "js/");
Promise.all([import(base + "board.js"), import(base + "remaining.js")]).then(([{ Board }, { remaining }]) => {
  const over = "kkkkk", open = "rwww";  // five that took 2 s; a diamond whose first runs for 1 s
  const n = over.length + open.length, none = [...open].map(() => -1);
  done(remaining(new Board({
    run: "r", name: null, seq: 1, base_ms: 0, names: Array.from({ length: n }, (_, i) => `part ${i}`), queues: ["q"],
    queue: Array(n).fill(0), status: over + open, codes: { completed: "k", running: "r", pending: "w" },
    src: [5, 5, 6, 7], dst: [6, 7, 8, 8], ready: Array(n).fill(0),
    start: [0, 0, 0, 0, 0, 9000, ...none.slice(1)], end: [2000, 2000, 2000, 2000, 2000, ...none],
  }), slots, now));
}, (error) => done(String(error)));
"""


@pytest.mark.parametrize(("slots", "seconds"), [(1, 7.0), (2, 5.0), (100, 5.0), (0, None)])
def test_what_is_left_is_the_longest_open_path_or_all_work_on_the_slots(
    screen: Screen, slots: int, seconds: float | None
) -> None:
    assert screen.driver.execute_async_script(_FORECAST, slots, 10_000) == seconds


def test_a_run_that_goes_on_says_about_when_it_ends(screen: Screen, site: Site) -> None:
    parts = [Task(name=f"part {n}", capability="bake", input={"seconds": 1}) for n in range(24)]
    run = site.submit("forecast", *parts)
    screen.go(f"/runs/{run}/tasks")
    screen.see("ends in about")
    site.api.cancel_tasks(run_id=run)
    screen.until(lambda: "ends in about" not in screen.text)
