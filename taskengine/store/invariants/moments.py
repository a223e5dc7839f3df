"""What is noted of when neighbours were created, against the tasks themselves."""

from __future__ import annotations

from taskengine.store import inspection
from taskengine.store.call import Operation
from taskengine.store.fields import TaskField
from taskengine.store.invariants.walk import Walk

#: How many arrivals a note is of, by its kind.
_SIZES = ((256, "one of 16"), (4096, "all"))


def check_moments(walk: Walk) -> Operation[None]:
    """No task was created outside of the moments that are noted; where not all neighbours are counted nothing is."""
    arrivals = int((yield from inspection.text_of(walk.keys.fixed("arrivals"))) or 0)
    noted: dict[str, dict[str, str]] = {}
    for segment in walk.names.get("moments", ()):
        noted[segment] = yield from inspection.hash_of(walk.keys.of("moments", segment))
    for task in walk.tasks.values():
        arrival, created = task.number(TaskField.arrival), task.number(TaskField.created)
        for size, kind in _SIZES:
            place = kind if kind == "all" else str(arrival // size % 16)
            low, _, rest = noted.get(str(arrival // 4096), {}).get(place, "0 0 0").partition(" ")
            high, count = rest.split()
            first = arrival // size * size
            there = min(arrivals, first + size - 1) - max(1, first) + 1
            if int(count) == there and not int(low) <= created <= int(high):
                walk.say("index", task.id, f"created at {created}, its neighbours from {low} to {high}")
