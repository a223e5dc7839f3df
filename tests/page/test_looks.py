"""How the page looks, as far as a browser can measure it: room, contrast, what is seen at once, words that agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from taskengine.builders import WorkflowBuilder
from taskengine.models import Task

from .screen import Screen
from .site import LACKING, Site

pytestmark = [pytest.mark.browser, pytest.mark.process]
NOWHERE = "nowhere"
PATHS = [
    "/runs", "/runs/{run}", "/runs/{run}/timeline", "/runs/{run}/tasks", "/runs/{run}/events", "/tasks",
    "/tasks/{task}", "/workflows", "/workflows/{flow}", "/queues", "/workers", "/dead-letters", "/quarantine",
    "/health", "/nowhere", f"/runs/{LACKING}", f"/tasks/{LACKING}", f"/workflows/{LACKING}",
]  # fmt: skip
#: Words with less contrast to what they stand on than WCAG AA asks for, and how much they have.
_PALE = """
const rgba = (text) => {
  const found = text.match(/[\\d.]+/g).map(Number);
  const [r, g, b] = text.startsWith("color(") ? found.map((each) => each * 255) : found;
  return [r, g, b, found[3] ?? 1];
};
const over = (top, below) => [0, 1, 2].map((at) => top[at] * top[3] + below[at] * (1 - top[3])).concat(1);
const light = (colour) => [0.2126, 0.7152, 0.0722].reduce((sum, share, at) => {
  const value = colour[at] / 255;
  return sum + share * (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
}, 0);
const ground = (element) => {
  const layers = [];
  for (; element; element = element.parentElement) layers.unshift(rgba(getComputedStyle(element).backgroundColor));
  return layers.reduce((below, top) => over(top, below), [255, 255, 255, 1]);
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const pale = [];
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  const words = walker.currentNode.data.trim();
  if (!words || !element.checkVisibility() || element.closest(".unseen, .skip, option, :disabled")) continue;
  const below = ground(element);
  const [high, low] = [light(over(rgba(getComputedStyle(element).color), below)), light(below)].sort((a, b) => b - a);
  const contrast = (high + 0.05) / (low + 0.05);
  if (contrast < 4.5) pale.push(`${words.slice(0, 30)}: ${contrast.toFixed(2)}`);
}
return pale;
"""
#: What is wider than the window, and controls that are too low for a finger; links within a sentence may be.
_CRAMPED = """
const found = [];
const { scrollWidth } = document.documentElement;
if (scrollWidth > innerWidth) found.push(`the page is ${scrollWidth} wide`);
const within = "li span, p, dd, .under, .plain, .step-name, .running-line, .unseen, .skip";
for (const each of document.querySelectorAll("button, a, select, summary, input:not([type=checkbox], [type=radio])")) {
  if (!each.checkVisibility() || (each.tagName === "A" && each.closest(within))) continue;
  const { width, height } = (each.matches("tbody th > a") ? each.parentElement : each).getBoundingClientRect();
  if (width && height < 39.5) found.push(`${each.tagName} ${each.innerText || each.name}: ${Math.round(height)} high`);
}
for (const each of document.querySelectorAll("main :is(p, b, h2, h3, dd)")) {
  const { width, height } = each.getBoundingClientRect();
  if (each.innerText.length > 5 && width < height / 3) found.push(`${each.innerText}: ${Math.round(width)} wide`);
}
return found;
"""


@pytest.fixture
def phone(screen: Screen) -> Iterator[Screen]:
    """Somebody who is logged in on a phone."""
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    screen.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield screen
    screen.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.fixture(scope="module")
def places(site: Site) -> dict[str, str]:
    """Something to look at: ids by what they are in :data:`PATHS`."""
    asks = Task(name="which of them", capability="choose")
    waits = Task(name="a name without any space: " + "x" * 120, capability=NOWHERE)
    run = site.submit("looked at, and of a name that is as long as names of runs are where they say all", asks, waits)
    builder = WorkflowBuilder("looked at")
    form = {"type": "object", "properties": {"shops": {"type": "integer"}}}
    builder.add_approval_step("sign_off", "To all?", form=form)
    flow = site.api.start_workflow(builder.build())
    return {"run": run, "task": str(asks.id), "flow": str(flow.id)}


def arrive(screen: Screen, path: str, places: dict[str, str]) -> None:
    """Go there, and wait until it stands."""
    screen.go(path.format(**places))
    screen.until(lambda: len(screen.driver.find_elements(By.CSS_SELECTOR, "main h1")) == 1, "a heading")
    screen.until(lambda: "Loading" not in screen.text and "Drawing" not in screen.text, "what is loaded")


def measured(driver: Chrome, script: str) -> list[str]:
    """What a script found, as it says it."""
    found: Any = driver.execute_script(script)
    return list(found)


@pytest.mark.parametrize("path", PATHS)
def test_words_stand_out_from_what_they_stand_on(screen: Screen, places: dict[str, str], path: str) -> None:
    arrive(screen, path, places)
    for theme in ("light", "dark"):
        screen.driver.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
        assert measured(screen.driver, _PALE) == []


@pytest.mark.parametrize("path", PATHS)
def test_a_phone_shows_it_in_its_width_with_room_for_a_finger(phone: Screen, places: dict[str, str], path: str) -> None:
    arrive(phone, path, places)
    assert measured(phone.driver, _CRAMPED) == []
    assert phone.nameless() == []


def test_the_form_for_a_key_has_the_focus_and_no_pages_beside_it(stranger: Screen) -> None:
    stranger.open("/runs")
    stranger.see("This server wants a key")
    stranger.until(lambda: stranger.driver.switch_to.active_element.get_attribute("name") == "key", "the focus")
    assert stranger.driver.find_elements(By.CSS_SELECTOR, "nav") == []


@pytest.mark.parametrize("kind", ["runs", "tasks", "workflows"])
def test_what_is_not_there_says_so_and_leads_to_what_is(screen: Screen, kind: str) -> None:
    screen.go(f"/{kind}/{LACKING}")
    screen.see("It is not here (any more)")
    assert not any(each.is_displayed() for each in screen.driver.find_elements(By.CSS_SELECTOR, "main .tabs"))
    screen.press(f"All {kind}")
    screen.until(lambda: screen.place == f"/{kind}")


def test_a_paused_run_is_called_so_wherever_it_is_named(screen: Screen, site: Site) -> None:
    name = f"rests {uuid4().hex[:6]}"
    run = site.submit(name, Task(name="waits", capability=NOWHERE))
    site.api.pause(run_id=run, reason="too loud")
    screen.go(f"/runs?name={name}")
    screen.until(lambda: "paused" in screen.driver.find_element(By.CSS_SELECTOR, "tbody tr").text, "a paused run")
    screen.press(name)
    screen.until(lambda: "paused" in screen.driver.find_element(By.CSS_SELECTOR, ".under").text, "a paused run")
    site.api.resume(run_id=run)


def test_what_is_over_agrees_with_what_is_counted_while_a_run_moves(screen: Screen, site: Site) -> None:
    run = site.submit("counted", *(Task(name=f"loaf {n}", capability="bake") for n in range(60)))
    screen.go(f"/runs/{run}/events")
    screen.see("of 60 tasks over")

    def is_done() -> bool:
        said = screen.driver.find_element(By.CSS_SELECTOR, ".run-numbers").text.replace("\n", " ")
        over = re.search(r"(\d+) of 60 tasks over", said)
        completed = re.search(r"(\d+) completed", said)
        assert over, said
        assert int(over[1]) == int(completed[1] if completed else 0), said
        return over[1] == "60"

    screen.until(is_done, "the end of the run")


def test_a_graph_and_its_legend_are_seen_at_once(screen: Screen, places: dict[str, str]) -> None:
    arrive(screen, "/runs/{run}", places)
    bottom = "return document.querySelector('.canvas-legend').getBoundingClientRect().bottom <= innerHeight"
    screen.until(lambda: screen.driver.execute_script(bottom), "a legend within the window")


def test_a_log_is_opened_at_its_end(screen: Screen, site: Site) -> None:
    task = Task(name="talks", capability="bake", input={"lines": 200})
    site.submit("talks", task)
    site.api.wait([task.id], timeout=60)
    screen.go(f"/tasks/{task.id}")
    left = """const box = document.querySelector(".log");
      return box && box.scrollHeight > box.clientHeight && box.scrollHeight - box.scrollTop - box.clientHeight < 2"""
    screen.until(lambda: screen.driver.execute_script(left), "the last line")
