"""What the engine promises, in dicts: a model of tasks that knows nothing of Redis, Lua or the coordinator's ways.

It follows single verbs and says what each task's status may be. Most of the time that is one word. It is more where
only a hint decides (a ruled task that may run waits for the coordinator's thought or not) or where the model would have
to become the engine (clocks that stood still during a pause, timeouts of waiting): there it takes over what it is
shown, if that is one of the words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

OVER = frozenset({"completed", "failed", "cancelled"})
BAD = frozenset({"failed", "cancelled"})
#: Seconds: a lease, the life of a beat, what a pruned run is old at least; losses that make a dead letter.
LEASE, KEPT, MOST_LOST = 10.0, 300.0, 3
SlotName = tuple[str, str]


@dataclass
class Thing:
    """A task of the model."""

    id: str
    run: str
    queue: str
    rule: str
    on: set[str]
    status: str = "pending"
    hold: bool = False
    #: Model seconds at which a retry or a schedule is due, and at which it expires.
    due: float | None = None
    expires: float | None = None
    #: Attempts begun. Not taken back by a reopening.
    attempt: int = 0
    lost: int = 0
    #: The only agent that may run it.
    pinned: str = ""
    cancel_asked: bool = False
    #: Paused by name while it ran.
    pause_asked: bool = False
    #: PAUSED because its agent asks a person; a pause by name stands behind the answer.
    asks: bool = False
    #: What its clocks still had to run when it was paused: the status it waits in, until due, until it expires.
    left: tuple[str, float | None, float | None] = ("pending", None, None)
    closed_by: str = ""
    #: It was closed because of a failure, and counts as failed.
    failed_before: bool = False
    #: What closed it is open again, and the coordinator was asked about it.
    may_reopen: bool = False
    #: Its graph is committed and nobody let its commit wait fall.
    unsettled: bool = False
    #: It has a timeout that the model does not follow: whatever it is shown is right.
    is_loose: bool = False
    #: A pause held its clocks.
    is_vague: bool = False
    #: It might run when a thought began that opened its dependencies again: which came first nobody promises.
    is_raced: bool = False
    over_at: float = 0.0

    @property
    def is_asked(self) -> bool:
        """Whether it was asked to stop, for now or for good."""
        return self.cancel_asked or self.pause_asked


@dataclass
class Model:
    """All tasks, slots and nodes, and the time."""

    now: float = 0.0
    things: dict[str, Thing] = field(default_factory=dict)
    #: How what was deleted or pruned had ended, as its dependents count it.
    gone: dict[str, str] = field(default_factory=dict)
    #: Slot -> the tasks that it has in hand, until when its lease lasts, beats that did not list it.
    runs: dict[SlotName, list[str]] = field(default_factory=dict)
    leases: dict[SlotName, float] = field(default_factory=dict)
    missed: dict[SlotName, int] = field(default_factory=dict)
    #: Node -> until when it counts as alive.
    alive: dict[str, float] = field(default_factory=dict)
    draining: set[str] = field(default_factory=set)
    paused: set[str] = field(default_factory=set)
    pause_ends: dict[str, float] = field(default_factory=dict)

    # -- what is said

    def allowed(self, thing: Thing) -> set[str]:
        """Every status that the task may have now."""
        found = {thing.status}
        disposition = self.evaluate_rule(thing)
        free = not thing.hold and thing.due is None and (thing.unsettled or thing.rule != "all_success")
        if thing.status == "pending" and disposition == "run" and free:
            found.add("ready")
        if thing.status == "pending" and thing.is_raced:
            found.add("ready")
        if thing.is_vague and (thing.due is not None or thing.expires is not None):
            found |= {"ready", "cancelled"}
        return found

    def show(self, statuses: dict[str, str]) -> list[str]:
        """Compare with what is stored, and take over where the model left it open; what is wrong, in words."""
        wrong = []
        for thing in self.things.values():
            status = statuses[thing.id]
            if status == thing.status:
                continue
            if (thing.is_loose and status) or status in self.allowed(thing):
                self._adopt(thing, status)
        self.start_ready()
        for thing in self.things.values():
            status = statuses[thing.id]
            if status not in self.allowed(thing) and not (thing.is_loose and status):
                wrong.append(f"{thing} should be {sorted(self.allowed(thing))}, it is {status!r}")
            thing.is_raced = False
        return wrong

    def evaluate_rule(self, thing: Thing) -> str:
        """run, wait or never: the eight rules, from how the dependencies stand."""
        stand = [self.end_of(id) for id in thing.on]
        done, failed, cancelled = (stand.count(s) for s in ("completed", "failed", "cancelled"))
        waiting = len(stand) - done - failed - cancelled
        if not stand or thing.rule == "always":
            return "run"
        never = {
            "all_success": failed + cancelled > 0,
            "all_done": False,
            "all_failed": done + cancelled > 0,
            "one_success": waiting == done == 0,
            "one_failed": waiting == failed == 0,
            "none_failed": failed > 0,
            "none_failed_min_one_success": failed > 0 or waiting == done == 0,
        }[thing.rule]
        if never:
            return "never"
        early = {"one_success": done, "one_failed": failed}.get(thing.rule, 0)
        return "run" if early or not waiting else "wait"

    def end_of(self, id: str) -> str:
        """The status of a task as its dependents count it: what failed before it failed."""
        if id not in self.things:
            return self.gone[id]
        thing = self.things[id]
        return "failed" if thing.status == "cancelled" and thing.failed_before else thing.status

    def is_paused(self, thing: Thing) -> bool:
        scopes = {"all", f"run:{thing.run}", f"cap:{thing.queue}", f"agent:{thing.pinned}"}
        return bool(self.paused & scopes)

    def may_start(self, thing: Thing) -> bool:
        """Whether no pause forbids it; one of its queue's agent holds nothing else of it."""
        return not self.is_paused(thing) and not (thing.queue == "test" and "agent:tester" in self.paused)

    def held_by(self, slot: SlotName) -> list[Thing]:
        """What a slot has in hand, in the order in which it was told."""
        return [self.things[id] for id in self.runs.get(slot, ()) if id in self.things]

    # -- what happens to a task

    def add(self, things: Iterable[Thing]) -> None:
        for thing in things:
            self.things[thing.id] = thing
        self.start_ready()

    def start_ready(self) -> None:
        """A plain task starts in the very trip that fulfils its last wait."""
        for thing in self.things.values():
            plain = thing.status == "pending" and thing.rule == "all_success"
            free = not thing.hold and thing.due is None and not thing.unsettled
            if plain and free and self.evaluate_rule(thing) == "run":
                thing.status = "ready"

    def end(self, thing: Thing, status: str, *, failed_before: bool = False) -> None:
        self.take_off(thing)
        thing.status, thing.due, thing.over_at = status, None, self.now
        thing.cancel_asked = thing.pause_asked = thing.asks = False
        thing.failed_before = failed_before
        self.start_ready()

    def go_on(self, thing: Thing, status: str, due: float | None = None) -> None:
        """An attempt ended, its task did not."""
        if thing.pause_asked:
            self.halt(thing, status if due else "pending", due)
        else:
            thing.status, thing.due = status, due

    def halt(self, thing: Thing, status: str, due: float | None) -> None:
        def left(moment: float | None) -> float | None:
            return None if moment is None else max(0.0, moment - self.now)

        thing.left = (status, left(due), left(thing.expires))
        thing.status, thing.due, thing.pause_asked = "paused", None, False

    def pause(self, thing: Thing) -> str:
        """The word of the answer."""
        if thing.status in OVER:
            return "conflict"
        if thing.status == "running" or thing.asks:
            thing.pause_asked = True
        elif thing.status != "paused":
            self.halt(thing, "retrying" if thing.status == "retrying" else "pending", thing.due)
        return "ok"

    def resume(self, thing: Thing) -> str:
        """The word of the answer."""
        if (thing.status == "running" or thing.asks) and thing.pause_asked:
            thing.pause_asked = False
            return "ok"
        if thing.asks:
            return "asks"
        if thing.status != "paused":
            return "conflict"
        thing.status, due, expires = thing.left
        thing.due = None if due is None else self.now + due
        thing.expires = None if expires is None else self.now + expires
        thing.is_vague = thing.is_vague or thing.due is not None  # one that is over needs no timer, or a late one
        self.start_ready()
        return "ok"

    def ask(self, thing: Thing) -> None:
        self.take_off(thing)
        behind = thing.pause_asked
        self.halt(thing, "pending", None)
        thing.pause_asked, thing.asks = behind, True

    def answer(self, thing: Thing) -> str:
        """The word of the answer."""
        if not thing.asks:
            return "conflict"
        behind, thing.asks, thing.pause_asked = thing.pause_asked, False, False
        return "ok" if behind else self.resume(thing)

    def set_hold(self, thing: Thing, held: bool) -> str:
        """The word of the answer."""
        if thing.status not in ("pending", "ready", "paused"):
            return "conflict"
        if held and not thing.hold and thing.status == "ready":
            thing.status = "pending"
        thing.hold = held
        self.start_ready()
        return "ok"

    def take_off(self, thing: Thing) -> None:
        """Its slot goes on with what else it has; one that has nothing more is free."""
        for slot, ids in list(self.runs.items()):
            if thing.id in ids:
                ids.remove(thing.id)
                if not ids:
                    self.free(slot)

    def free(self, slot: SlotName) -> None:
        for known in (self.runs, self.leases, self.missed):
            known.pop(slot, None)

    def start(self, slot: SlotName, id: str, attempt: int) -> str:
        """The slot was told to run a task; what is wrong with that, or ''."""
        thing = self.things.get(id)
        if thing is None:
            return f"{slot} was told to run {id}, which is not there"
        if id in self.runs.get(slot, ()) and thing.attempt == attempt and thing.status == "running":
            return ""  # a repeated answer
        if "ready" not in self.allowed(thing) and not thing.is_loose:
            return f"{slot} was told to run {thing}"
        if not self.may_start(thing):
            return f"{slot} was told to run {thing}, which is paused"
        if attempt != thing.attempt + 1:
            return f"{slot} was told attempt {attempt} of {thing}"
        thing.status, thing.attempt, thing.due = "running", attempt, None
        self.runs.setdefault(slot, []).append(id)
        self.leases[slot], self.missed[slot] = self.now + LEASE, 0
        return ""

    def lose(self, slot: SlotName, *, node_is_gone: bool = False) -> None:
        """Of several in hand nobody knows which was to blame: none counts."""
        held = self.held_by(slot)
        self.free(slot)
        counts = len(held) == 1 and not (node_is_gone and slot[0] in self.draining)
        for thing in held:
            thing.lost += counts
            if thing.cancel_asked:
                self.end(thing, "cancelled")
            elif counts and thing.lost >= MOST_LOST:
                self.end(thing, "failed")
            else:
                self.go_on(thing, "ready")

    def hand_back(self, thing: Thing) -> None:
        self.take_off(thing)
        if thing.cancel_asked:
            self.end(thing, "cancelled")
        else:
            self.go_on(thing, "ready")

    def report(self, thing: Thing, disposition: str, delay: float) -> None:
        if thing.cancel_asked:
            self.end(thing, "cancelled")
        elif disposition == "ask":
            self.ask(thing)
        elif disposition in ("retry", "not_now", "agent_not_now"):
            self.take_off(thing)
            thing.is_vague = self.is_paused(thing)
            self.go_on(thing, "retrying", self.now + delay)
        else:
            self.end(thing, "completed" if disposition == "completed" else "failed")

    def cancel(self, thing: Thing) -> str:
        """The word of the answer."""
        if thing.status in OVER:
            return "conflict"
        if thing.status == "running":
            thing.cancel_asked = True
            return "asked"
        self.end(thing, "cancelled")
        return "ok"

    def execute(self, thing: Thing) -> str:
        """The word of the answer."""
        if thing.status == "paused":
            return "conflict"
        if thing.status == "pending":
            thing.hold, thing.due = False, None
        self.start_ready()
        return "ok"

    def reopen(self, thing: Thing) -> str:
        """The word of the answer."""
        if thing.status not in BAD:
            return "conflict"
        if thing.rule == "all_success" and any(self.end_of(id) in BAD for id in thing.on):
            return "blocked"
        if thing.rule != "all_success" and thing.closed_by:
            return "blocked"
        self.open_again(thing)
        return "ok"

    def open_again(self, thing: Thing) -> None:
        thing.status, thing.due, thing.lost, thing.closed_by = "pending", None, 0, ""
        thing.may_reopen = thing.cancel_asked = thing.pause_asked = thing.failed_before = False
        thing.is_vague = thing.is_vague or thing.expires is not None  # its time may be over already
        for other in self.things.values():
            ruled = other.rule != "all_success"
            if thing.id in other.on and other.closed_by and (ruled or other.closed_by == thing.id):
                other.may_reopen = True
        self.start_ready()

    def depend(self, thing: Thing, on: Thing) -> str:
        """The word of the answer."""
        if on.id in thing.on:
            return "ok"
        if thing.status not in ("pending", "ready", "paused") or thing.attempt:
            return "conflict"
        thing.on.add(on.id)
        thing.status = "paused" if thing.status == "paused" else "pending"
        self.start_ready()
        return "ok"

    def forget(self, thing: Thing) -> None:
        self.gone[thing.id] = self.end_of(thing.id)
        del self.things[thing.id]

    # -- what passes

    def lapse(self) -> None:
        """Rescue: leases that are over."""
        for slot in [slot for slot, until in self.leases.items() if until <= self.now]:
            self.lose(slot, node_is_gone=True)

    def fire(self) -> None:
        """Timers that are due."""
        self.paused -= {scope for scope, ends in self.pause_ends.items() if ends <= self.now}
        for thing in self.things.values():
            if thing.status == "paused":
                continue
            if self.is_paused(thing) or thing.unsettled:  # its timers are put off
                thing.is_vague = thing.is_vague or thing.due is not None or thing.expires is not None
            if thing.is_vague:
                continue
            if thing.due is not None and thing.due <= self.now:
                thing.due = None
                if thing.status == "retrying":
                    thing.status = "ready"
            expired = thing.expires is not None and thing.expires <= self.now
            if expired and not thing.attempt and thing.status not in OVER:
                self.end(thing, "cancelled")
        self.start_ready()

    def think(self, closed_by: dict[str, str], before: set[str]) -> list[str]:
        """All that rules decide; *closed_by* is whom the engine blamed for what it closed, *before* what it says failed
        before it. What is wrong, in words.
        """
        wrong = []
        closed = []
        for thing in self.things.values():
            free = thing.status == "pending" and not thing.unsettled and not thing.hold and thing.due is None
            thing.is_raced = free and self.evaluate_rule(thing) == "run"
        moved = True
        while moved:
            moved = False
            for thing in self.things.values():
                if thing.may_reopen and thing.status == "cancelled":
                    thing.may_reopen = False
                    if thing.rule == "all_success" or self.evaluate_rule(thing) != "never":
                        self.open_again(thing)
                        moved = True
                if thing.status != "pending" or thing.unsettled:
                    continue
                disposition = self.evaluate_rule(thing)
                if disposition == "never":
                    self.end(thing, "cancelled", failed_before=thing.id in before)
                    closed.append(thing)
                    thing.closed_by = closed_by.get(thing.id) or "nobody"
                    if thing.closed_by not in thing.on:
                        wrong.append(f"{thing} was closed by none of its dependencies")
                    moved = True
                elif disposition == "run" and not thing.hold and thing.due is None:
                    thing.status = "ready"
                    moved = True
        for thing in self.things.values():
            if thing.is_loose:
                thing.failed_before = thing.id in before
        return wrong + [f"{thing} was blamed on another kind of end" for thing in closed if not self.is_right(thing)]

    def is_right(self, thing: Thing) -> bool:
        """Whether what was closed failed before it exactly if it was closed because of a failure."""
        if thing.closed_by not in thing.on or thing.status != "cancelled":
            return True
        culprit = self.end_of(thing.closed_by)
        return culprit not in OVER or thing.failed_before == (culprit == "failed" and thing.rule != "all_failed")

    def _adopt(self, thing: Thing, status: str) -> None:
        if status in OVER:
            self.end(thing, status, failed_before=thing.failed_before)
        elif thing.status in OVER:
            self.open_again(thing)
        if thing.status == "running" and status != "running":
            self.take_off(thing)
        if status != thing.status or status == "ready":
            thing.due = None
        thing.status, thing.unsettled = status, False
