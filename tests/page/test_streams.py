"""Pages that a stream keeps true: what happens is there, also what happened while their server was dead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from taskengine.models import Task
from taskengine.store import nodes, retention, runs

from .screen import Screen
from .site import Site

pytestmark = [pytest.mark.browser, pytest.mark.process]


@contextmanager
def away(site: Site) -> Iterator[None]:
    """The server is killed, and serves again behind it."""
    site.server.kill()
    yield
    site.server = site.serve()


def marked(screen: Screen) -> None:
    """Leave a mark that a reload would take away."""
    screen.driver.execute_script("window.isTheSame = true")


def is_the_same(screen: Screen) -> bool:
    return bool(screen.driver.execute_script("return window.isTheSame === true"))


def asked(screen: Screen, path: str) -> int:
    """How often the page has asked for it, streams left out."""
    count = "return performance.getEntriesByType('resource').filter((each) => each.name.includes(arguments[0])).length"
    return int(screen.driver.execute_script(count, path))


def lines(screen: Screen) -> list[str]:
    return str(
        screen.driver.execute_script(
            "return [...document.querySelectorAll('.log .message')].map((each) => each.textContent).join('\\n')"
        )
    ).splitlines()


def test_a_log_misses_no_line_and_has_none_twice_when_its_server_was_killed(
    screen: Screen, site: Site, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    said.touch()
    task = Task(name="teller", capability="bake", input={"seconds": 300, "repeats": str(said)})
    site.submit("teller", task)

    def say(*words: str) -> None:
        with said.open("a") as file:
            file.writelines(f"{word}\n" for word in words)

    screen.go(f"/tasks/{task.id}")
    say("one", "two")
    screen.until(lambda: lines(screen)[-2:] == ["one", "two"], "the first lines")
    marked(screen)
    with away(site):
        say("three", "four")
        screen.see("not connected")
    say("five")
    screen.until(lambda: lines(screen)[-5:] == ["one", "two", "three", "four", "five"], "each line once")
    screen.see("lines, live")
    assert is_the_same(screen)
    assert asked(screen, "logs:follow") == 0
    site.api.cancel_task(task.id)
    screen.until(lambda: "lines, live" not in screen.text, "the end of the log")


def test_a_log_of_a_task_that_was_over_goes_on_with_the_next_attempt(screen: Screen, site: Site) -> None:
    task = Task(name="again", capability="bake", input={"fails": True}, max_retries=0)
    site.submit("again", task)
    site.api.wait([task.id], timeout=60)
    screen.go(f"/tasks/{task.id}")

    def is_over(attempt: int) -> bool:
        return f"{3 * attempt} lines" in screen.text and "lines, live" not in screen.text

    screen.until(lambda: is_over(1), "the end of the first attempt's log")
    marked(screen)
    for attempt in (2, 3):
        site.api.retry_task(task.id, wait=False)
        screen.until(lambda attempt=attempt: is_over(attempt), f"what attempt {attempt} said")
        assert lines(screen).count("began again") == attempt
    assert is_the_same(screen)


def test_queues_are_told_and_go_on_when_their_server_was_killed(screen: Screen, site: Site) -> None:
    queue = f"q{uuid4().hex[:6]}"
    screen.go("/queues")
    screen.see("Queues")
    site.submit("more", Task(name="a", capability=queue))
    screen.see(queue)
    marked(screen)
    with away(site):
        site.api.pause(queue, reason="while nobody served")
        screen.see("The server does not answer")
    screen.see("while nobody served")
    screen.until(lambda: "does not answer" not in screen.text)
    before = asked(screen, "/api/v1/queues")
    site.api.resume(queue)
    screen.until(lambda: "while nobody served" not in screen.text, "what the stream told")
    assert asked(screen, "/api/v1/queues") == before
    assert is_the_same(screen)


def test_workers_are_told_and_go_on_when_their_server_was_killed(screen: Screen, site: Site) -> None:
    screen.go("/workers")
    screen.see("of 2 slots busy")
    marked(screen)
    task = Task(name="kept busy", capability="bake", input={"seconds": 300})
    with away(site):
        site.submit("busy", task)
        screen.see("The server does not answer")
    screen.see("1 of 2 slots busy", "kept busy")
    site.api.cancel_task(task.id)
    screen.see("0 of 2 slots busy")
    assert is_the_same(screen)


def test_a_run_is_shown_in_each_of_more_tabs_than_a_browser_has_connections(screen: Screen, site: Site) -> None:
    run = site.submit("tabs", Task(name="only", capability=f"q{uuid4().hex[:6]}"))
    first = screen.driver.current_window_handle
    try:
        for _ in range(8):
            screen.driver.switch_to.new_window("tab")
            screen.open(f"/runs/{run}")
            screen.see("tabs", "0 of 1 task over")
    finally:
        for tab in screen.driver.window_handles:
            if tab != first:
                screen.driver.switch_to.window(tab)
                screen.driver.close()
        screen.driver.switch_to.window(first)


def test_a_page_of_workers_that_nobody_sees_asks_for_nothing(screen: Screen, site: Site) -> None:
    screen.go("/workers")
    screen.see("of 2 slots busy")
    first = screen.driver.current_window_handle
    screen.driver.switch_to.new_window("tab")
    try:
        screen.open("/workers")
        screen.until(lambda: asked(screen, "/api/v1/agents") > 0, "an answer to who looks")
        second = screen.driver.current_window_handle
        screen.driver.switch_to.window(first)
        before = asked(screen, "/api/v1/agents")
        screen.driver.switch_to.window(second)
        screen.until(lambda: asked(screen, "/api/v1/agents") > 3, "some more answers")
        screen.driver.close()
    finally:
        screen.driver.switch_to.window(first)
    # Once when it was seen for a moment, and once when it is seen again.
    assert asked(screen, "/api/v1/agents") <= before + 2


def test_a_run_that_is_pruned_while_one_looks_is_said_to_be_gone_and_the_page_stays_usable(
    screen: Screen, site: Site
) -> None:
    tasks = [Task(name=f"short {n}", capability="bake") for n in range(2)]
    run = site.submit("short-lived", *tasks)
    site.api.wait([task.id for task in tasks], timeout=60)
    screen.go(f"/runs/{run}/graph")
    screen.see("short-lived", "2 of 2 tasks over")
    marked(screen)
    store = site.fleet.store
    (stored,) = store.run(runs.read([run]))
    assert stored is not None
    assert stored.finished_ms is not None
    term = str(store.run(nodes.fleet()).term)  # that of the coordinator, which goes on
    word, over = store.run(retention.prune_range(term, retention.Pass(run, stored.finished_ms)))
    assert (word, over.erased) == ("ok", 2)
    screen.see("pruned after its retention")
    screen.go(f"/tasks/{tasks[0].id}")
    screen.see("pruned after its retention")
    screen.press("Runs")
    screen.until(lambda: "short-lived" not in screen.text and "Runs" in screen.text, "a list without it")
    assert is_the_same(screen)
    assert all("status of 404" in each for each in screen.complaints())  # what was asked for is gone, and nothing else
