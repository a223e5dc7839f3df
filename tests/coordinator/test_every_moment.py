"""Whatever an operator says at whatever moment, and wherever the coordinator dies over it: the end is the same.

A small graph ``a -> b -> c`` is brought to a moment in the life of ``b``, an operator says a word about it, and a
healthy fleet lets it come to its end. Then the same again with a coordinator that dies after its first write, after
its second, and so on until one lives through it; the next one must come to the same end, and every law must hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from taskengine.coordinator import Coordinator, HookedStore
from taskengine.models import Task, TaskPriority
from taskengine.models.task import RetryRules
from taskengine.settings import Settings
from taskengine.store import coordination, executions, pauses, tasks
from taskengine.store.call import Call
from taskengine.store.executions import Report
from taskengine.store.invariants import check_at_rest
from taskengine.store.records import index_names
from taskengine.store.replies import Assignment
from taskengine.store.sync import SyncStore

from ..conftest import Valkey
from ..store.world import ENVELOPE, World

OVER = {"completed", "failed", "cancelled"}
#: Above the number of writes that any of these needs.
MANY = 200
#: Nothing takes its time here: a lease lapses when the test ages what is stored.
SETTINGS = Settings(redis_url=None, namespace="te", slice_seconds=0).model_copy(update={"leader_seconds": 60})


class Killed(BaseException):
    """Not an Exception: nothing in a process survives its SIGKILL."""


@dataclass
class Scene:
    """The graph, its fleet, and coordinators of which one may be doomed."""

    world: World
    #: Writes after which the next coordinator dies; 0: none does.
    kill_at: int = 0
    writes: int = 0
    deaths: int = 0
    now: float = 1000.0
    assignment: Assignment | None = None
    reported: Report | None = None
    a: Task = field(init=False)
    b: Task = field(init=False)
    c: Task = field(init=False)

    def __post_init__(self) -> None:
        world = self.world
        self.a = world.task("a")
        self.b = world.task("b", self.a, max_retries=1, retry=RetryRules(jitter=0))
        self.c = world.task("c", self.b)
        self.run = world.submit(self.a, self.b, self.c)
        self.coordinator = self._new_coordinator("first")

    # -- the fleet

    def coordinate(self) -> None:
        """Every duty has its turn, by the next coordinator if this one dies over it."""
        try:
            self.coordinator.run_all()
        except Killed:
            self.deaths += 1
            self.world.run(coordination.resign("first"))  # its lease lapses
            self.coordinator = self._new_coordinator("next")
            self.coordinator.run_all()

    def _new_coordinator(self, id: str) -> Coordinator:
        store = HookedStore(Unblocked(self.world), after=self._look if id == "first" else None)
        return Coordinator(store, SETTINGS, id, clock=lambda: self.now)

    def _look(self, call: Call[Any]) -> None:
        if not call.command:
            self.writes += 1
            if self.writes == self.kill_at:
                raise Killed

    def start(self) -> None:
        """A worker claims what may run best; it is told b."""
        self.assignment = self.world.start()
        assert self.assignment.task_id == str(self.b.id)

    def report(self, disposition: str = "completed", *, told: Assignment | None = None) -> None:
        told = told or self.assignment
        assert told is not None
        self.reported = Report(told.task_id, told.attempt, disposition, "lint", output="{}", retry_ms=5000)
        self.world.run(executions.report(self.world.slot(), [self.reported], pull=False))

    def work(self) -> None:
        """A worker does all that it gets."""
        world, slot = self.world, self.world.slot()
        world.beat(slots=1, live=[slot] if self.assignment else [])
        for id in world.granted() or ["none"]:
            told = world.claim(slot, id, int(world.fields("exec", id).get("att", 1))).assignment
            while told:
                told = world.report(told, slot, pull=True, output="{}").assignment

    def pass_time(self, seconds: float) -> None:
        self.world.age(seconds)
        self.now += seconds

    def finish(self) -> None:
        """A report that is still owed, then turns of everybody until all is over."""
        if self.assignment is not None and self.world.status(self.b.id) == "running":
            self.report()
        elif self.reported is not None:  # the answer was lost: it is sent again
            self.world.run(executions.report(self.world.slot(), [self.reported], pull=False))
        self.assignment = None
        for _ in range(20):
            self.coordinate()
            self.work()
            if set(self.world.counts()) <= OVER and not self.world.run(check_at_rest(self.world.keys)):
                return
            self.pass_time(6)
        raise AssertionError((self.world.counts(), self.world.run(check_at_rest(self.world.keys))))

    def end(self) -> dict[str, tuple[object, ...]]:
        """What is left, by task name."""
        found = [self.world.read(task.id) for task in (self.a, self.b, self.c)]
        return {t.name: (t.status.value, t.reason, t.retry_count, t.priority, self._accepted(t)) for t in found}

    def _accepted(self, task: Task) -> int:
        outcomes = self.world.run(executions.of_task(str(task.id)))
        return sum(one.status.value == "completed" for one in outcomes)


class Unblocked:
    """The world's store without blocking reads: nobody else would write meanwhile."""

    def __init__(self, world: World) -> None:
        self._world = world

    def run(self, work: Any) -> Any:
        if isinstance(work, Call) and "BLOCK" in work.args:
            at = work.args.index("BLOCK")
            work = Call(work.name, work.args[:at] + work.args[at + 2 :], work.decode, command=True)
        return self._world.run(work)


