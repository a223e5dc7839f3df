"""Recorded scientific workflows, replayed in a thousandth of their time: how good the schedule is."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchmarks.figure import Figure, Must
from benchmarks.replay import Trace
from benchmarks.run import Run, moments
from benchmarks.stack import Stack

_SLOTS = 8
_SCALE = 0.001
#: A longer replay tells nothing more.
_LONGEST_BOUND = 30.0
#: Beginning of a trace's name -> makespan ÷ lower bound that it must keep.
_MUST = {"1000genome": 1.12, "montage-chameleon-dss-15d": 1.12, "epigenomics": 1.25}


def measure(stack: Stack) -> Iterator[Figure]:
    """Makespan ÷ lower bound of each trace in the folder; nothing without ``--traces``."""
    folder = stack.options.traces
    if folder is None:
        return
    stack.fleet("threads", _SLOTS)
    for path in sorted(folder.glob("*.json")):
        trace = Trace.read(path, _SCALE)
        if trace.bound(_SLOTS) > stack.size(_LONGEST_BOUND, 3.5):
            print(f"skipped {trace.name}: not shorter than {trace.bound(_SLOTS):.0f} s", file=sys.stderr)
            continue
        yield _replay(stack, trace)


def _replay(stack: Stack, trace: Trace) -> Figure:
    ratios = [
        _makespan(stack, stack.run(trace.tasks())) / trace.bound(_SLOTS) for _ in range(stack.options.rounds)
    ]
    limit = next((most for name, most in _MUST.items() if trace.name.startswith(name)), None)
    about = stack.describe() | {
        "pool": f"threads {_SLOTS}", "tasks": len(trace.parents), "scale": _SCALE,
        "bound_seconds": round(trace.bound(_SLOTS), 3), "all": [round(ratio, 3) for ratio in ratios],
    }  # fmt: skip
    must = None if limit is None else Must("value", "<=", limit)
    return Figure(f"traces.{trace.name}", min(ratios), "makespan ÷ bound", must=must, config=about)


def _makespan(stack: Stack, done: Run) -> float:
    """Seconds from the commit to the last end, by the server's clock."""
    client = stack.client
    run_id = str(client.raw.hget(client.keys.of("task", done.ids[0]), "run"))
    committed = int(client.raw.hget(client.keys.of("run", run_id), "cr") or 0)
    return (max(end for (end,) in moments(client, done.ids, "fin")) - committed) / 1000
