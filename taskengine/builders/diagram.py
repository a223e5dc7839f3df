"""A workflow as a Mermaid flowchart: what GitHub, GitLab and most editors draw from a text.

Tasks are boxes, waits and approvals are rounded, conditionals are diamonds; what holds others is a frame around them.
More than 300 nodes no eye can follow: then what lies deepest is drawn as one box that says how many steps it holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from taskengine.core.condition_text import asks
from taskengine.core.step_index import Place, StepIndex
from taskengine.models import (
    ConditionalStep,
    LoopStep,
    MapStep,
    StepStatus,
    SubWorkflowStep,
    WorkflowDefinition,
)

#: Nodes that are drawn.
MAX_NODES = 300
_SHAPES = {"conditional": '{{"{}"}}', "wait": '(["{}"])', "approval": '(["{}"])', "sub_workflow": '[["{}"]]'}
#: Room for the title of a frame, which the arrows into it would cross else.
_FIRST_LINES = ('%%{init: {"flowchart": {"subGraphTitleMargin": {"top": 4, "bottom": 14}}}}%%', "flowchart TD")
_COLOURS = {
    StepStatus.PENDING: "fill:#ffffff,stroke:#8c959f",
    StepStatus.RUNNING: "fill:#cfe8ff,stroke:#1f6feb",
    StepStatus.READY: "fill:#e6f2ff,stroke:#1f6feb",
    StepStatus.WAITING: "fill:#fff3c4,stroke:#b58100",
    StepStatus.RETRYING: "fill:#ffe2c2,stroke:#bc4c00",
    StepStatus.PAUSED: "fill:#eee0ff,stroke:#8250df",
    StepStatus.COMPLETED: "fill:#d2f4d9,stroke:#1a7f37",
    StepStatus.FAILED: "fill:#ffd7d5,stroke:#cf222e",
    StepStatus.CANCELLED: "fill:#e4e4e4,stroke:#57606a",
    StepStatus.SKIPPED: "fill:#f6f8fa,stroke:#8c959f,stroke-dasharray:4",
    StepStatus.NOT_TAKEN: "fill:#f6f8fa,stroke:#8c959f,stroke-dasharray:4",
}
#: Of what is written on a coloured box: a dark theme's own would not be seen there.
_INK = "color:#1f2328"
#: Arrows between two groups, above which they meet in one point.
MAX_CROSSING = 24
#: Letters of a label.
_LONGEST = 60


def mermaid(
    definition: WorkflowDefinition, states: Mapping[str, str] | None = None, done: Mapping[str, str] | None = None
) -> str:
    """Return the flowchart of a definition; for a workflow that runs *states* maps paths of steps to their status, and
    *done* those of loops and maps to how far they are.
    """
    return "\n".join(_Drawing(StepIndex(definition), states or {}, done or {}).lines()) + "\n"


@dataclass(slots=True)
class _Ends:
    """Where arrows into a step go to, and those out of it come from, each with what is written on it."""

    entries: list[str]
    exits: list[tuple[str, str]]


@dataclass(slots=True)
class _Drawing:
    index: StepIndex
    states: Mapping[str, str]
    done: Mapping[str, str]
    _numbers: dict[str, int] = field(default_factory=dict)
    _arrows: list[str] = field(default_factory=list)
    _classes: dict[str, list[str]] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        yield from _FIRST_LINES
        deepest = self._deepest()
        top = self.index.inside(None)
        scopes = [[p for p in top if p.location[0] == body] for body in ("steps", "finally_steps")]
        made: list[str] = []
        ends = [self._scope(scope, made, 1, deepest) for scope in scopes if scope]
        if len(ends) == 2:
            self._connect(ends[0].exits, ends[1].entries, dotted=True)
        yield from ("    " + line for line in (*made, *self._arrows, *self._styles()))

    def _deepest(self) -> int:
        """Return how many levels may be drawn."""
        levels = [1 + sum(1 for _ in place.above) for place in self.index.places]
        return next((most for most in range(32, 1, -1) if sum(level <= most for level in levels) <= MAX_NODES), 1)

    def _scope(self, scope: Sequence[Place], made: list[str], level: int, deepest: int) -> _Ends:
        """Draw siblings and the arrows between them."""
        shown = scope[:MAX_NODES]
        ends = {place.step.name: self._step(place, made, level, deepest) for place in shown}
        for place in shown:
            for name in place.before:
                if name in ends:
                    self._connect(ends[name].exits, ends[place.step.name].entries)
        waited_for = {name for place in shown for name in place.before}
        first = [place.step.name for place in shown if not any(name in ends for name in place.before)]
        last = [name for name in ends if name not in waited_for]
        found = _Ends([e for name in first for e in ends[name].entries], [e for n in last for e in ends[n].exits])
        return self._more(len(scope) - len(shown), found, made)

    def _more(self, left_out: int, ends: _Ends, made: list[str]) -> _Ends:
        if not left_out:
            return ends
        node = self._number(f"more of {len(made)}")
        made.append(f'{node}["… {left_out} more steps"]')
        self._connect(ends.exits, [node])
        return _Ends(ends.entries, [(node, "")])

    def _step(self, place: Place, made: list[str], level: int, deepest: int) -> _Ends:
        inner = self.index.inside(place)
        if isinstance(place.step, ConditionalStep) and level < deepest:
            return self._conditional(place, inner, made, level, deepest)
        if not inner or level >= deepest:
            held = sum(1 for _ in self.index.below(place)) - 1
            return self._box(place, made, f"{held} steps" if held else "")
        frame = self._number(f"frame {place.path}")
        made.append(f'subgraph {frame}["{", ".join(self._said(place))}"]')  # a title has one line
        ends = self._scope(inner, made, level + 1, deepest)
        made.append("end")
        self._mark(place, frame)
        if isinstance(place.step, LoopStep):
            # Of a loop of one step the title says enough, and an arrow to itself takes much room.
            last = [(node, "again") for node, _ in ends.exits if [node] != ends.entries]
            self._connect(last, ends.entries, dotted=True)
        return ends

    def _conditional(self, place: Place, inner: Sequence[Place], made: list[str], level: int, deepest: int) -> _Ends:
        diamond = self._box(place, made, "").entries[0]
        ends = _Ends([diamond], [])
        for word, body in (("yes", "true_steps"), ("no", "false_steps")):
            branch = [each for each in inner if each.location[-2] == body]
            if not branch:
                ends.exits.append((diamond, word))
                continue
            drawn = self._scope(branch, made, level + 1, deepest)
            self._connect([(diamond, word)], drawn.entries)
            ends.exits += drawn.exits
        return ends

    def _box(self, place: Place, made: list[str], more: str) -> _Ends:
        node = self._number(_key(place))
        shape = _SHAPES.get(place.step.kind, '["{}"]')
        made.append(node + shape.format("<br/>".join(filter(None, [*self._said(place), more]))))
        self._mark(place, node)
        return _Ends([node], [(node, "")])

    def _said(self, place: Place) -> list[str]:
        """What is written on a step."""
        parts = [escaped(place.step.name), _said(place)]
        if status := self.states.get(place.path):
            far = self.done.get(place.path)
            parts.append(f"<i>{escaped(', '.join(filter(None, [status.replace('_', ' '), far])))}</i>")
        return [part for part in parts if part]

    def _mark(self, place: Place, node: str) -> None:
        if (status := self.states.get(place.path)) in set(_COLOURS):
            self._classes.setdefault(str(status), []).append(node)

    def _connect(self, exits: Sequence[tuple[str, str]], entries: Sequence[str], *, dotted: bool = False) -> None:
        arrow = "-.->" if dotted else "-->"
        if len(exits) > 1 and len(exits) * len(entries) > MAX_CROSSING:
            joint = self._number(f"joint {len(self._arrows)}")
            self._arrows.append(f'{joint}((" "))')
            self._connect_each(exits, [joint], arrow)
            exits = [(joint, "")]
        self._connect_each(exits, entries, arrow)

    def _connect_each(self, exits: Sequence[tuple[str, str]], entries: Sequence[str], arrow: str) -> None:
        for node, word in exits:
            written = f"{arrow}|{word}|" if word else arrow
            self._arrows += [f"{node} {written} {entry}" for entry in entries]

    def _number(self, key: str) -> str:
        return f"n{self._numbers.setdefault(key, len(self._numbers))}"

    def _styles(self) -> Iterator[str]:
        for status, nodes in self._classes.items():
            yield f"classDef {status} {_COLOURS[StepStatus(status)]},{_INK}"
            yield f"class {','.join(nodes)} {status}"


def _key(place: Place) -> str:
    return " ".join(map(str, place.location))


def _said(place: Place) -> str:
    """What else is worth a line of a step."""
    match place.step:
        case ConditionalStep():
            return escaped(asks(place.step.condition))
        case LoopStep():
            return f"up to {place.step.max_iterations} turns"
        case MapStep():
            items = place.step.items
            return "for each of " + (escaped(items) if isinstance(items, str) else f"{len(items)} items")
        case SubWorkflowStep():
            workflow = place.step.workflow
            return escaped(workflow if isinstance(workflow, str) else workflow.name)
        case _:
            return "" if place.step.kind in ("task", "parallel", "sequential") else place.step.kind


def escaped(text: str) -> str:
    """Return a text that means nothing to Mermaid or HTML, on one line."""
    short = " ".join(text.split())
    short = short if len(short) <= _LONGEST else short[: _LONGEST - 1] + "…"
    return "".join(letter if letter.isalnum() or letter in " _.,:-/…" else f"#{ord(letter)};" for letter in short)
