"""What a node holds, seen from the parent: of several executions in one slot, which runs, and what waits behind it.

A slot looks after its own batch (:mod:`workers.batch`), unless the agent that runs holds the interpreter. So the parent
looks, too: when the same execution of a batch runs at two of its looks, half a second apart, those behind it are
handed back. Those before it have ended and wait for the slot to report them: only the slot has their outcomes.
"""

from __future__ import annotations

from collections.abc import Iterable

from taskengine.store.nodes import Held
from workers.process import Node
from workers.slot_table import key_of


class StalledBatches:
    """The slots of one node, as its last look found them."""

    def __init__(self, node: Node) -> None:
        self._node = node
        #: Slot -> what it holds, in the order in which it runs them.
        self._slots: dict[str, list[Held]] = {}
        #: Executions of batches that ran at the last look.
        self._ran: set[str] = set()

    def look(self, held: Iterable[Held]) -> tuple[list[Held], list[Held]]:
        """Return what may run now, by what is known here, and what to hand back: it waits behind one that ran before,
        too.
        """
        slots: dict[str, list[Held]] = {}
        for execution in held:
            slots.setdefault(execution.slot, []).append(execution)
        begun, waiting, ran = [], [], set()
        for mates in slots.values():
            if len(mates) == 1:
                begun += mates
                continue
            at = next((n for n, one in enumerate(mates) if self._runs(one)), None)
            if at is None:  # between two, or about to report
                continue
            begun.append(mates[at])
            ran.add(mates[at].execution_id)
            if mates[at].execution_id in self._ran:
                waiting += mates[at + 1 :]
        self._slots, self._ran = slots, ran
        return begun, waiting

    def beside(self, held: Held) -> list[Held]:
        """Return the others in the slot of *held*, at the last look: none of them outlives its process."""
        mates = self._slots.get(held.slot, [])
        return [one for one in mates if one.execution_id != held.execution_id]

    def _runs(self, held: Held) -> bool:
        if self._node.forks:
            key = key_of(held.execution_id)
            return any((pid, running) == (held.pid, key) for _, pid, running in self._node.slot_table.running())
        return held.execution_id in self._node.local.runs
