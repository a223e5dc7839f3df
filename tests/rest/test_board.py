"""A board folded event by event is the board that is read later, whatever happened in between and whoever joined."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from taskengine.core.lifecycle import TASK_TRANSITIONS
from taskengine.core.replay import MOVES
from taskengine.models import Event, TaskStatus
from taskengine.rest.board import DIGITS, Board, in_order
from taskengine.store.runs import StoredRun
from taskengine.store.sketches import Sketch

RUN = StoredRun("run", 1_000_000, "", "", 0, 0, None)
BEGAN = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=1000)
_WORDS = {status: word for word, status in MOVES.items() if word not in {"created", "reopened", "resumed"}}


class Run:
    """A run as the store has it: records, and the history of what made them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.rows: list[Sketch] = []

    def happens(self, word: str, at: int) -> None:
        sequence = len(self.events) + 1
        self.events.append(Event(sequence, word, UUID(int=at), BEGAN + timedelta(milliseconds=sequence), ""))

    def add(self, on: Sequence[int]) -> None:
        at = len(self.rows)
        after = " ".join(self.rows[each % at].id for each in on) if at else ""
        self.rows.append(Sketch(str(UUID(int=at)), str(10 * at), "pending", "", "", "", "lint", f"t{at}", after))
        self.happens("created", at)

    def move(self, at: int, choice: int) -> None:
        row = self.rows[at % len(self.rows)]
        start = TaskStatus(row.status)
        finish = sorted(TASK_TRANSITIONS[start])[choice % len(TASK_TRANSITIONS[start])]
        over = TASK_TRANSITIONS[start] == {TaskStatus.PENDING}
        self.happens("reopened" if over else _WORDS[finish], at % len(self.rows))
        ms = str(RUN.created_ms + len(self.events))
        moment = {"ready": "ready_ms", "running": "started_ms"}.get(
            finish, "finished_ms" if TASK_TRANSITIONS[finish] == {TaskStatus.PENDING} else ""
        )
        row = row._replace(status=finish.value, **({"finished_ms": ""} if over else {}))
        self.rows[at % len(self.rows)] = row._replace(**{moment: ms}) if moment else row

    def board(self) -> Board:
        return Board(RUN, self.rows, len(self.events))


def follow(board: Board, run: Run) -> None:
    """Let a board hear what it has not heard, as far as the run has come."""
    events = run.events[board.seq :]
    needed = board.needs(events)
    assert board.fold(events, [row for row in run.rows if row.id in needed]) is not None


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.lists(st.integers(0, 99), max_size=3))))
def test_a_board_that_followed_is_the_board_that_is_read_later(steps: list[tuple[int, int, list[int]]]) -> None:
    run = Run()
    run.add([])
    followed, seen = run.board(), list[tuple[int, int]]()
    for what, choice, on in steps:
        seen.append((followed.seq, len(followed)))
        if what == 0:
            run.add(on)
        else:
            run.move(choice, what)
        if what % 3 == 0:
            follow(followed, run)
    follow(followed, run)
    assert json.loads(followed.graph()) == json.loads(run.board().graph())
    for seq, size in seen:  # whoever left then is told of all that is another
        moved = {int(each.task_id or 0) for each in run.events[seq:]}
        assert set(followed.changed_since(seq)) == moved
        assert followed.first_made_since(seq) == size


def test_a_task_that_was_opened_again_and_cancelled_before_it_began_shows_no_start() -> None:
    run = Run()
    run.add([])
    followed = run.board()
    ways = ("ready", "running", "failed", "pending", "ready", "cancelled")
    for now, finish in zip(("pending", *ways), ways, strict=False):
        run.move(0, sorted(TASK_TRANSITIONS[TaskStatus(now)]).index(TaskStatus(finish)))
    follow(followed, run)
    for board in (followed, run.board()):
        told = json.loads(board.graph())
        assert (told["status"], told["start"]) == (DIGITS["cancelled"], [-1])
        assert told["ready"][0] < told["end"][0]


@given(st.lists(st.lists(st.integers(0, 20), max_size=3), max_size=20), st.randoms(use_true_random=False))
def test_tasks_stand_behind_what_they_wait_for_and_else_as_they_arrived(graph: list[list[int]], random: object) -> None:
    ids = [str(UUID(int=at)) for at in range(len(graph))]
    random.shuffle(ids)  # type: ignore[attr-defined]  # a Random, says hypothesis
    rows = [
        Sketch(id, "0", "pending", "", "", "", "q", "n", " ".join(ids[d] for d in on if d < at))
        for at, (id, on) in enumerate(zip(ids, graph, strict=True))
    ]
    assert list(in_order(rows)) == rows
    place = {row.id: at for at, row in enumerate(in_order(rows[::-1]))}
    assert all(place[d] < place[row.id] for row in rows for d in row.depends_on.split())
