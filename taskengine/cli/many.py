"""One verb for several tasks: named by id, or found by filter with a dry run and a count that grows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from taskengine.api import BlockingTaskAPI
from taskengine.cli import changes, tasks
from taskengine.cli.moments import coming
from taskengine.cli.output import answer, console, wants_json
from taskengine.cli.place import asking, place
from taskengine.errors import InvalidInputError
from taskengine.models import BulkResult

Verb: TypeAlias = Callable[..., BulkResult]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which tasks a command line means."""

    ids: tuple[str, ...]
    #: As the API takes them.
    filters: Mapping[str, Any]
    everything: bool
    dry_run: bool

    @property
    def by_id(self) -> bool:
        """Whether ids were given; InvalidInputError when both or nothing was."""
        if self.ids and (self.filters or self.everything or self.dry_run):
            raise InvalidInputError("ids and filters together; give one or the other", field="ids")
        if not self.ids and not self.filters and not self.everything:
            raise InvalidInputError("no task is meant; give ids, a filter such as --status, or --all", field="ids")
        return bool(self.ids)


def cancel(which: Chosen, *, reason: str | None) -> int:
    """Cancel tasks."""
    if which.by_id:
        return tasks.cancel(which.ids, reason=reason)
    told = {} if reason is None else {"reason": reason}
    return _by_filter(which, "cancelled", lambda api: api.cancel_tasks, **told)


def pause(which: Chosen, *, reason: str | None, until: str | None) -> int:
    """Pause tasks by name."""
    told: dict[str, Any] = {"reason": reason, "until": None if until is None else coming(until, "--until")}
    if which.by_id:
        return _by_id(which, "paused", lambda api, id: _yes(api.pause_task(id, **told)))
    return _by_filter(which, "paused", lambda api: api.pause_tasks, **told)


def resume(which: Chosen) -> int:
    """Let tasks go on."""
    if which.by_id:
        return _by_id(which, "resumed", lambda api, id: api.resume_task(id))
    return _by_filter(which, "resumed", lambda api: api.resume_tasks)


def hold(which: Chosen) -> int:
    """Hold tasks back."""
    if which.by_id:
        return _by_id(which, "held", lambda api, id: api.hold_task(id))
    return _by_filter(which, "held", lambda api: api.hold_tasks)


def release(which: Chosen) -> int:
    """Release held tasks."""
    if which.by_id:
        return _by_id(which, "released", lambda api, id: api.release_task(id))
    return _by_filter(which, "released", lambda api: api.release_tasks)


def retry(which: Chosen, *, wait: bool, timeout: float | None) -> int:
    """Open tasks again."""
    if which.by_id and len(which.ids) == 1:
        return tasks.retry(which.ids[0], wait=wait, timeout=timeout)
    if wait:
        raise InvalidInputError("--wait follows one task; name it alone", field="wait")
    if which.by_id:
        return _by_id(which, "opened again", lambda api, id: _yes(api.retry_task(id, wait=False)))
    return _by_filter(which, "opened again", lambda api: api.retry_tasks)


def set_priority(which: Chosen, *, level: str) -> int:
    """Give tasks another priority."""
    priority = tasks.priority(level)
    if which.by_id:
        what = f"set to {level}"
        return _by_id(which, what, lambda api, id: _yes(api.update_task(id, priority=priority)))
    return _by_filter(which, f"set to {level}", lambda api: api.update_tasks, new_priority=priority)


def delete(which: Chosen, *, cascade: bool) -> int:
    """Delete tasks."""
    if which.by_id:
        return changes.delete(which.ids, cascade=cascade)
    if cascade:
        raise InvalidInputError("--cascade deletes by id; cancel by filter first, then delete", field="cascade")
    return _by_filter(which, "deleted", lambda api: api.delete_tasks)


def _yes(_answer: object) -> bool:
    """Whatever a call answered, it did what it was asked: a refusal raises."""
    return True


def _by_id(which: Chosen, what: str, verb: Callable[[BlockingTaskAPI, str], bool]) -> int:
    """Tell each named task; 1 if one was so already."""
    done = []
    with asking() as api:
        for id in which.ids:
            changed = verb(api, id)
            done.append({"id": id, "done": changed, "status": api.get_task(id).status.value})
    answer(done, "\n".join(_line(one, what) for one in done))
    return 0 if all(one["done"] for one in done) else 1


def _line(one: Mapping[str, Any], what: str) -> str:
    return f"{one['id']} {what if one['done'] else f'needed not to be {what}'}, is {one['status']}"


def _by_filter(which: Chosen, what: str, verb: Callable[[BlockingTaskAPI], Verb], **told: Any) -> int:
    """Tell every task that the filter finds, and say how many; 0 also when there is none."""
    wanted = {**which.filters, **told, "everything": which.everything}
    with asking() as api:
        if which.dry_run:
            done = verb(api)(dry_run=True, **wanted)
        else:
            done = _shown(lambda **seen: verb(api)(**wanted, **seen), what)
    answer(done.model_dump(mode="json"), _summary(done, what))
    return 0


def _shown(verb: Verb, what: str) -> BulkResult:
    """Run *verb*, with a bar on a terminal once it is known how much there is."""
    screen = console(stderr=True)
    if wants_json() or not screen.is_terminal:
        return verb()
    total = verb(dry_run=True).matched
    columns = TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=screen, transient=True) as bar:
        row = bar.add_task(what, total=total)
        return verb(progress=lambda so_far: bar.update(row, completed=so_far.matched))


def _summary(done: BulkResult, what: str) -> Text:
    verb = f"would be {what}" if done.dry_run else what
    lines = [f"{done.done} of {done.matched} tasks {verb}"]
    lines += [f"  {count} left as they are: {why}" for why, count in sorted(done.skipped.items())]
    if done.dry_run and done.ids:
        more = ", …" if done.done > len(done.ids) else ""
        lines.append(f"  {', '.join(map(str, done.ids))}{more}")
    if not done.matched:
        lines.append(f"  ({place()})")
    return Text("\n".join(lines))
