"""Who uses keys alone, listens, or wants nothing to move, gets everywhere and hears what happens."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from taskengine.models import Task

from .screen import Screen
from .site import LACKING, Site
from .test_looks import PATHS, arrive, places

__all__ = ["places"]
pytestmark = [pytest.mark.browser, pytest.mark.process]
#: What has the focus: its text or name, and whether something is drawn around it.
_FOCUS = """
const at = document.activeElement;
if (!at || at === document.body) return null;
const { outlineStyle, outlineWidth } = getComputedStyle(at);
const { width, height, right, bottom } = at.getBoundingClientRect();
const isThere = width > 0 && height > 0 && right > 0 && bottom > 0;
const isSeen = isThere && outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
const name = at.getAttribute("aria-label") || at.innerText || at.name || at.placeholder || at.className;
return [`${at.tagName} ${String(name).trim().slice(0, 40)}`, isSeen];
"""
#: What can be pressed or filled in, and is shown.
_CONTROLS = """
const all = document.querySelectorAll("main :is(a[href], button, select, input, textarea, summary)");
return [...all].filter((each) => !each.disabled && each.checkVisibility() && each.type !== "hidden").length;
"""
_MOVES = """
return [...document.querySelectorAll("*")].filter((each) => {
  const { transitionDuration, animationName } = getComputedStyle(each);
  return parseFloat(transitionDuration) > 0 || animationName !== "none";
}).map((each) => `${each.tagName}.${each.className}`);
"""
_WITHIN = "return Boolean(document.activeElement.closest('dialog')) || document.activeElement === document.body"


@pytest.mark.parametrize("path", PATHS)
def test_the_key_tab_leads_to_every_control_and_what_has_the_focus_shows_it(
    screen: Screen, places: dict[str, str], path: str
) -> None:
    arrive(screen, path, places)
    reached, unseen = 0, []
    for _ in range(60):
        screen.keys(Keys.TAB)
        found = screen.driver.execute_script(_FOCUS)
        if found is None:
            break
        reached += 1
        if not found[1]:
            unseen.append(found[0])
    assert unseen == []
    assert reached >= min(60, screen.driver.execute_script(_CONTROLS))


TITLES = {
    "/runs": "Runs", "/runs/{run}": "looked at", "/tasks": "Tasks", "/tasks/{task}": "which of them",
    "/workflows": "Workflows", "/workflows/{flow}": "looked at", "/queues": "Queues", "/workers": "Workers",
    "/dead-letters": "Dead letters", "/quarantine": "Quarantine", "/health": "Health",
    f"/runs/{LACKING}": "Run 00000000",
}  # fmt: skip


def test_each_page_has_a_title_of_its_own(screen: Screen, places: dict[str, str]) -> None:
    for path, title in TITLES.items():
        arrive(screen, path, places)
        screen.until(lambda title=title: screen.driver.title.startswith(title), f"the title {title}")
        assert screen.driver.title.endswith(" · taskengine")


def test_a_dialog_keeps_the_focus_and_gives_it_back(screen: Screen, places: dict[str, str]) -> None:
    arrive(screen, "/runs/{run}/events", places)
    screen.tab_to("Pause …")
    screen.keys(Keys.ENTER)
    screen.see("Pause this run?")
    for key in (Keys.TAB,) * 6:
        screen.keys(key)
        assert screen.driver.execute_script(_WITHIN), screen.driver.execute_script(_FOCUS)
    screen.keys(Keys.ESCAPE)
    screen.until(lambda: not screen.driver.find_elements(By.TAG_NAME, "dialog"))
    assert screen.driver.execute_script(_FOCUS)[0] == "BUTTON Pause …"


def test_what_was_done_is_said_to_those_who_listen(screen: Screen, site: Site) -> None:
    task = Task(name="listened to", capability="nowhere")
    site.submit("listened to", task)
    screen.go(f"/tasks/{task.id}")
    screen.press("Hold")
    said = "return document.querySelector('[aria-live=polite].notes').textContent"
    screen.until(lambda: "Held back" in screen.driver.execute_script(said), "what was done")
    site.api.cancel_task(task.id)


def test_nothing_moves_for_who_asked_his_system_for_rest(screen: Screen, places: dict[str, str]) -> None:
    arrive(screen, "/runs", places)
    assert screen.driver.execute_script(_MOVES) != []
    rest = {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
    screen.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", rest)
    try:
        assert screen.driver.execute_script(_MOVES) == []
    finally:
        screen.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
