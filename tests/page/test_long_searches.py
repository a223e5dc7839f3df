"""Lists whose search stops after so many, as one of a hundred thousand runs does: no reader takes it for the end."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By

from taskengine.models import Task

from .screen import Screen
from .site import Site

pytestmark = [pytest.mark.browser, pytest.mark.process]
#: The server's pages, behind some that hold nothing and say where to go on: *empty* of them, each after 50 ms.
_STOPS = """
const [path, empty] = arguments;
const asked = window.fetch;
window.fetch = async (address, init) => {
  const url = new URL(address, location.href);
  if (url.pathname !== path) return asked(address, init);
  const at = Number(url.searchParams.get("cursor") ?? 0);
  if (at >= empty) {
    url.searchParams.delete("cursor");
    return asked(url, init);
  }
  await new Promise((done) => setTimeout(done, 50));
  init?.signal?.throwIfAborted();
  return Response.json({ items: [], cursor: String(at + 1) });
};
"""
_LISTS = ["runs", "tasks", "workflows", "dead-letters"]


def stops(screen: Screen, name: str, empty: int) -> None:
    """Let the searches of that list find nothing for so many pages."""
    screen.driver.execute_script(_STOPS, f"/api/v1/{name}", empty)


@pytest.mark.parametrize("name", ["runs", "tasks"])
def test_a_search_that_stopped_goes_on_by_itself(screen: Screen, site: Site, name: str) -> None:
    site.submit(f"far {name}", Task(name=f"far {name}", capability="nowhere"))
    screen.go("/health")
    stops(screen, name, 8)
    screen.go(f"/{name}")
    screen.see(f"far {name}")


@pytest.mark.parametrize("name", _LISTS)
def test_a_search_that_found_nothing_yet_says_so_and_goes_on_when_asked(screen: Screen, name: str) -> None:
    screen.go("/health")
    stops(screen, name, 10_000)
    screen.go(f"/{name}?created_by=somebody")
    screen.see("Nothing found yet", "Search on")
    assert "meets these filters" not in screen.text
    screen.press("Search on")
    screen.until(lambda: "cursor=" in screen.place, "an address further on")
    screen.see("First page")
    assert screen.driver.find_element(By.TAG_NAME, "h1").text
