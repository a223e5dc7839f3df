"""The graph and the timeline of a run as their users see them: by their pixels, their keys and their words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from taskengine.models import Task

from ..fleet import until
from .screen import Screen
from .site import Site

pytestmark = [pytest.mark.browser, pytest.mark.process]
#: A queue that no worker serves: what is in it stays as it is.
NOWHERE = "nowhere"
#: Which colours of statuses some pixel of the canvases has, by the words of the style sheet.
_COLOURS = """
const style = getComputedStyle(document.documentElement);
const words = ["pending", "ready", "running", "completed", "failed", "cancelled", "paused", "retrying"];
const number = (word) => parseInt(style.getPropertyValue(`--c-${word}`).trim().slice(1), 16);
const wanted = new Map(words.map((word) => [number(word), word]));
const seen = new Set();
for (const canvas of [...document.querySelectorAll(".canvas-stage canvas")].slice(arguments[0], arguments[1])) {
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] !== 255) continue;
    const word = wanted.get((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
    if (word) seen.add(word);
  }
}
return [...seen].sort();
"""


def colours(screen: Screen) -> set[str]:
    """Statuses whose colours the nodes of a graph, or the bars of a timeline, have."""
    is_graph = "Fold kinds" in screen.text
    return set(screen.driver.execute_script(_COLOURS, *((1, 2) if is_graph else (0, 1))))


def stage(screen: Screen) -> WebElement:
    """The canvas, once there is a picture on it."""

    def drawn() -> WebElement | None:
        covers = screen.driver.find_elements(By.CSS_SELECTOR, ".canvas-cover")
        if not covers or covers[0].is_displayed():
            return None
        return screen.driver.find_element(By.CSS_SELECTOR, ".canvas-stage")

    found: WebElement = screen.until(drawn, "a picture")
    return found


def told(screen: Screen) -> str:
    """What somebody hears who sees no canvas."""
    said = screen.driver.find_elements(By.CSS_SELECTOR, ".canvas [role=status]")
    return " ".join(each.get_attribute("textContent") or "" for each in said)


def row(*fields: dict[str, object]) -> list[Task]:
    """Tasks each of which waits for the one before."""
    made: list[Task] = []
    for each in fields:
        before = {made[-1].id} if made else set()
        made.append(Task(**{"capability": NOWHERE, **each, "depends_on": before}))  # type: ignore[arg-type]
    return made


@pytest.fixture
def bakery(site: Site) -> Iterator[tuple[str, list[Task]]]:
    """A run of which one task is done, one failed, one waits for a worker and one for that."""
    tasks = row({"name": "flour", "capability": "bake"}, {"name": "sift"}, {"name": "knead"})
    tasks.append(Task(name="burnt", capability="bake", input={"fails": True}, max_retries=0))
    run = site.submit(f"bakery {uuid4().hex[:6]}", *tasks)
    until(lambda: len(site.api.get_run(UUID(run)).counts) == 4, 40)
    yield run, tasks
    site.api.cancel_tasks(run_id=UUID(run))


def test_nodes_have_the_colours_of_what_their_tasks_are_and_change_with_them(
    screen: Screen, site: Site, bakery: tuple[str, list[Task]]
) -> None:
    run, _ = bakery
    screen.go(f"/runs/{run}/graph")
    stage(screen)
    screen.until(lambda: colours(screen) == {"completed", "failed", "ready", "pending"}, "a colour for each status")
    site.api.cancel_tasks(run_id=UUID(run))
    screen.until(lambda: colours(screen) == {"completed", "failed", "cancelled"}, "the colours of what was cancelled")
    legend = screen.driver.find_element(By.CSS_SELECTOR, ".canvas-legend")
    screen.until(lambda: legend.text.split() == ["completed", "failed", "cancelled"], "the legend of those")


def test_the_graph_is_walked_with_the_keyboard_told_in_words_and_left_to_a_task(
    screen: Screen, bakery: tuple[str, list[Task]]
) -> None:
    run, tasks = bakery
    screen.go(f"/runs/{run}/graph")
    canvas = stage(screen)
    screen.driver.execute_script("arguments[0].focus()", canvas)
    screen.keys("/")
    assert screen.driver.switch_to.active_element.get_attribute("type") == "search"
    screen.keys("flour", Keys.ENTER)
    screen.see("1 of 1", "flour")
    screen.keys(Keys.ESCAPE, Keys.ARROW_RIGHT)
    screen.until(lambda: "sift, ready" in told(screen), "the child is told")
    screen.keys(Keys.ARROW_RIGHT)
    screen.until(lambda: "knead, pending" in told(screen), "its child is told")
    screen.keys(Keys.ARROW_LEFT, Keys.ENTER)
    screen.until(lambda: screen.place == f"/tasks/{tasks[1].id}", "the task's page")


def test_the_canvas_says_what_it_shows_and_each_control_has_a_name(
    screen: Screen, bakery: tuple[str, list[Task]]
) -> None:
    run, _ = bakery
    for view in ("graph", "timeline"):
        screen.go(f"/runs/{run}/{view}")
        canvas = stage(screen)
        screen.until(lambda: "4 tasks, 2 over" in (canvas.get_attribute("aria-label") or ""), "its sentence")  # noqa: B023
        assert screen.nameless() == []
    screen.press("Open as list")
    screen.see("flour", "sift", "knead", "burnt")
    assert screen.place == f"/runs/{run}/tasks"


def test_kinds_are_folded_by_the_address_and_opened_by_a_press(screen: Screen, site: Site) -> None:
    run = site.submit("many", *[Task(name=f"slice {n} of 40", capability=NOWHERE) for n in range(40)])
    screen.go(f"/runs/{run}/graph?fold=1")
    canvas = stage(screen)
    ActionChains(screen.driver).move_to_element(canvas).click().perform()
    screen.see("slice # of × 40", "40 ready", "Unfold")
    screen.press("Unfold")
    screen.until(lambda: "fold" not in screen.place, "the address without fold")
    assert screen.control("Fold kinds").get_attribute("aria-pressed") == "false"
    site.api.cancel_tasks(run_id=UUID(run))


def test_the_timeline_shows_what_ran_and_the_path_because_of_which_it_ended(screen: Screen, site: Site) -> None:
    tasks = row(*({"name": name, "capability": "bake", "input": {"seconds": 0.3}} for name in ("one", "two", "three")))
    run = site.submit("in a row", *tasks)
    until(lambda: site.api.get_run(UUID(run)).finished_at, 40)
    screen.go(f"/runs/{run}/timeline")
    canvas = stage(screen)
    screen.see("Critical path: 3 tasks")
    # The words stand there before the frame in which the bars are painted.
    screen.until(lambda: "completed" in colours(screen), "the bars are painted")
    screen.driver.execute_script("arguments[0].focus()", canvas)
    screen.keys(Keys.ARROW_RIGHT)
    screen.until(lambda: "one, completed" in told(screen), "the first bar is told")
    screen.keys(Keys.ARROW_RIGHT, Keys.ENTER)
    screen.until(lambda: screen.place == f"/tasks/{tasks[1].id}", "the task's page")


@contextmanager
def away(site: Site) -> Iterator[None]:
    """The server is killed, and serves again behind it."""
    site.server.kill()
    yield
    site.server = site.serve()


def test_a_graph_that_was_open_catches_up_when_its_server_comes_back(
    screen: Screen, site: Site, bakery: tuple[str, list[Task]]
) -> None:
    run, _ = bakery
    screen.go(f"/runs/{run}/graph")
    stage(screen)
    screen.until(lambda: "ready" in colours(screen), "what waits")
    with away(site):
        site.api.cancel_tasks(run_id=UUID(run))
        screen.see("Not connected")
    screen.until(lambda: colours(screen) == {"completed", "failed", "cancelled"}, "what happened meanwhile")
    screen.until(lambda: "Not connected" not in screen.text, "nothing is said any more")


@pytest.mark.parametrize("view", ["graph", "timeline"])
def test_a_run_whose_last_task_was_deleted_says_that_it_is_empty_and_draws_nothing(
    screen: Screen, site: Site, view: str
) -> None:
    (task,) = row({"name": "the only one"})
    run = site.submit("emptied", task)
    site.api.cancel_task(task.id)
    site.api.delete_task(task.id)
    screen.go(f"/runs/{run}/{view}")
    screen.see("This run has no tasks")
    for each in (".canvas-stage", ".canvas-bar", ".canvas-legend"):
        assert not screen.driver.find_element(By.CSS_SELECTOR, each).is_displayed(), each
    leads = screen.driver.find_element(By.CSS_SELECTOR, ".canvas-void a").get_attribute("href") or ""
    assert leads.endswith(f"#/runs/{run}/events")


def test_a_timeline_of_what_has_not_begun_says_so_and_shows_the_first_bar_when_it_comes(
    screen: Screen, site: Site
) -> None:
    task = Task(name="soon", capability="bake", hold=True)
    run = site.submit("not begun", task)
    screen.go(f"/runs/{run}/timeline")
    screen.see("Nothing has begun yet")
    site.api.release_task(task.id)
    screen.until(lambda: stage(screen).is_displayed() and "completed" in colours(screen), "a bar")
    assert "Nothing has begun yet" not in screen.text
