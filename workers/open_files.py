"""How many files and sockets this process may have open: a threads pool of a thousand slots needs thousands."""

from __future__ import annotations

import logging
import resource

logger = logging.getLogger(__name__)


def raise_open_files() -> None:
    """Take as many as the system allows this process; for ever, and for its children too. Never raises."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard or soft == resource.RLIM_INFINITY:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError) as exc:  # some systems name more than they give
        logger.info("the limit of open files stays at %d: %s", soft, exc)


def open_files() -> int:
    """Return how many this process may have open; a very large number where there is no limit."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 2**31 if soft == resource.RLIM_INFINITY else soft