# -- moments in the life of b


def before_ready(scene: Scene) -> None:
    """a has not run."""


def ready(scene: Scene) -> None:
    scene.world.finish(scene.a)
    assert scene.world.ready() == [str(scene.b.id)]


def parked(scene: Scene) -> None:
    ready(scene)
    scene.world.run(pauses.pause(f"run:{scene.run}", "ann", None, None))
    assert scene.world.claim(scene.world.slot()).assignment is None
    assert scene.world.ready() == []


def granted(scene: Scene) -> None:
    scene.world.finish(scene.a)
    scene.world.beat(slots=1)
    scene.coordinate()
    assert len(scene.world.granted()) == 1


def running(scene: Scene) -> None:
    ready(scene)
    scene.start()


def reporting(scene: Scene) -> None:
    """Its report was applied, and its worker did not hear so."""
    running(scene)
    scene.report()


def retrying(scene: Scene) -> None:
    running(scene)
    scene.report("retry")
    scene.assignment = scene.reported = None


def failed(scene: Scene) -> None:
    running(scene)
    scene.report("failed")
    scene.assignment = scene.reported = None


MOMENTS = [before_ready, ready, parked, granted, running, reporting, retrying, failed]


# -- words of an operator


def cancel(scene: Scene) -> str:
    return scene.world.run(tasks.cancel(str(scene.b.id), "no")).word


def retry(scene: Scene) -> str:
    answer = scene.world.run(tasks.reopen(str(scene.b.id)))
    if answer.ok:
        scene.world.run(tasks.execute(str(scene.b.id), None))
    return answer.word


def reprioritise(scene: Scene) -> str:
    stored = scene.world.read(scene.b.id)
    revision = scene.world.fields("task", stored.id).get("rev", "0")
    new = scene.world.record(stored.model_copy(update={"priority": TaskPriority.CRITICAL}))
    edges = tasks.EdgeChange()
    operation = tasks.update(
        str(stored.id), revision, new, int(new.row["score"]), index_names(stored), before_first_run=False, edges=edges
    )
    return scene.world.run(operation).word


