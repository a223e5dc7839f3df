"""One workflow of every kind of step: wherever its coordinator dies, whatever comes twice, whenever it is paused or
cancelled, it comes to the same end.

First it runs whole, and each write of its coordinator is counted. Then again with a death after the first write, after
the second, and so on; every report of a worker is sent twice, and once more after the next write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from taskengine import NotAllowedError, Workflow, WorkflowDefinition, WorkflowStep
from taskengine.coordinator import Coordinator, HookedStore
from taskengine.store import coordination
from taskengine.store.call import Call

from .conftest import QUEUE, START
from .reference import Frame, Record, play
from .test_reference import Fleet, check_calls, check_statuses

#: The first moment, and the step to the next: few in the inner loop, and all of them, in seven parts.
MOMENTS = [pytest.param(range(1, 10_000, 53), id="few")] + [
    pytest.param(range(first, 10_000, 7), id=f"part {first}", marks=pytest.mark.chaos) for first in range(1, 8)
]
#: Seconds in which it is over.
LONG = 3600
#: The longest wait for a next attempt; all other waits are longer.
ATTEMPT = timedelta(seconds=10)
OVER = {"completed", "failed", "cancelled"}


class Killed(BaseException):
    """Not an Exception: nothing in a process survives its SIGKILL."""


def task(name: str, n: Any = 1, *, fails: int = 0, not_now: int = 0, retries: int = 0, **more: Any) -> WorkflowStep:
    script = {"fails": fails, "not_now": not_now, "gives": {"n": n}}
    retry = {"initial_interval": 10, "jitter": 0}
    template = {"capability": QUEUE, "max_retries": retries, "retry": retry, "input": script}
    return WorkflowStep(name=name, task_template=template, **more)


def step(kind: str, name: str, **more: Any) -> WorkflowStep:
    return WorkflowStep(kind=kind, name=name, **more)


def every_kind() -> Workflow:
    """A workflow with every kind of step, most of them with a failure, a retry or a wait."""
    inner = WorkflowDefinition(
        name="inner",
        steps=[
            task("in1", "${context.n}", outputs={"v": "${output.n + 1}"}),
            step("wait", "in2", signal="inside"),
            task("in3", "${variables.v}"),
        ],
        outputs={"n": "${steps.in3.output.n}"},
        finally_steps=[task("in4")],
    )
    several = step(
        "parallel", "several", mode="wait_all", on_failure="continue",
        sub_steps=[task("s1", not_now=1), task("s2", fails=9), step("sequential", "s3", sub_steps=[task("s4")])],
    )  # fmt: skip
    branch = step(
        "conditional", "branch", condition="variables.start == 2",
        true_steps=[task("yes", "${variables.start + 1}", outputs={"branch": "${output.n}"})], false_steps=[task("no")],
    )  # fmt: skip
    again = step(
        "loop", "again", loop_condition="iteration < 2", max_iterations=3, interval=20,
        loop_steps=[task("turn", "${iteration}", outputs={"turn": "${output.n}"}), task("turn2")],
    )  # fmt: skip
    each = step("map", "each", items=[1, 2, 3], steps=[task("m1", "${item}"), task("m2")], max_parallel=2)
    failing = step("map", "failing", items=[1, 2], steps=[task("m3", fails=1)], tolerate=2)
    waits = step(
        "parallel", "waits",
        sub_steps=[
            step("wait", "time", wait_seconds=30), step("wait", "change", wait_condition="variables.go_change == 1"),
            step("wait", "hear", signal="heard", outputs={"heard": "${output.n}"}),
            step("wait", "late", signal="never", timeout=60, on_timeout="continue"),
            step("approval", "word", prompt="yes"),
        ],
    )  # fmt: skip
    return Workflow(
        name="every", context={"c": 1}, variables={"start": 2},
        steps=[
            task("first", fails=1, retries=1), task("second", "${steps.first.output.n + 1}"), several, branch, again,
            task("skipped", when="false"), each, failing, waits,
            step("sub_workflow", "sub", workflow=inner, context={"n": "${steps.second.output.n}"}), task("last"),
        ],
        outputs={"n": "${steps.sub.output.n}", "turns": "${steps.again.output.turns}"},
        finally_steps=[task("end", "${variables.heard}"), task("end2")],
    )  # fmt: skip


class Scene:
    """An engine that calls *at_moment* after, or before, one write of its coordinator."""

    def __init__(
        self, moment: int = 0, at_moment: Callable[[Scene], None] = lambda _: None, *, before: bool = False
    ) -> None:
        self.workflow = every_kind()
        self.moment, self.at_moment = moment, at_moment
        self.writes = 0
        self.reached = False
        self.cancelled = False
        #: Calls of the agent until it was paused, and when that was.
        self.paused: tuple[int, datetime] | None = None
        self.fleet = Fleet()
        self.engine = self.fleet.engine
        self.id = self.workflow.id
        self.expected = Record()
        self.frame = Frame(self.workflow.context, dict(self.workflow.variables))
        self.result = play(self.workflow, "", self.frame, self.expected)
        self._late: list[Call[Any]] = []
        store, self._inner = self.engine._store, self.engine._coordinator._store
        self._trip = store._trip
        store._trip = self._doubled  # type: ignore[method-assign]
        self._hook = {"before" if before else "after": self._count}
        self.coordinate_by("first")

    def coordinate_by(self, id: str) -> None:
        """A new coordinator leads; what the old one held has lapsed."""
        engine = self.engine
        engine._store.run(coordination.resign("first"))
        store = HookedStore(self._inner, **(self._hook if id == "first" else {}))
        engine._coordinator = Coordinator(store, engine.settings, id, clock=engine.clock.seconds)

    def _doubled(self, call: Call[Any]) -> Any:
        """Every report comes twice, and once more after the next write."""
        answer = self._trip(call)
        if not call.command:
            for late in self._late:
                self._trip(late)
            self._late = []
        if call.name == "report":
            self._trip(call)
            self._late = [call]
        return answer

    def _count(self, call: Call[Any]) -> None:
        if not call.command:
            self.writes += 1
            if self.writes == self.moment:
                self.reached = True
                self.at_moment(self)

    def start(self) -> None:
        """Everything is said before anything runs."""
        api = self.engine.api
        api.start_workflow(self.workflow)
        for name, payload in self.expected.signals:
            api.signal_workflow(self.id, name, payload)
        for path, approved in self.expected.approvals:
            api.approve(self.id, path, approved=approved, by="ann")
        api.update_context(self.id, {"go_change": 1})

    def run(self) -> None:
        """Let it come to its end, with another coordinator after a death."""
        for _ in range(3):
            try:
                self.engine.run_for(LONG)
            except Killed:
                self.coordinate_by("next")
            else:
                return
        raise AssertionError("it died more than once")

    def kinds(self) -> set[str]:
        """The kinds of everything that is stored, as the names of keys begin."""
        names = self.engine._store.run(Call("KEYS", ("*",), list, command=True))
        return {str(name).split(":")[1] for name in names}

    @property
    def took(self) -> timedelta:
        found = self.engine.api.get_workflow(self.id)
        assert isinstance(found.completed_at, datetime)
        return found.completed_at - START

    def check_end(self) -> None:
        """It came to what the definition says."""
        found = self.engine.api.get_workflow(self.id)
        assert (found.status, found.result) == self.result, found.error_message
        assert found.variables == self.frame.variables | {"go_change": 1}
        check_calls(self.workflow, self.expected, self.fleet)
        tree = self.engine.api.get_workflow_status(self.id)
        check_statuses([*tree.steps, *tree.finally_steps], self.expected)
        self.engine.check()


def scenes(at_moment: Callable[[Scene], None], moments: range, *, before: bool = False) -> Iterator[Scene]:
    """A scene for each moment that there is."""
    for moment in moments:
        scene = Scene(moment, at_moment, before=before)
        with scene.engine:
            scene.start()
            yield scene
        if not scene.reached:
            assert moment > 50, "the coordinator wrote next to nothing"
            return


def kill(_: Scene) -> None:
    raise Killed


@pytest.mark.parametrize("moments", MOMENTS)
def test_it_comes_to_the_same_end_wherever_its_coordinator_dies(moments: range) -> None:
    for scene in scenes(kill, moments):
        scene.run()
        scene.check_end()


def pause(scene: Scene) -> None:
    try:
        assert scene.engine.api.pause_workflow(scene.id, reason="a look")
    except NotAllowedError:  # it is over already
        return
    scene.paused = (len(scene.fleet.calls), scene.engine.clock.now)


@pytest.mark.parametrize("moments", MOMENTS)
def test_it_comes_to_the_same_end_whenever_it_is_paused_for_an_hour(moments: range) -> None:
    whole = Scene()
    with whole.engine:
        whole.start()
        whole.run()
        whole.check_end()
        expected = whole.took
    for scene in scenes(pause, moments):
        scene.run()
        stood = timedelta()
        if scene.paused is not None:
            calls, since = scene.paused
            assert len(scene.fleet.calls) == calls, "something started while it was paused"
            found = scene.engine.api.get_workflow(scene.id)
            if found.status != "paused":  # the decision that ended it was in hand
                assert found.completed_at == since
                continue
            stood = scene.engine.clock.now - since
            assert stood > timedelta(hours=0.9)
            scene.engine.api.resume_workflow(scene.id)
            scene.run()
        scene.check_end()
        # A next attempt has its moment, and may be due when the pause ends; all that is a length of time stood still.
        assert -ATTEMPT <= scene.took - expected - stood < timedelta(seconds=1), "time did not stand still"


def cancel(scene: Scene) -> None:
    scene.cancelled = scene.engine.api.cancel_workflow(scene.id, "enough")


#: Where nothing of a workflow that is over may be: it waits for nothing and nobody.
WAITING = ("ready", "park", "granted", "timers", "listeners", "condition_waiters", "deadlines")
#: What is left once its day is over: the fleet's own, and nothing of it.
FOREVER = {"leader", "schema", "settings", "nodes", "node", "offers", "free_nodes", "offered_slots", "wake",
           "decisions", "q", "counts",
           "arrivals", "estimates", "estimated"}  # fmt: skip


@pytest.mark.parametrize("moments", MOMENTS)
def test_nothing_is_left_of_it_whenever_it_is_cancelled(moments: range) -> None:
    for scene in scenes(cancel, moments):
        scene.run()
        found = scene.engine.api.get_workflow(scene.id)
        if not scene.cancelled:
            scene.check_end()
            continue
        assert (found.status, found.reason) == ("cancelled", "enough")
        assert {one.status.value for one in scene.engine.api.list_tasks(limit=500)} <= OVER
        assert scene.engine.api.get_run(scene.id).finished_at is not None
        scene.engine.check()
        assert not scene.kinds() & {*WAITING}
        for _ in range(2):  # its day, and then an hour for its definition
            scene.engine.run_for(timedelta(days=2))
        assert scene.kinds() <= FOREVER
