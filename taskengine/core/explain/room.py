"""Why no host starts a task that demands something: what is taken, or more than any of them has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from taskengine.core.demand import for_people, in_units, stored
from taskengine.core.explain.inputs import ExplainInputs
from taskengine.core.peaks import compared
from taskengine.models.explanation import Fact
from taskengine.models.host import HostInfo
from taskengine.models.task import Task

#: Hosts that a sentence names.
_NAMED = 3
_Demand = Mapping[str, int]


def demand_of(task: Task, inputs: ExplainInputs) -> dict[str, int]:
    """Return thousandths that an execution of it reserves, by itself and by the agents that would run it."""
    return {**inputs.share, **stored(task.resource_requirements)}


def room_facts(task: Task, inputs: ExplainInputs) -> Iterator[Fact]:
    """Yield one fact of a task that waits for room, or that no living host could ever hold."""
    demand = demand_of(task, inputs)
    if not demand or not inputs.hosts:
        return
    able = [host for host in inputs.hosts if _lacks(demand, _milli(host.total)) is None]
    details = {
        "demand": {name: milli / 1000 for name, milli in demand.items()},
        "hosts": [host.model_dump(mode="json") for host in (able or inputs.hosts)[:_NAMED]],
    }
    if not able:
        yield Fact(kind="too_large", text=_too_large(demand, inputs.hosts), details=details)
    elif inputs.queue_view.park.startswith("room:"):
        text = f"it waits for {for_people(demand)}: {_taken(demand, able)}"
        yield Fact(kind="room", text=text, details=details)


def used_facts(task: Task, inputs: ExplainInputs) -> Iterator[Fact]:
    """Yield what tasks like it used beside what it reserves."""
    if text := compared(demand_of(task, inputs), inputs.peak):
        yield Fact(kind="reserved", text=text)


def _lacks(demand: _Demand, there: _Demand) -> str | None:
    """Return the first resource of which there is too little."""
    return next((name for name, milli in sorted(demand.items()) if there.get(name, 0) < milli), None)


def _milli(units: Mapping[str, float]) -> dict[str, int]:
    return {name: round(amount * 1000) for name, amount in units.items()}


def _free(host: HostInfo) -> dict[str, int]:
    used = _milli(host.reserved)
    return {name: milli - used.get(name, 0) for name, milli in _milli(host.total).items()}


def _too_large(demand: _Demand, hosts: Sequence[HostInfo]) -> str:
    for name, milli in sorted(demand.items()):
        largest = max(hosts, key=lambda host: host.total.get(name, 0))
        has = round(largest.total.get(name, 0) * 1000)
        if not has:
            return (
                f"it needs {in_units(milli)} {name}; no living host has any; a worker tells it by "
                f"TASKENGINE_RESOURCES={name}={in_units(milli)}"
            )
        if has < milli:
            return f"it needs {in_units(milli)} {name}; the largest host has {in_units(has)} ({largest.name})"
    return f"it needs {for_people(demand)}; no living host has all of that at once"


def _taken(demand: _Demand, able: Sequence[HostInfo]) -> str:
    """Return what keeps each host from taking it, the ones that lack least first."""
    said = []
    for host in able[:_NAMED]:
        free = _free(host)
        name = _lacks(demand, free)
        if name is None and host.kept_for:
            said.append(f"host {host.name} is kept free for {host.kept_for}")
        elif name is None:
            said.append(f"host {host.name} has room, and a slot there that gets free takes it")
        else:
            has = f"{in_units(max(0, free[name]))} of {in_units(round(host.total[name] * 1000))} {name} free"
            said.append(f"host {host.name} has {has}")
    others = len(able) - _NAMED
    return ", ".join(said) + (f", and {others} others" if others > 0 else "")
