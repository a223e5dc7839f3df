"""Questions about runs: which there are, how they stand, and when they are over."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from uuid import UUID

from taskengine.api.arguments import Id, cursor_at, id_text, number, place_of, seconds, text
from taskengine.api.context import OperationContext
from taskengine.api.operations.ask import MAX_PAGE, MAX_SEARCHES, list_tasks
from taskengine.api.operations.wait import until_over
from taskengine.core.lifecycle import TERMINAL
from taskengine.errors import NotFoundError, WaitTimeoutError
from taskengine.models import Run, RunPage, TaskStatus
from taskengine.store import history, runs
from taskengine.store.by_moment import Entry
from taskengine.store.call import Operation
from taskengine.store.codec import moment
from taskengine.store.connect import LONGEST_BLOCK
from taskengine.store.runs import STEPS, StoredRun

#: Characters of a run's name.
LONGEST_NAME = 500


def get_run(run_id: Id) -> Operation[Run]:
    """One run with the counts of its tasks; NotFoundError when there is none."""
    id = id_text(run_id, "run_id")
    (stored,) = yield from runs.read([id])
    if stored is None:
        raise NotFoundError("run", id)
    (counts,) = yield from runs.counts([id])
    return _run(stored, counts)


def wait_run(context: OperationContext, run_id: Id, timeout: float | None) -> Operation[Run]:
    """Return a run once all of its tasks are over; WaitTimeoutError says how many are not."""
    most = seconds(timeout)
    deadline = None if most is None else context.clock() + most
    while (run := (yield from get_run(run_id))).finished_at is None:
        left = None if deadline is None else deadline - context.clock()
        if left is not None and left <= 0:
            says = f"{run.open_tasks} of {run.total_tasks} tasks of run {run.id} did not end within {most:g} s"
            raise WaitTimeoutError([str(run.id)], most or 0, says=says)
        yield from _until_something_ends(context, str(run.id), left)
    return run


def _until_something_ends(context: OperationContext, id: str, left: float | None) -> Operation[None]:
    """Wait for an open task: the one that came last, behind which there is least to come."""
    task = yield from _last_open(id)
    if task is not None:
        with suppress(WaitTimeoutError, NotFoundError):  # how the run stands then is asked next
            yield from until_over(context, [task], left)
        return
    seen = yield from history.last_sequence(context.keys, id)  # steps alone are open, or its tasks are being stored
    block = LONGEST_BLOCK if left is None else min(LONGEST_BLOCK, left)
    yield from history.follow(context.keys, {id: seen}, 1, block)


def _last_open(run: str) -> Operation[str | None]:
    for status in TaskStatus:
        if status not in TERMINAL:
            page = yield from list_tasks(
                status=status, task_type=None, priority=None, assigned_to=None, created_by=None, metadata=None,
                run_id=run, capability=None, asking=False, limit=1, after=None,
            )  # fmt: skip
            if page:
                return str(page[0].id)
    return None


def list_runs(
    *,
    name: str | None,
    created_by: str | None,
    finished: bool | None,
    limit: int,
    after: str | None,
) -> Operation[RunPage]:
    """One page of the graphs that meet every filter, newest first; short where it would search for longer."""
    most, place = number(limit, "limit", 1, MAX_PAGE), place_of(after)
    wanted = None if name is None else text(name, "name", LONGEST_NAME)
    by = None if created_by is None else text(created_by, "created_by")
    found: list[tuple[Entry, StoredRun]] = []
    more, searches = True, 0
    while more and len(found) <= most and searches < MAX_SEARCHES:  # one more than asked tells whether there is more
        place, entries = yield from runs.find(
            place, most + 1 - len(found), name=wanted or "", created_by=by or "", finished=finished
        )
        seen = yield from runs.read([entry.id for entry in entries])
        found += [(at, run) for at, run in zip(entries, seen, strict=True) if run and by in (None, run.created_by)]
        more, searches = place is not None, searches + 1
    counts = yield from runs.counts([run.id for _, run in found[:most]])
    last = found[most - 1][0] if len(found) > most else place
    return RunPage(map(_run, (run for _, run in found[:most]), counts), cursor_at(last) if last else None)


def _run(stored: StoredRun, counts: Mapping[str, int]) -> Run:
    created = moment(stored.created_ms)
    assert created is not None
    steps = counts.get(STEPS, 0)
    by_status = {TaskStatus(status): n for status, n in counts.items() if status != STEPS}
    # A graph that was committed a moment ago: its last tasks are not in the run's ranges yet.
    to_come = stored.total - steps - sum(by_status.values())
    if to_come > 0:
        by_status[TaskStatus.PENDING] = by_status.get(TaskStatus.PENDING, 0) + to_come
    return Run(
        id=UUID(stored.id),
        name=stored.name or None,
        created_by=stored.created_by or None,
        created_at=created,
        finished_at=moment(stored.finished_ms),
        total_tasks=stored.total - steps,
        open_tasks=sum(n for status, n in by_status.items() if status not in TERMINAL) if steps else stored.open,
        counts={status: by_status[status] for status in TaskStatus if status in by_status},
    )
