"""Clients, workers, a coordinator, dead links and the passing of time, in any order, beside a model of the promises.

Each rule says something to the store and to the model, then compares all statuses. Calls go out twice now and then,
copies of old ones come late, tokens are stale, submitters give up half-way. At the end everything is let run to its
end, and every law of the deep check must hold.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from taskengine.api.operations import bulk
from taskengine.api.selection import Selection
from taskengine.core.estimates import kind_of
from taskengine.models import BulkResult, Question, Task, TaskPriority, TriggerRule
from taskengine.store import coordination, deadlines, executions, graphs, kept, nodes, pauses, retention, tasks
from taskengine.store.call import Call
from taskengine.store.executions import BatchHint, Report
from taskengine.store.invariants import check_at_rest, check_invariants
from taskengine.store.records import index_names
from taskengine.store.replies import Assignment, Reply

from ..store.world import World, steps
from .model import BAD, KEPT, LEASE, OVER, Model, SlotName, Thing

QUESTION = Question(id="q", text="Go on?")
QUEUES = {"n1": "lint=lint @lint=lint", "n2": "lint=lint test=tester @tester=tester @lint=lint"}
#: Steps of time, and delays of timers: never so that a timer's moment and a step meet within what a test lasts.
AGES, DELAYS = (4, 20), (6, 14, 30)
PICK = st.integers(0, 2**20)
#: Copies of these after another transition do their work again, rightly: what they ask for is wanted or there again.
MAY_NOT_COME_LATE = frozenset(
    {"create", "stage", "commit", "reopen", "execute", "cancel", "delete", "remove_node", "sweep_batch", "pause",
    "resume",
     "pause_task", "resume_task", "hold", "rescue", "withdraw", "fire_timers", "unpark", "grant", "continue_releases",
     "claim", "lift_aged", "note_deadlines"}
)  # fmt: skip


class Machine(RuleBasedStateMachine):
    """One story; ``new_world`` makes an empty namespace."""

    new_world: ClassVar[Callable[[], World]]
    #: Of all stories: steps, and how often each thing happened that must.
    steps_done: ClassVar[int] = 0
    seen: ClassVar[Counter[str]]
    #: What the same numbers mean. Hypothesis tells similar stories again and again; by another volume they differ.
    volume: ClassVar[int] = 0

    @initialize(story=st.integers(0, 2**62))
    def begin(self, story: int) -> None:
        self.story = story
        self.world = type(self).new_world()
        self.model = Model()
        self.tasks: dict[str, Task] = {}
        #: What slots were told last, also after they were fenced.
        self.assignment: dict[SlotName, tuple[Assignment, ...]] = {}
        self.past: list[Call[Any]] = []
        self.chance = random.Random(0)
        self.batches = 0
        #: Steps of this story so far.
        self.at = 0
        #: What half-submitted tasks depend on, or did.
        self.staged_on: set[str] = set()

    # -- sending and comparing

    def send(self, call: Call[Any]) -> Any:
        """Send a call, sometimes twice; remember it for a late copy."""
        answer = self.world.run(call)
        if not call.command:
            if self.chance.random() < 0.15:
                self.world.run(call)
            # A copy of what was refused asks again, and may find another state.
            if call.name not in MAY_NOT_COME_LATE and getattr(answer, "word", "") != "conflict":
                self.past = [*self.past[-30:], call]
        return answer

    @rule(pick=PICK)
    def step(self, pick: int) -> None:
        """Somebody does something. Which is drawn here, not by rules: hypothesis leaves some rules out of an operation,
        and then hardly anything ever runs.
        """
        # It likes small numbers and says them again: alone they would be the same few choices in every operation.
        self.at += 1
        self.chance = random.Random(f"{type(self).volume} {self.story} {self.at} {pick}")
        type(self).steps_done += 1
        able = [name for name, (_, needs) in ACTIONS.items() if needs(self)]
        what = self.chance.choices(able, [ACTIONS[name][0] for name in able])[0]
        type(self).seen[what] += 1
        getattr(self, what)()

    def compare(self, *wrong: str) -> None:
        """The step is over: what is stored is what was promised."""
        ids = list(self.model.things)
        found = self.model.show(dict(zip(ids, self.world.statuses(ids), strict=True)))
        told = [word for word in (*wrong, *found) if word]
        assert not told, "\n".join(told)

    def some(self, *, over: bool | None = None) -> Thing | None:
        """A task, or one that is (not) over."""
        fits = [t for t in self.model.things.values() if over is None or (t.status in OVER) == over]
        # Most are over or wait: what runs is where words cross.
        runs = [t for t in fits if t.status == "running"]
        if runs and self.chance.random() < 0.7:
            fits = runs
        return self.chance.choice(fits) if fits else None

    def note(self, what: str, happens: object = True) -> None:
        """Count what a test must have seen to mean anything."""
        if happens:
            type(self).seen[what] += 1

    def slot(self, name: SlotName) -> executions.Slot:
        return self.world.slot(name[1], name[0], QUEUES[name[0]])

    # -- submitting

    def new_task(self) -> tuple[Task, Thing]:
        chance, model = self.chance, self.model
        known = list(model.things)[-8:]
        if chance.random() < 0.7:  # what depends on the dead never runs
            known = [id for id in known if model.things[id].status not in BAD]
        on = set(chance.sample(known, min(len(known), chance.choice([0, 0, 1, 2, 3]))))
        options: dict[str, Any] = {}
        thing = Thing("", "", "lint", "all_success", on)
        if chance.random() < 0.3:
            thing.rule = options["trigger_rule"] = chance.choice(list(TriggerRule)).value
        if chance.random() < 0.05:
            options[chance.choice(["queue_timeout", "total_timeout", "heartbeat_timeout"])] = 10
            thing.is_loose = True
        match chance.randrange(8):
            case 0:
                thing.hold = options["hold"] = True
            case 1:
                seconds = chance.choice([-6, *DELAYS])
                options["scheduled_at"] = datetime.now(UTC) + timedelta(seconds=seconds)
                thing.due = model.now + seconds if seconds > 0 else None
            case 2:
                seconds = chance.choice(DELAYS)
                options["expires_at"] = datetime.now(UTC) + timedelta(seconds=seconds)
                thing.expires = model.now + seconds
            case 3:
                thing.queue = options["capability"] = "test"
            case 4:
                thing.pinned = options["assigned_to"] = chance.choice(["tester", "nobody"])
            case 5:
                options["deadline"] = datetime.now(UTC) + timedelta(seconds=chance.choice([-9, 100]))
        task = self.world.task(f"t{len(self.tasks)}", id=self.new_id(), priority=chance.randrange(1, 6), **options)
        task.depends_on = {self.tasks[id].id for id in on}
        thing.id = str(task.id)
        self.tasks[thing.id] = task
        return task, thing

    def new_id(self) -> UUID:
        """The same ones when an operation is told again."""
        return UUID(int=self.chance.getrandbits(128), version=4)

    def run_id(self) -> str:
        known = self.some()
        return known.run if known and self.chance.random() < 0.3 else str(self.new_id())

    def in_run(self, run: str, things: Iterable[Thing], **state: Any) -> list[Thing]:
        made = list(things)
        for thing in made:
            thing.run = run
            thing.is_vague = bool(self.model.paused)
            for name, value in state.items():
                setattr(thing, name, value)
        return made

    def create(self) -> None:
        (task, thing), run = self.new_task(), self.run_id()
        assert steps(tasks.create(run, self.world.record(task)), self.send).ok
        self.model.add(self.in_run(run, [thing]))
        self.compare()

    def submit(self) -> None:
        first, thing = self.new_task()
        graph, things, run = [first], [thing], self.run_id()
        for n in range(self.chance.randrange(4)):
            parent = self.chance.choice(graph)
            graph.append(self.world.task(f"g{n}", parent, id=self.new_id()))
            self.tasks[str(graph[-1].id)] = graph[-1]
            things.append(Thing(str(graph[-1].id), "", "lint", "all_success", {str(parent.id)}))
        records = [self.world.record(task) for task in graph]
        assert steps(graphs.submit(run, records), self.send) == [str(task.id) for task in graph]
        self.model.add(self.in_run(run, things))
        if self.chance.random() < 0.2:  # and again, as a client does whose answer was lost
            assert steps(graphs.submit(str(self.new_id()), records), self.send) == [str(task.id) for task in graph]
        self.compare()

    def flood(self) -> None:
        """Many of one kind that wait for nothing, and a node of one slot: what goes to a slot several at a time."""
        run, graph = self.run_id(), [self.world.task(f"g{n}", id=self.new_id()) for n in range(24)]
        self.tasks |= {str(task.id): task for task in graph}
        assert steps(graphs.submit(run, [self.world.record(task) for task in graph]), self.send)
        self.model.add(self.in_run(run, [Thing(str(task.id), "", "lint", "all_success", set()) for task in graph]))
        self.compare()

    def submit_by_halves(self) -> None:
        """A submitter that dies before or after its commit, or gives up."""
        (task, thing), run = self.new_task(), self.run_id()
        self.batches += 1
        batch = f"batch{self.batches}"
        assert self.send(graphs.stage(batch, run, [self.world.record(task)])).ok
        assert self.world.status(task.id) == ""
        self.staged_on |= thing.on
        match self.chance.randrange(4):
            case 0:
                steps(graphs.abandon(batch), self.send)
            case 1 | 2:
                assert self.send(graphs.commit(batch)).ok
                self.model.add(self.in_run(run, [thing], unsettled=True))
        self.compare()

    # -- steering

    def cancel(self) -> None:
        if thing := self.some():
            answer: Reply = steps(tasks.cancel(thing.id, "no"), self.send)
            thing.unsettled = False
            self.compare_word(answer.word, self.model.cancel(thing), thing)

    def reopen(self) -> None:
        if thing := self.some(over=True):
            answer: Reply = steps(tasks.reopen(thing.id), self.send)
            self.compare_word(answer.word, self.model.reopen(thing), thing)

    def execute(self) -> None:
        if thing := self.some():
            word = steps(tasks.execute(thing.id, None), self.send).word
            thing.unsettled = False
            self.compare_word(word, self.model.execute(thing), thing)

    def reprioritise(self) -> None:
        thing = self.some()
        stored = self.world.run(tasks.read([thing.id]))[0] if thing else None
        if thing is None or stored is None:
            return
        revision = self.world.fields("task", stored.id).get("rev", "0")
        new = stored.model_copy(update={"priority": TaskPriority(self.chance.randrange(1, 6))})
        record = self.world.record(new)
        story = tasks.update(
            thing.id, revision, record, int(record.row["score"]), index_names(stored), before_first_run=False,
            edges=tasks.EdgeChange(),
        )  # fmt: skip
        word = steps(story, self.send).word
        thing.unsettled = False
        self.compare_word(word, "conflict" if thing.status in OVER else "ok", thing)

    def depend(self) -> None:
        a, b = sorted(self.chance.sample(range(len(self.model.things)), 2))
        earlier, later = (list(self.model.things.values())[n] for n in (a, b))  # no cycle: only to an earlier one
        revision = self.world.run(tasks.edge_revision(self.world.keys))
        answer: Reply = steps(tasks.add_dependency(later.id, earlier.id, revision, "sha"), self.send)
        earlier.unsettled = later.unsettled = False
        self.compare_word(answer.word, self.model.depend(later, earlier), later)

    def delete(self) -> None:
        thing = self.some()
        stored = self.world.run(tasks.read([thing.id]))[0] if thing else None
        if thing is None or stored is None:
            return
        if any(thing.id in t.on and t.status not in OVER for t in self.model.things.values()):
            return  # the client looks first, and refuses
        since = self.world.since()
        promised = "ok" if thing.status in OVER else "conflict"
        if self.chance.random() < 0.5 and thing.status in OVER:
            self.come_late(thing)
            promised = "stale"
        answer: Reply = steps(tasks.delete(thing.id, index_names(stored), since), self.send)
        if answer.word == "waited" and thing.id in self.staged_on:
            promised = "waited"
        if answer.ok:
            self.model.forget(thing)
        self.compare_word(answer.word, promised, thing)

    def come_late(self, thing: Thing) -> None:
        """Somebody depends on a task that is over, after a look at who does."""
        self.note("dependents that came late")
        task, late = self.new_task()
        task.depends_on, late.on = {self.tasks[thing.id].id}, {thing.id}
        assert steps(tasks.create(thing.run, self.world.record(task)), self.send).ok
        self.model.add(self.in_run(thing.run, [late]))

    def pause(self) -> None:
        known = self.some()
        run = f"run:{known.run}" if known else "all"
        scope = self.chance.choice(["all", "cap:test", "cap:lint", "agent:tester", run])
        delay = self.chance.choice([None, *DELAYS])
        until = None if delay is None else datetime.now(UTC) + timedelta(seconds=delay)
        word = self.send(pauses.pause(scope, "ann", None, until)).word
        if word == "ok":
            self.model.paused.add(scope)
            self.model.pause_ends.pop(scope, None)
            if delay is not None:
                self.model.pause_ends[scope] = self.model.now + delay
        self.compare("" if word in ("ok", "missing") else f"pause answered {word}")

    def resume(self) -> None:
        scope = self.chance.choice(sorted(self.model.paused))
        self.mark_vague()
        was = self.send(pauses.resume(scope, "ann")).number()
        self.model.paused.discard(scope)
        self.model.pause_ends.pop(scope, None)
        kept = not scope.startswith("run:")  # the pause of a run goes with the run
        self.compare("" if was or not kept else f"{scope} was paused, and its resume found nothing")

    def halt(self) -> None:
        """Pause by name and back, hold and release."""
        thing = self.some()
        if thing is None:
            return
        weights = [8, 2, 1, 1] if thing.status == "running" else [1, 1, 1, 1]
        [what] = self.chance.choices(["pause", "resume", "hold", "release"], weights)
        verb, promised = {
            "pause": (tasks.pause(thing.id, "ann", None, None), self.model.pause),
            "resume": (tasks.resume(thing.id), self.model.resume),
            "hold": (tasks.hold(thing.id, held=True), lambda thing: self.model.set_hold(thing, True)),
            "release": (tasks.hold(thing.id, held=False), lambda thing: self.model.set_hold(thing, False)),
        }[what]
        word = steps(verb, self.send).word
        thing.unsettled = thing.unsettled and (what == "resume" or word != "ok")
        self.compare_word(word, promised(thing), thing)

    def answer(self) -> None:
        """Somebody answers what a task asks."""
        thing = self.chance.choice([one for one in self.model.things.values() if one.asks])
        asked = kept.asked_from(self.world.fields("task", thing.id).get("ask"))
        if asked is None:
            self.compare(f"{thing} asks nothing")
            return
        said = steps(kept.answer_question(thing.id, asked, "yes", "ann"), self.send)
        thing.unsettled = False
        self.compare_word(said.word, self.model.answer(thing), thing)

    def many(self) -> None:
        """One verb for all that a filter finds, newest first."""
        what = self.chance.choice(["cancel", "pause", "resume", "hold", "release", "reopen"])
        filters, fits = self.a_filter()
        if sum(thing.status == "paused" for thing in self.model.things.values()) > 1 and self.chance.random() < 0.5:
            what, filters, fits = "resume", {"status": "paused"}, lambda thing: thing.status == "paused"
        verb, promise = {
            "cancel": (lambda s: bulk.cancel_tasks(s, "no"), self.model.cancel),
            "pause": (lambda s: bulk.pause_tasks(s, None, None, "ann"), self.model.pause),
            "resume": (bulk.resume_tasks, self.model.resume),
            "hold": (lambda s: bulk.hold_tasks(s, held=True), lambda thing: self.model.set_hold(thing, True)),
            "release": (lambda s: bulk.hold_tasks(s, held=False), lambda thing: self.model.set_hold(thing, False)),
            "reopen": (bulk.retry_tasks, self.model.reopen),
        }[what]
        matched = [thing for thing in reversed(self.model.things.values()) if fits(thing)]
        # A copy of a reopening opens also what the first was refused for a dependency that it opened after.
        send = self.world.run if what == "reopen" else self.send
        done: BulkResult = steps(verb(Selection(filters, False, False, None)), send)
        words = []
        for thing in matched:
            words.append(promise(thing))
            if words[-1] != "conflict" and what not in ("resume", "reopen"):
                thing.unsettled = False
        promised = len(words), sum(word in ("ok", "asked") for word in words)
        lenient = any(thing.is_loose or thing.is_vague for thing in matched)
        self.note(f"{what} of many", promised[1] > 1)
        right = lenient or (done.matched, done.done) == promised
        self.compare("" if right else f"{what} of all with {filters} came to {done}, promised {promised}")

    def a_filter(self) -> tuple[dict[str, Any], Callable[[Thing], bool]]:
        """Some filter, and whether a task of the model meets it. Which of PENDING and READY a task is, may be open."""
        match self.chance.randrange(3):
            case 0:
                run = self.chance.choice(sorted({thing.run for thing in self.model.things.values()}))
                return {"run_id": run}, lambda thing: thing.run == run
            case 1:
                queue = self.chance.choice(["lint", "test"])
                return {"capability": queue}, lambda thing: thing.queue == queue
            case _:
                status = self.chance.choice(["running", "paused", "retrying", "failed", "cancelled", "completed"])
                return {"status": status}, lambda thing: thing.status == status

    def use_a_key(self) -> None:
        """The same content under the same key is the first one's task, other content is refused."""
        task, thing = self.new_task()
        task = task.model_copy(update={"idempotency_key": str(self.new_id())})
        run = self.run_id()
        assert steps(tasks.create(run, self.world.record(task)), self.send).ok
        same, other = (task.model_copy(update={"id": self.new_id(), **more}) for more in ({}, {"name": "another"}))
        answer = steps(tasks.create(str(self.new_id()), self.world.record(same)), self.send)
        refusal = steps(tasks.create(str(self.new_id()), self.world.record(other)), self.send)
        self.tasks[thing.id] = task
        self.model.add(self.in_run(run, [thing]))
        right = (answer.word, answer.text(), refusal.word) == ("exists", thing.id, "conflict")
        self.compare("" if right else f"{answer}, {refusal} for {thing}")

    def mark_vague(self) -> None:
        for thing in self.model.things.values():
            thing.is_vague = thing.is_vague or self.model.is_paused(thing)

    def compare_word(self, said: str, promised: str, thing: Thing) -> None:
        lenient = thing.is_loose or thing.is_vague
        self.compare("" if said == promised or lenient else f"answered {said}, promised {promised} for {thing}")

    # -- working

    def beat(self) -> None:
        self.let_beat(self.chance.choice(list(QUEUES)))
        self.compare()

    def let_beat(self, node: str) -> None:
        held = [name for name in self.model.runs if name[0] == node]
        live = [name for name in held if self.chance.random() < 0.9]
        drain = "SIGTERM" if self.chance.random() < 0.05 else ""
        slots = self.chance.choice([0, 1, 1, 2, 3])
        self.world.beat(node, slots=slots, queues=QUEUES[node], live=[self.slot(n) for n in live], drain=drain)
        model = self.model
        model.alive[node] = model.now + LEASE
        (model.draining.add if drain else model.draining.discard)(node)
        for name in held:
            if name in live:
                model.missed[name] = 0
            elif model.missed[name]:
                model.lose(name)
                continue
            else:
                model.missed[name] = 1
            model.leases[name] = model.now + LEASE

    def claim(self) -> None:
        node = self.chance.choice(list(QUEUES))
        name = (node, f"s{self.chance.randrange(3)}")
        if self.model.alive.get(node, -1.0) <= self.model.now and self.chance.random() < 0.8:
            self.let_beat(node)
        granted = self.world.granted()
        id = self.chance.choice(granted) if granted else "none"
        token = int(self.world.fields("exec", id).get("att", 1)) if granted else 1
        token += self.chance.random() < 0.2  # a stale message
        self.note("claims under a pause", granted and self.model.paused)
        answer = self.send(executions.claim(self.slot(name), str(self.new_id()), id, token))
        works = self.model.alive.get(node, -1.0) > self.model.now and node not in self.model.draining
        wrong = "" if works or answer.word == "refused" else f"{node} may not claim, and {name} got {answer}"
        if works and answer.word == "refused":
            wrong = f"{name} was refused: {answer}"
        if works and name in self.model.runs:
            self.model.lose(name)
        if answer.batch:
            wrong = wrong or self.begin_run(name, answer.batch)
        self.compare(wrong)

    def slot_of(self, names: Iterable[SlotName]) -> SlotName:
        """One of these; mostly one whose task was asked to stop, if any: there words cross."""
        asked = [name for name in sorted(names) if any(thing.is_asked for thing in self.model.held_by(name))]
        return self.chance.choice(asked if asked and self.chance.random() < 0.8 else sorted(names))

    def begin_run(self, name: SlotName, batch: Sequence[Assignment]) -> str:
        self.note("starts")
        self.note("batches", len(batch) > 1)
        self.assignment[name] = tuple(batch)
        return next((wrong for one in batch if (wrong := self.model.start(name, one.task_id, one.attempt))), "")

    def report(self) -> None:
        """All that a slot was told, or a part; also of a slot that was fenced meanwhile, or reported before."""
        name = self.slot_of(self.assignment)
        told, model = self.assignment[name], self.model
        if self.chance.random() < 0.2:
            told = told[: self.chance.randint(1, len(told))]
        self.note("reports of several", len(told) > 1)
        done = [self.outcome_of(one) for one in told]
        held = {(thing.id, thing.attempt): thing for thing in model.held_by(name)}
        things = [held.get((one.task_id, one.attempt)) for one in told]
        self.note("report of a task whose cancel was asked", any(thing and thing.cancel_asked for thing in things))
        self.note("report of a task whose pause was asked", any(thing and thing.pause_asked for thing in things))
        hint = BatchHint(kind_of(told[-1].queue, told[-1].name), 100, self.chance.choice([1, 8, 8]))
        pull = self.chance.random() < 0.5
        answer = self.send(executions.report(self.slot(name), done, pull=pull, hint=hint))
        wrong = ""
        for one, thing, word in zip(done, things, answer.outcomes, strict=True):
            if thing is not None and word != "ok":
                wrong = f"the report of {name} on {thing} was answered {answer}"
            if thing is not None:
                model.report(thing, one.disposition, one.retry_ms / 1000)
        self.note("fenced reports", any(word != "ok" for word in answer.outcomes))
        before = {one.execution_id for one in self.assignment[name]}
        if answer.batch and not before & {one.execution_id for one in answer.batch}:
            self.note("starts by a report")
            model.start_ready()
            wrong = wrong or self.begin_run(name, answer.batch)
        self.compare(wrong)

    def outcome_of(self, told: Assignment) -> Report:
        disposition = self.chance.choice(
            ["completed"] * 4 + ["failed", "retry", "not_now", "agent_not_now", "cancelled", "ask"]
        )
        output = '{"x":"' + "y" * self.chance.choice([0, 5000]) + '"}'
        delay = self.chance.choice(DELAYS)
        more = json.dumps({"question": kept.question_text(QUESTION)}) if disposition == "ask" else ""
        return Report(told.task_id, told.attempt, disposition, "lint", output=output, retry_ms=1000 * delay, more=more)

    def end(self) -> None:
        name = self.slot_of(self.model.runs)
        thing = self.chance.choice(self.model.held_by(name))
        how = self.chance.choice(["time_out", "time_out_for_good", "hand_back", "say", "end_cancelled"])
        self.note(f"{how} of a task whose cancel was asked", thing.cancel_asked)
        told = next(one for one in self.assignment[name] if one.task_id == thing.id)
        id, token, delay = told.execution_id, told.attempt, self.chance.choice(DELAYS)
        match how:
            case "time_out":
                self.send(executions.time_out(id, token, retry_ms=1000 * delay, error="long"))
                self.model.report(thing, "retry", float(delay))
            case "time_out_for_good":
                self.send(executions.time_out(id, token, retry_ms=None, error="long"))
                self.model.report(thing, "failed", 0.0)
            case "hand_back":
                self.send(executions.hand_back([(id, token)], "stop"))
                self.model.hand_back(thing)
            case "say":
                self.send(executions.append_logs(id, token, lines=['{"message":"x"}'], progress=0.5))
            case "end_cancelled" if thing.cancel_asked:
                self.send(executions.end_cancelled(id, token))
                self.model.end(thing, "cancelled")
        self.compare()

    def leave(self) -> None:
        """A node stops; what it holds is lost."""
        node = self.chance.choice(list(QUEUES))
        self.send(nodes.remove_node(node))
        for name in [name for name in self.model.runs if name[0] == node]:
            self.model.lose(name, node_is_gone=True)
        self.model.alive.pop(node, None)
        self.model.draining.discard(node)
        self.compare()

    # -- the coordinator, time, and dead links

    def coordinate(self) -> None:
        self.let_coordinate()
        self.compare()

    def let_coordinate(self) -> None:
        self.world.elect()
        term = self.world.term
        self.mark_vague()
        for call in (
            coordination.rescue(term), coordination.withdraw(term), coordination.fire_timers(term),
            coordination.unpark(term), coordination.grant(term, ["lint", "test", "@tester", "@nobody"]),
            coordination.continue_releases(term),
            coordination.lift_aged(term, self.chance.choice(["lint", "test"]), 0, 0),
        ):  # fmt: skip
            self.send(call)
        now, due = self.world.run(deadlines.due(self.world.keys))
        self.send(deadlines.note(term, [self.finding(id, now) for id in due]))
        self.model.lapse()
        self.model.fire()
        for batch in self.world.run(coordination.committed(self.world.keys)):
            self.world.settle(batch)
        for thing in self.model.things.values():
            thing.unsettled = False
        self.model.start_ready()
        for batch in self.world.run(coordination.abandoned(self.world.keys, 600)):
            while self.world.run(coordination.sweep_batch(batch, term)).number():
                pass

    def finding(self, id: str, now: int) -> deadlines.Finding:
        """What the coordinator may find about a deadline."""
        [weight] = self.world.run(deadlines.read_weights([id]))
        if weight is None or weight.is_over:
            return deadlines.Finding(id, 0, "over")
        disposition = self.chance.choice(["risk", str(now + 5000)])
        return deadlines.Finding(id, weight.deadline or 0, disposition, 1)

    def think(self) -> None:
        self.compare(*self.let_think())

    def let_think(self) -> list[str]:
        self.world.think()
        # Of all: a thought may open a task again, and with it what that one closed, and close them for the same reason.
        stored = {id: self.world.fields("task", id) for id in self.model.things}
        before = {id for id, fields in stored.items() if "fb" in fields}
        self.note("failures passed on", before)
        return self.model.think({id: fields.get("by", "") for id, fields in stored.items()}, before)

    def time_passes(self) -> None:
        self.age(self.chance.choice(AGES))
        self.compare()

    def age(self, seconds: float) -> None:
        self.world.age(seconds)
        self.model.now += seconds
        for node in [node for node, until in self.model.alive.items() if until <= self.model.now]:
            del self.model.alive[node]

    def late_copy(self) -> None:
        """What a dead link kept back comes now, and changes nothing."""
        self.world.run(self.chance.choice(self.past))
        self.compare()

    def prune(self) -> None:
        self.age(700)
        self.world.elect()
        for one in self.world.run(retention.expired(self.world.keys, KEPT)):
            now = one
            while not now.over:
                word, now = self.world.run(retention.prune_range(self.world.term, now))
                assert word == "ok"
        ids = list(self.model.things)
        for id, status in zip(ids, self.world.statuses(ids), strict=True):
            thing = self.model.things[id]
            if not status:
                assert thing.status in OVER, thing
                assert thing.over_at + KEPT <= self.model.now, thing
                self.model.forget(thing)
        self.compare()

    # -- the end

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        found = self.world.run(check_invariants(self.world.keys))
        assert not found, found
        self.finish_everything()
        found = self.world.run(check_at_rest(self.world.keys))
        assert not found, found

    def finish_everything(self) -> None:
        """Let a healthy fleet and coordinator go on until nothing is left to do."""
        world = self.world
        self.age(700)
        for scope in sorted(self.model.paused):
            world.run(pauses.resume(scope, "ann"))
        self.model.paused.clear()
        for thing in self.model.things.values():
            if asked := kept.asked_from(world.fields("task", thing.id).get("ask")):
                assert steps(kept.answer_question(thing.id, asked, "yes", "ann"), world.run).ok
            if world.status(thing.id) == "paused":
                assert steps(tasks.resume(thing.id), world.run).ok
            elif thing.pause_asked:
                steps(tasks.resume(thing.id), world.run)
        for _ in range(200):
            self.let_coordinate()
            world.think()
            world.age(20)
            slot = world.slot("last", "n2", QUEUES["n2"] + " @nobody=nobody")
            world.beat("n2", slots=1, queues=slot.queues)
            for id in world.granted() or ["none"]:
                told = world.claim(slot, id, int(world.fields("exec", id).get("att", 1))).assignment
                while told:
                    told = world.report(told, slot, pull=True).assignment
            for id in self.model.things:
                if world.status(id) == "pending" and "hold" in world.fields("task", id):
                    world.run(tasks.execute(id, None))
            if not set(world.counts()) - OVER:
                return
        raise AssertionError(f"not finished: {world.counts()}")




