"""Steps of workflows that no worker runs: gates that fall by themselves, scopes that end with their children, and what
a plain task pays for them: nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from taskengine.core.identity import step_id
from taskengine.core.order import score
from taskengine.store import coordination, decisions, pauses, retention, steps, tasks, workflows
from taskengine.store.records import Record, record
from taskengine.store.steps import Ending, Piece, StepFacts

from .world import World

SCORE = score(2, None, 1000)


@dataclass
class Workflow:
    """A workflow put together by hand: what a coordinator would put, without one."""

    world: World
    id: UUID

    @classmethod
    def start(cls, world: World, **variables: str) -> Workflow:
        id = uuid4()
        world.run(workflows.put_definition("digest", "{}"))
        new = workflows.Start(str(id), "digest", "{}", "w", "ann", step(id, "", k="workflow", sha="s"), variables)
        assert world.run(workflows.start(new)).ok
        return cls(world, id)

    def of(self, path: str) -> UUID:
        return step_id(self.id, path)

    def look(self, path: str = "", because: str = "") -> StepFacts:
        (found,) = self.world.run(steps.look([(str(self.of(path)), because)]))
        assert found is not None
        return found

    def task(self, path: str, *on: str, name: str = "") -> Record:
        new = self.world.task(name or path, id=self.of(path), depends_on={self.of(d) for d in on})
        row = record(new, 1.0)
        rare = f"{row.row['rare']} p {path} up {self.id} fr {self.id}".strip()
        return Record(row.id, row.raw_id, {**row.row, "rare": rare}, None)

    def gate(self, path: str, *on: str) -> Record:
        return step(self.of(path), path, queue="%g", depends_on=[str(self.of(d)) for d in on], up=self.id, fr=self.id)

    def expand(self, *rows: Record, queue: str = "%g", planned: int = -1, step: str = "") -> str:
        """Put children, answering the question that there is about the step."""
        planned = len(rows) if planned < 0 else planned
        entry = next((d.entry for d in self.asked() if d.task_id == str(self.of(step))), "")
        verb = steps.expand(
            self.world.elect(), entry, str(self.of(step)), self.look(step).revision, Piece(rows, planned, queue)
        )
        return self.world.run(verb).word

    def asked(self) -> list[decisions.Decision]:
        return self.world.run(decisions.decisions(self.world.keys))

    def status(self, path: str = "") -> str:
        return self.world.status(self.of(path))

    def finish(self, *paths: str, disposition: str = "completed", slot: str = "s1") -> None:
        found = [self.world.read(self.of(path)) for path in paths]
        self.world.finish(*found, disposition=disposition, slot=self.world.slot(slot))


def step(id: UUID, path: str, **fields: Any) -> Record:
    return steps.step_record(id, path, path or "w", score=SCORE, **fields)


def test_nested_gates_fall_in_the_script_of_the_report_that_opened_them(world: World) -> None:
    flow = Workflow.start(world)
    gates = [flow.gate(f"g{n}", "a" if n == 0 else f"g{n - 1}") for n in range(32)]
    flow.expand(flow.task("a"), *gates, flow.task("b", "g31"))
    assert flow.status() == "running"
    told = world.start()
    answer = world.report(told, pull=True)
    assert answer.assignment is not None
    assert answer.assignment.task_id == str(flow.of("b"))
    assert {flow.status(f"g{n}") for n in range(32)} == {"completed"}
    world.report(answer.assignment)
    assert flow.status() == "completed"
    assert flow.asked() == []
    assert world.fields("run", flow.id)["open"] == "0"
    world.check()


def test_a_fan_wider_than_a_script_falls_together_at_its_gate(world: World) -> None:
    flow = Workflow.start(world)
    names = [f"a{n}" for n in range(150)]
    flow.expand(*(flow.task(name) for name in names[:64]), planned=152)
    assert flow.status() == "running"
    for piece in (names[64:128], names[128:]):
        assert flow.expand(*(flow.task(name) for name in piece), planned=0) == "ok"
    assert flow.expand(flow.gate("g", *names), flow.task("b", "g"), planned=0) == "ok"
    flow.finish(*names)
    assert (flow.status("g"), flow.status("b")) == ("completed", "ready")
    flow.finish("b")
    assert (flow.status(), flow.asked()) == ("completed", [])


def test_a_gate_behind_a_cursor_falls_when_it_is_told(world: World) -> None:
    flow = Workflow.start(world)
    flow.expand(flow.task("a"), planned=259)
    for at in range(0, 256, 64):
        flow.expand(*(flow.task(f"b{n}", "a") for n in range(at, at + 64)), planned=0)
    flow.expand(flow.gate("g", "a"), flow.task("c", "g"), planned=0, queue="%")
    told = world.start()
    world.report(told)
    assert flow.status("g") == "pending"
    while world.run(coordination.continue_releases(world.elect())).number():
        pass
    assert (flow.status("g"), flow.status("c")) == ("completed", "ready")


def test_a_scope_does_not_end_between_two_pieces_of_its_children(world: World) -> None:
    flow = Workflow.start(world)
    flow.expand(flow.task("a"), planned=2)
    flow.finish("a")
    assert (flow.status(), flow.look().number("w")) == ("running", 1)
    flow.expand(flow.task("b"), planned=0)
    flow.finish("b")
    assert flow.status() == "completed"


def test_the_next_piece_of_children_is_put_whatever_became_of_those_that_are_there(world: World) -> None:
    flow = Workflow.start(world)
    flow.expand(flow.task("a"), flow.task("b"), planned=4)
    seen = flow.look()
    flow.finish("a")
    flow.finish("b", disposition="failed", slot="s2")
    piece = Piece([flow.task("c")], 0, "%g")
    assert world.run(steps.expand(world.elect(), "", str(flow.id), seen.revision, piece)).word == "changed"
    put = world.run(steps.expand(world.term, "", str(flow.id), seen.revision_of_pieces, piece))
    assert (put.word, put.number()) == ("ok", 1)
    assert world.run(steps.expand(world.term, "", str(flow.id), seen.revision_of_pieces, piece)).word == "changed"


def test_the_next_piece_of_children_is_ended_whatever_became_of_those_that_run(world: World) -> None:
    flow = Workflow.start(world)
    flow.expand(flow.task("a"), planned=2)
    flow.expand(flow.task("b"), planned=0)
    running = world.start()
    first = flow.look()
    assert world.run(steps.end_children(world.elect(), "", str(flow.id), first.revision, "failed", "no more")).number()
    seen = flow.look()
    world.report(running)
    for word in ("ok", "changed"):
        verb = steps.end_children(world.term, "", str(flow.id), seen.revision_of_pieces, "failed", "no more")
        assert world.run(verb).word == word
    assert (flow.status("a"), flow.status("b")) == ("cancelled", "cancelled")


def test_a_scope_that_is_to_end_gets_no_further_piece(world: World) -> None:
    flow = Workflow.start(world)
    flow.expand(flow.task("a"), planned=2)
    seen = flow.look()
    assert world.run(steps.end_children(world.elect(), "", str(flow.id), seen.revision, "failed", "no more")).ok
    piece = Piece([flow.task("b")], 0, "%g")
    assert world.run(steps.expand(world.term, "", str(flow.id), seen.revision_of_pieces, piece)).word == "changed"


def test_a_piece_that_is_there_is_not_put_again(world: World) -> None:
    flow = Workflow.start(world)
    before = flow.look().revision
    piece = Piece([flow.task("a")], 1, "%g")
    assert world.run(steps.expand(world.elect(), "", str(flow.id), before, piece)).ok
    after = world.dump()
    assert world.run(steps.expand(world.term, "", str(flow.id), before, piece)).word == "changed"
    assert world.dump() == after


def test_a_failed_child_is_asked_about_with_its_name_and_its_scope_ends_when_all_are_over(world: World) -> None:
    flow = Workflow.start(world)
    flow.expand(flow.task("a"), flow.task("b", "a"), flow.task("c"))
    running = world.start()
    assert running.name == "a"
    flow.finish("c", disposition="failed", slot="s2")
    failed = flow.of("c")
    (about,) = flow.asked()
    assert (about.task_id, about.because, about.how) == (str(flow.id), str(failed), "f")
    entry = about.entry
    facts = flow.look(because=about.because)
    assert facts.because["st"] == "failed"
    closed = world.run(steps.end_children(world.elect(), entry, str(flow.id), facts.revision, "failed", "no more"))
    assert (closed.word, closed.number()) == ("ok", 0)
    assert flow.asked() == []  # one child runs on
    assert world.fields("task", running.task_id)["cq"] == "no more"
    world.report(running)
    (entry,) = (one.entry for one in flow.asked() if one.task_id == str(flow.id))
    world.run(decisions.drop_decisions(world.term, [one.entry for one in flow.asked() if one.entry != entry]))
    facts = flow.look()
    assert (facts.number("w"), facts.number("f"), facts.number("c"), facts.fields["end_as"]) == (0, 1, 2, "failed")
    how = Ending("failed", fields={"err": "c failed"})
    assert world.run(steps.end(world.term, entry, str(flow.id), facts.revision, how)).ok
    assert (flow.status(), flow.asked()) == ("failed", [])
    assert world.fields("run", flow.id)["open"] == "0"


def test_steps_stand_in_no_listing_and_in_no_count(world: World) -> None:
    flow = Workflow.start(world)
    flow.expand(flow.task("a"), flow.gate("g", "a"))
    assert world.counts() == {"ready": 1}
    assert world.run(tasks.find(0, 10, []))[1] == [str(flow.of("a"))]
    assert world.run(tasks.read([str(flow.of("g"))])) == [None]
    flow.finish("a")
    assert world.counts() == {"completed": 1}


def test_words_to_a_task_find_no_step(world: World) -> None:
    flow = Workflow.start(world)
    flow.expand(flow.task("a"), flow.gate("g", "a"))
    gate = str(flow.of("g"))
    before = world.dump()
    for verb in (
        tasks.cancel(gate, "no"), tasks.hold(gate, held=True), tasks.pause(gate, "ann", None, None), tasks.reopen(gate),
        tasks.execute(gate, None), tasks.delete(gate, "", world.since()),
    ):  # fmt: skip
        assert world.run(verb).word == "missing"
    assert world.dump() == before


def test_a_plain_task_may_depend_on_a_workflow(world: World) -> None:
    flow = Workflow.start(world)
    flow.expand(flow.task("a"))
    after = world.new("after", flow.id)
    assert world.status(after.id) == "pending"
    flow.finish("a")
    assert world.status(after.id) == "ready"
    told = world.start()
    assert [(id, text) for id, _, text in told.inputs] == [(str(flow.id), None)]  # it has no result of its own
    world.report(told)


def test_a_finished_workflow_is_pruned_with_all_that_was_its_own(world: World) -> None:
    flow = Workflow.start(world, x="1")
    flow.expand(flow.task("a"), flow.gate("g", "a"))
    flow.finish("a")
    world.age(100)
    (found,) = world.run(retention.expired(world.keys, 50))
    word = "ok"
    while not found.over and word == "ok":
        word, found = world.run(retention.prune_range(world.elect(), found))
    assert (word, found.erased, found.kept) == ("ok", 3, 0)
    left = {name for name in world.key_names() if str(flow.id) in name or str(flow.of("g")) in name}
    assert left == set()
    assert world.counts() == {}


def test_what_a_decision_set_is_seen_by_whoever_waits_for_it(world: World) -> None:
    flow = Workflow.start(world, x="1")
    flow.expand(flow.task("a"), queue="%")
    flow.finish("a")
    world.raw.sadd(world.keys.of("condition_waiters", flow.id), str(flow.of("later")))
    (about,) = flow.asked()
    verb = steps.end(
        world.elect(), about.entry, str(flow.id), flow.look().revision,
        Ending("completed", variables_revision="0", output='{"y":2}', sets={"x": "2"}),
    )  # fmt: skip
    assert world.run(verb).ok
    assert world.fields("variables", flow.id) == {"x": "2"}
    assert world.fields("frame", flow.id)["vr"] == "1"
    assert [(one.task_id, one.how) for one in flow.asked()] == [(str(flow.of("later")), "changed")]
    world.run(decisions.drop_decisions(world.term, [flow.asked()[0].entry]))
    world.raw.delete(world.keys.of("condition_waiters", flow.id))


def test_a_decision_that_read_older_variables_is_made_anew(world: World) -> None:
    flow = Workflow.start(world, x="1")
    flow.expand(flow.task("a"), queue="%")
    flow.finish("a")
    (about,) = flow.asked()
    how = Ending("completed", variables_revision="7")
    assert world.run(steps.end(world.elect(), about.entry, str(flow.id), flow.look().revision, how)).word == "changed"
    assert flow.status() == "running"


def test_the_end_of_a_pause_asks_for_the_decisions_that_it_left(world: World) -> None:
    flow = Workflow.start(world)
    world.run(pauses.pause(f"run:{flow.id}", "ann", None, None))
    before = flow.asked()
    world.run(pauses.resume(f"run:{flow.id}", "ann"))
    asked = flow.asked()
    assert [(one.task_id, one.how) for one in asked[len(before) :]] == [(str(flow.id), "counters")]
    world.run(decisions.drop_decisions(world.elect(), [one.entry for one in asked[len(before) :]]))
    world.run(pauses.pause("all", "ann", None, None))
    world.run(decisions.drop_decisions(world.term, [one.entry for one in before]))
    world.broken = True  # nobody will ask about it
    world.run(pauses.resume("all", "ann"))
    assert flow.asked() == []


@pytest.mark.parametrize("queue", ["%", "%g", "%m", "%w"])
def test_no_worker_takes_a_step_whatever_stands_in_its_queue(world: World, queue: str) -> None:
    """As if a script that knows no steps had made one READY: workers are given what they offer, which no step is in."""
    flow = Workflow.start(world)
    flow.expand(flow.gate("g"), flow.task("a"), queue="%")
    step = str(flow.of("g"))
    as_it_was = world.fields("task", step)
    world.raw.hset(world.keys.of("task", step), mapping={"st": "ready", "queue": queue})
    world.raw.zadd(world.keys.of("ready", queue), {f"{1:012d}{step}": 0})
    sets = [world.keys.fixed(name) for name in ("queues", "open_queues")]
    for name in sets:
        world.raw.sadd(name, queue)
    world.beat(slots=8)
    world.run(coordination.grant(world.elect(), [queue, "lint"]))
    told = world.start()
    assert told.task_id == str(flow.of("a"))
    answer = world.report(told, pull=True)
    assert answer.assignment is None
    assert world.claim(world.slot()).assignment is None
    assert world.messages(queue) == []
    assert world.ready(queue) == [step]
    world.raw.hset(world.keys.of("task", step), mapping=as_it_was)
    world.raw.delete(world.keys.of("ready", queue))
    for name in sets:
        world.raw.srem(name, queue)
