"""What the shell completes besides words: ids, capabilities, agents, of a server that runs and answers at once.

Where commands speak to a server of REST, that one is asked (:mod:`taskengine.cli.afar`).

Whatever goes wrong completes nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import typer
from rich.markup import escape

from taskengine.agents import types
from taskengine.api.context import OperationContext
from taskengine.api.operations import find, workflow_read
from taskengine.cli import afar
from taskengine.cli.nearby import ask
from taskengine.core.step_index import StepIndex
from taskengine.models import ApprovalStep, Task
from taskengine.models.enums import TriggerRule
from taskengine.store import agents as stored_agents
from taskengine.store import by_moment, dead_letters, nodes, quarantine, tasks
from taskengine.store import limits as stored_limits
from taskengine.store import runs as stored_runs
from taskengine.store import workflows as stored_workflows
from taskengine.store.call import Operation
from taskengine.store.keys import Keys
from taskengine.store.sync import SyncStore

#: What a shell reads as more than text.
_ACTIVE = frozenset("\\\"'`$")
_PLAIN = re.compile(r"[\w.:@/+-]{1,100}")
#: Looked through, newest first, and offered.
_LOOKED, _OFFERED = 500, 30
#: How names of files with a definition end.
_FILES = {".json", ".yaml", ".yml"}
#: Digits of an id by which all are searched.
_ENOUGH = 4
Offers = list[tuple[str, str]]
_OPEN = ("running", "retrying", "ready", "pending", "paused")
#: Command -> the states in which tasks are of use to it; all of them where it is not named.
_MEANT = {
    "retry": ("failed", "cancelled"), "delete": ("completed", "failed", "cancelled"), "cancel": _OPEN, "pause": _OPEN,
    "update": _OPEN, "set-priority": _OPEN, "resume": ("paused",), "hold": ("pending", "ready"),
    "release": ("pending",),
}  # fmt: skip


def task_ids(incomplete: str) -> Offers:
    """Newest tasks whose id begins so."""
    return _tasks(incomplete, ())


def meant_ids(context: typer.Context, incomplete: str) -> Offers:
    """Tasks that the command in *context* can do something to."""
    return _tasks(incomplete, _MEANT.get(context.info_name or "", ()))


def dead_ids(incomplete: str) -> Offers:
    """Ids of dead letters that begin like this, for completion."""
    if afar.is_meant():
        return _begun(afar.dead(), incomplete)
    _, found = ask(lambda store: store.run(dead_letters.find(None, 0, _LOOKED))) or (None, [])
    return _named([one.id for one in found], incomplete)


def quarantined_ids(incomplete: str) -> Offers:
    """Quarantined messages, the newest."""
    def newest(store: SyncStore) -> Offers:
        keys = Keys(store.settings.namespace)
        count = store.run(quarantine.count(keys))
        stored = store.run(quarantine.piece(keys, count, quarantine.PIECE)) if count else []
        return [(one.message.id, _told(one.message.reason[:60])) for one in stored]

    if afar.is_meant():
        return _begun(afar.quarantined(), incomplete)
    return [(id, help) for id, help in ask(newest) or [] if id.startswith(incomplete)]


def trigger_rules(incomplete: str) -> Offers:
    """Return the names of the trigger rules, for completion."""
    return [(rule.value, "") for rule in TriggerRule if rule.value.startswith(incomplete.lower())]


def capabilities(incomplete: str) -> Offers:
    """Queues that workers serve, or that tasks wait in."""
    known = afar.queues() if afar.is_meant() else _queues_nearby()
    return [
        (queue, f"{ready} ready")
        for queue, ready in sorted(known.items())
        if queue.startswith(incomplete) and not queue.startswith("@")
    ]


def _queues_nearby() -> dict[str, int]:
    fleet = ask(lambda store: store.run(nodes.fleet()))
    if fleet is None:
        return {}
    served = {queue: 0 for node in fleet.nodes for queue in node.queues}
    return served | {queue.name: queue.ready for queue in fleet.queues}


def agents(incomplete: str) -> Offers:
    """Agents that are registered, and those of live workers."""
    known = afar.agents() if afar.is_meant() else _agents_nearby()
    return [(name, "") for name in sorted(known) if name.startswith(incomplete)]


def _agents_nearby() -> set[str]:
    fleet = ask(lambda store: store.run(nodes.fleet()))
    live = [] if fleet is None else [node for node in fleet.nodes if node.alive]
    known = set(ask(lambda store: store.run(stored_agents.names(Keys(store.settings.namespace)))) or [])
    return known | {agent for node in live for agent in node.queues.values()}


def limits(incomplete: str) -> Offers:
    """Limits, with how many agents share each."""
    if afar.is_meant():
        return _begun(afar.limits(), incomplete)
    found = ask(lambda store: store.run(stored_limits.every_limit())) or []
    return [(one.name, f"{one.agents} agents") for one in found if one.name.startswith(incomplete)]


def agent_types(incomplete: str) -> Offers:
    """Names of agent types that are installed here."""
    return [(name, "") for name in types.known_types() if name.startswith(incomplete)]


def run_ids(incomplete: str) -> Offers:
    """Return the newest graphs whose id begins so."""
    return _runs(incomplete, names=False)


def runs(incomplete: str) -> Offers:
    """Return the newest graphs whose id or name begins so; a name once."""
    return _runs(incomplete, names=True)


def workflow_ids(incomplete: str) -> Offers:
    """Return the newest workflows whose id begins so."""
    return _runs(incomplete, names=False, among="workflows")


def workflows(incomplete: str) -> Offers:
    """Return the newest workflows whose id or name begins so; a name once."""
    return _runs(incomplete, names=True, among="workflows")


def definitions(incomplete: str) -> Offers:
    """Files that may hold a workflow, folders on the way, and names of registered ones."""
    above, slash, begun = incomplete.rpartition("/")
    files: list[str] = []
    with suppress(OSError):
        for each in sorted(Path(above + slash or ".").iterdir()):
            if each.name.startswith(begun) and (each.is_dir() or each.suffix.lower() in _FILES):
                files.append(above + slash + each.name + ("/" if each.is_dir() else ""))
    names = ask(lambda store: store.run(stored_workflows.names(Keys(store.settings.namespace)))) or []
    found = [name for name in names if name.startswith(incomplete) and _PLAIN.fullmatch(name)]
    return [*((file, "") for file in files[:_OFFERED]), *((name, "registered") for name in found[:_OFFERED])]


def approvals(context: typer.Context, incomplete: str) -> Offers:
    """Paths of the approvals in the workflow that the command line names."""
    def paths(store: SyncStore) -> list[str]:
        scope = OperationContext(Keys(store.settings.namespace), store.settings, time.monotonic)
        id = store.run(find.find_run(scope, str(context.params.get("id") or "")))
        places = StepIndex(store.run(workflow_read.get_workflow(scope, id))).places
        return [place.path for place in places if isinstance(place.step, ApprovalStep)]

    found = afar.approvals(str(context.params.get("id") or "")) if afar.is_meant() else ask(paths)
    return [(path, "") for path in found or [] if path.startswith(incomplete)][:_OFFERED]


def _runs(incomplete: str, *, names: bool, among: str = "graphs") -> Offers:
    def newest(keys: Keys) -> Operation[list[stored_runs.StoredRun | None]]:
        entries = yield from by_moment.newest(keys.fixed(among), _LOOKED)
        return (yield from stored_runs.read([entry.id for entry in entries]))

    def nearby() -> list[afar.Named]:
        stored = ask(lambda store: store.run(newest(Keys(store.settings.namespace)))) or []
        over = ((run, f"{run.total - run.open} of {run.total} over") for run in stored if run)
        return [afar.Named(run.id, run.name, f"{run.name[:40]} {says}".strip()) for run, says in over]

    found = nearby() if not afar.is_meant() else afar.graphs() if among == "graphs" else afar.workflows()
    offers = _begun(found, incomplete.lower())
    if names:
        # Only what stands on a command line as it is: shells put an offer there unquoted.
        plain = (run.name for run in found if run.name.startswith(incomplete) and _PLAIN.fullmatch(run.name))
        named = dict.fromkeys(plain)
        offers += [(name, "the newest of that name") for name in list(named)[:_OFFERED]]
    return offers


def _tasks(incomplete: str, statuses: Sequence[str]) -> Offers:
    if afar.is_meant():
        return _shown(afar.tasks(incomplete, statuses)[:_OFFERED], statuses)
    digits = incomplete.lower().replace("-", "")

    def newest(store: SyncStore) -> list[str]:
        if len(digits) >= _ENOUGH and not digits.strip("0123456789abcdef"):
            return store.run(tasks.begin_alike(digits[:32], _OFFERED))
        indexes = [[f"s:{status}"] for status in statuses] or [[]]
        return [id for index in indexes for id in store.run(tasks.find(0, _LOOKED, index))[1]]

    return _named(ask(newest) or [], incomplete, statuses)


def _named(ids: Sequence[str], incomplete: str, statuses: Sequence[str] = ()) -> Offers:
    wanted = [id for id in ids if id.startswith(incomplete.lower())][:_OFFERED]
    found = ask(lambda store: store.run(tasks.read(wanted))) if wanted else None
    return _shown([task for task in found or [] if task], statuses)


def _shown(found: Sequence[Task], statuses: Sequence[str]) -> Offers:
    return [
        (str(task.id), _told(f"{task.name[:40]} {task.status.value}"))
        for task in found
        if not statuses or task.status.value in statuses
    ]


def _begun(found: Sequence[afar.Named], incomplete: str) -> Offers:
    return [(each.id, _told(each.says)) for each in found if each.id.startswith(incomplete)][:_OFFERED]


def _told(text: str) -> str:
    """Return what people wrote as help beside an offer: Typer reads it as markup, and zsh evaluates it."""
    return escape("".join(char if char.isprintable() and char not in _ACTIVE else " " for char in text))


def _alone(offers: Callable[[str], Offers]) -> Callable[[typer.Context, str], Offers]:
    """Return the same of what needs to know nothing of the command."""
    return lambda _, incomplete: offers(incomplete)


_ALONE = (
    agent_types, agents, capabilities, dead_ids, definitions, limits, quarantined_ids, run_ids, runs, task_ids,
    trigger_rules, workflow_ids, workflows,
)  # fmt: skip
#: What commands name in ``autocompletion`` (:func:`taskengine.cli.lazy.offers`).
OFFERS: Mapping[str, Callable[[typer.Context, str], Offers]] = {
    "meant_ids": meant_ids, "approvals": approvals, **{each.__name__: _alone(each) for each in _ALONE},
}  # fmt: skip
