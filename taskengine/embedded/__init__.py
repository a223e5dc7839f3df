"""The server that nobody has to install: a Valkey of one's own, started by the first process that needs it.

Why our own launcher: the package that carries the binary also has server classes, but they persist nothing,
lock nothing, write the configuration readable for all and orphan the server when their parent is killed.

Three flocks below ``Settings.home`` say everything; the kernel drops each with its holder, also at kill -9:

- ``start.lock``, exclusive, for moments: held by whoever joins, starts or stops, so none of these can race.
- ``users.lock``, shared, for the life of every process that called :func:`ensure`. Who can take it
  exclusively is the last one out, and stops the server. A killed user just leaves; the watchdog, a small process beside
  the server, notices that nobody is left, and starts a server that was killed itself for those who are
  (:mod:`taskengine.embedded.watchdog`). Users that find the server away see to it that there is a watchdog.
- ``server.lock``, exclusive, held by the server process itself through an inherited descriptor. Held means
  that a server lives on this data, whatever became of its pid, its socket and our note: there is never a
  second one on the same append-only file.

The socket lies in a short private folder (its path is limited to about 100 bytes, a project's is not), noted
in ``server.json``. The path survives the server: after a kill the next one listens where running workers look
for it. The server daemonizes: it is nobody's child, so neither the death of the process that happened to be
first nor its clean-up of children reaches it.

A forked child shares its parent's descriptor and thereby its lock: the server stays while the child lives.
But the child is no user until it calls :func:`ensure` itself: its end, and its :func:`release`, stop nothing.
"""

from taskengine.embedded.report import EmbeddedStatus, status
from taskengine.embedded.users import ensure, keep, release

__all__ = ["EmbeddedStatus", "ensure", "keep", "release", "status"]
