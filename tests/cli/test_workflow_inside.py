"""What is asked and told of what goes on in loops and maps is bounded, whatever they hold."""

from __future__ import annotations

from uuid import UUID

from taskengine.cli.workflow.inside import MOST_LINES, MOST_TRIPS, Inside
from taskengine.cli.workflow.tree import below, walk
from taskengine.models import StepCounts, StepPage, StepState, StepStatus, WorkflowState, WorkflowStatus


def step(path, kind="task", status="running", children=(), total=0, **more):
    counts = StepCounts(total=total) if total else None
    name = path.rpartition("/")[2]
    return StepState(
        path=path, name=name, kind=kind, status=StepStatus(status), children=children, counts=counts, **more
    )


def workflow(*steps):
    return WorkflowState(id=UUID(int=1), name="w", status=WorkflowStatus.RUNNING, steps=steps)


class Server:
    """A map of 10 000 items of three steps each, of which those below *over* are over."""

    def __init__(self):
        self.asked, self.over, self.failed = [], 0, set()

    def list_step_children(self, _id, path, limit, cursor):
        self.asked.append((path, int(cursor or 0), limit))
        first = int(cursor or 0)
        return StepPage([self.item(path, at) for at in range(first, min(first + limit, 10_000))])

    def item(self, path, at):
        begun = "completed" if at < self.over else "running" if at < self.over + 50 else "pending"
        status = "failed" if at in self.failed else begun
        inside = tuple(step(f"{path}[{at}]/{name}", "task", status) for name in "abc")
        return step(f"{path}[{at}]", "item", status, inside)


def test_of_ten_thousand_items_twenty_lines_are_told_and_one_page_is_read():
    server = Server()
    inside, state = Inside(server, "w"), workflow(step("m", "map", total=10_000))
    for over in (0, 60, 150, 5_000):
        server.over = over
        server.asked.clear()
        seen = inside.of(state)
        assert len(server.asked) == 1
        assert 0 < len(list(walk(seen))) - 1 <= MOST_LINES


def test_items_that_failed_stay_until_they_are_retried():
    server = Server()
    inside, state = Inside(server, "w"), workflow(step("m", "map", total=10_000))
    server.failed, server.over = {3}, 50
    for _ in range(3):  # the page goes on, the failed one stays
        assert "m[3]" in {one.path for one in walk(inside.of(state))}


def test_ten_maps_in_each_of_many_ask_a_bounded_number_of_questions():
    server = Server()
    maps = tuple(step(f"m{n}", "map", total=10_000) for n in range(50))
    Inside(server, "w").of(workflow(*maps))
    assert len(server.asked) == MOST_TRIPS


def test_what_has_not_begun_or_is_over_is_not_asked_about():
    server = Server()
    quiet = [step("a", "map", "pending"), *(step(kind, kind, "completed", total=9) for kind in ("map", "loop"))]
    Inside(server, "w").of(workflow(*quiet))
    assert server.asked == []
    assert len(list(below(quiet[0]))) == 1