def _always(machine: Machine) -> bool:
    return True


def _tasks(machine: Machine) -> bool:
    return bool(machine.model.things)


#: What may happen -> how often beside the others, and when it can.
ACTIONS: dict[str, tuple[float, Callable[[Machine], bool]]] = {
    "create": (5, _always), "submit": (5, _always), "submit_by_halves": (2, _always), "use_a_key": (1, _always),
    "flood": (0.7, _always),
    "cancel": (6, _tasks), "reopen": (5, _tasks), "execute": (3, _tasks), "reprioritise": (2, _tasks),
    "depend": (2, lambda machine: len(machine.model.things) > 1), "delete": (1, _tasks), "halt": (5, _tasks),
    "many": (2, _tasks), "answer": (3, lambda machine: any(one.asks for one in machine.model.things.values())),
    "pause": (1, _always), "resume": (3, lambda machine: bool(machine.model.paused)),
    "beat": (6, _always), "claim": (18, _tasks), "leave": (0.2, _always),
    "report": (14, lambda machine: bool(machine.assignment)), "end": (20, lambda machine: bool(machine.model.runs)),
    "coordinate": (6, _always), "think": (5, _always), "time_passes": (2, _always), "prune": (0.2, _always),
    "late_copy": (4, lambda machine: bool(machine.past)),
}  # fmt: skip
