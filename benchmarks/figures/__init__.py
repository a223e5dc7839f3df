"""Every figure by its name on the command line; heavy ones last, they leave a large server behind."""

from collections.abc import Callable, Iterator, Mapping

from benchmarks.figure import Figure
from benchmarks.figures import (
    chain,
    claude,
    codegen,
    fan,
    flat,
    large,
    latency,
    layered,
    limits,
    lists,
    memory,
    page,
    page_viewers,
    pause,
    processor,
    rest,
    rest_listeners,
    short,
    submit,
    testing,
    traces,
    watch,
    workflow_chain,
    workflow_decisions,
    workflow_loop,
    workflow_map,
    workflow_waiting,
)
from benchmarks.stack import Stack

FIGURES: Mapping[str, Callable[[Stack], Iterator[Figure]]] = {
    "traces": traces.measure,
    "latency": latency.measure,
    "flat": flat.measure,
    "fan": fan.measure,
    "chain": chain.measure,
    "layered": layered.measure,
    "processor": processor.measure,
    "short": short.measure,
    "submit": submit.measure,
    "testing": testing.measure,
    "rest": rest.measure,
    "memory": memory.measure,
    "pause": pause.measure,
    "limits": limits.measure,
    "watch": watch.measure,
    "rest.listeners": rest_listeners.measure,
    "claude": claude.measure,
    "codegen": codegen.measure,
    "workflow.chain": workflow_chain.measure,
    "workflow.decisions": workflow_decisions.measure,
    "workflow.waiting": workflow_waiting.measure,
    "workflow.map": workflow_map.measure,
    "workflow.loop": workflow_loop.measure,
    "large": large.measure,
    "page.viewers": page_viewers.measure,
    "lists": lists.measure,
    "page": page.measure,
}

#: Words that mean several figures: what stands before the dot of their names.
GROUPS = tuple(dict.fromkeys(name.partition(".")[0] for name in FIGURES if "." in name))
