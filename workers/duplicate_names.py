"""Workers of one host that were given one name by hand: in Flower each hides the other."""

from __future__ import annotations

import logging
import os

from taskengine.store import nodes
from workers.process import Node

logger = logging.getLogger(__name__)


def warn_of_duplicate_names(node: Node) -> None:
    """Say that a living worker has this one's name; both work all the same, each as a node of its own.

    One that ended without a word looks alive for a lease, so this is no reason to refuse a start.
    """
    store = node.connect()
    try:
        fleet = store.run(nodes.fleet())
    finally:
        store.close()
    for other in fleet.nodes:
        hostname, _, start = other.name.rpartition("#")
        is_another = start.partition("-")[0] != str(os.getpid())  # after a SIGHUP the process is the same
        if other.alive and not other.draining and hostname == node.hostname and is_another:
            logger.warning(
                "another worker is called %s, too (%s): Flower shows the two as one; give each a --name of its own "
                "(or it was killed a moment ago: then this is over in %g s)",
                node.hostname, other.name, node.settings.lease_seconds,
            )  # fmt: skip