def pause(scope: str) -> Callable[[Scene], str]:
    """Pause a scope or (``task``) b by name, see that b is not begun whatever anybody does, and resume."""

    def pause_and_resume(scene: Scene) -> str:
        name, id = scope.format(run=scene.run), str(scene.b.id)
        by_name = scope == "task"
        verb = tasks.pause(id, "ann", "a look", None) if by_name else pauses.pause(name, "ann", "a look", None)
        word = scene.world.run(verb).word
        begun = scene.world.happened(scene.b.id).count("started")
        for _ in range(3):
            scene.coordinate()
            scene.world.beat(slots=1, live=[scene.world.slot()] if scene.assignment else [])
            for granted in scene.world.granted() or ["none"]:
                token = int(scene.world.fields("exec", granted).get("att", 1))
                told = scene.world.claim(scene.world.slot("s2"), granted, token).assignment
                assert told is None or by_name
                while told:  # others go on
                    told = scene.world.report(told, scene.world.slot("s2"), pull=True, output="{}").assignment
            scene.pass_time(3)
        assert scene.world.happened(scene.b.id).count("started") == begun
        scene.world.run(tasks.resume(id) if by_name else pauses.resume(name, "ann"))
        return word

    pause_and_resume.__name__ = f"pause {scope.partition(':')[0]}"
    return pause_and_resume


WORDS = [cancel, retry, reprioritise, pause("all"), pause("cap:lint"), pause("run:{run}"), pause("task")]
DONE = ("completed", None)
#: What comes of a cancel: the answer, then how a, b and c end.
CANCELLED = {
    **dict.fromkeys((ready, parked, granted, retrying), ("ok", "completed", "cancelled", "cancelled")),
    before_ready: ("ok", "completed", "cancelled", "cancelled"),
    running: ("asked", "completed", "cancelled", "cancelled"),
    reporting: ("conflict", "completed", "completed", "completed"),
    failed: ("conflict", "completed", "failed", "cancelled"),
}


def play(
    world: World, moment: Callable[[Scene], None], word: Callable[[Scene], str], kill_at: int
) -> tuple[Scene, str]:
    scene = Scene(world)
    moment(scene)
    scene.writes, scene.kill_at = 0, kill_at
    said = word(scene)
    if moment is parked:
        world.run(pauses.resume(f"run:{scene.run}", "ann"))
    scene.finish()
    return scene, said


@pytest.mark.matrix("moment")
@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.__name__)
@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
def test_a_word_at_any_moment_and_a_death_after_any_write_come_to_the_same_end(
    shared_valkey: Valkey, moment: Callable[[Scene], None], word: Callable[[Scene], str]
) -> None:
    store = SyncStore(shared_valkey.url, SETTINGS, ENVELOPE)

    def new_world() -> World:
        shared_valkey.client.flushall()
        return World(store, shared_valkey.client, lambda _: store)

    whole, said = play(new_world(), moment, word, 0)
    expected = whole.end()
    check_promise(moment, word, said, expected)
    for kill_at in range(1, MANY):
        scene, again = play(new_world(), moment, word, kill_at)
        assert (again, scene.end()) == (said, expected), f"killed after write {kill_at}"
        if not scene.deaths:
            assert kill_at > 5, "the coordinator wrote next to nothing"
            store.close()
            return
    pytest.fail(f"no run ended unharmed within {MANY} writes")


def check_promise(
    moment: Callable[[Scene], None], word: Callable[[Scene], str], said: str, end: dict[str, tuple[object, ...]]
) -> None:
    """The end that all must come to is the promised one."""
    stands = tuple(end[name][0] for name in "abc")
    if word is cancel:
        assert (said, *stands) == CANCELLED[moment]
    elif moment is failed and word is not retry:
        assert stands == ("completed", "failed", "cancelled")
    else:
        assert stands == ("completed", "completed", "completed")
        assert [end[name][4] for name in "abc"] == [1, 1, 1]
    if word is retry:
        assert said == ("ok" if moment is failed else "conflict")
    if word is reprioritise:
        assert said == ("conflict" if moment in (reporting, failed) else "ok")
        assert (end["b"][3] == TaskPriority.CRITICAL) == (said == "ok")
    if moment is retrying and word is not cancel:
        assert end["b"][2] == 1
