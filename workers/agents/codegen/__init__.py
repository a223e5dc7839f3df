"""The agent type ``codegen``: runs tasks at Codegen by its REST API, and holds no slot while they run there.

A run is posted once, whatever dies. The service keeps no idempotency key, so an *intent* is written down before the
post, and its mark goes into the metadata of the run. Who takes the task next looks for that mark in the list of runs,
and looks again a while later before it posts, for the post of an attempt that was killed may still be on its way. (By a
*not now*, so by the server's clock: two machines need not agree on the time.) The mark is that of the intent and not of
the task: a retry after an answer is another run of the same task.

``executor`` posts, asks and stops. ``looks`` says which pages of the list to read for many runs. ``states`` says what a
run of the service means. ``client`` is the wire, under what the service allows. (Rejected: the ``codegen`` package. It
needs other Pythons, has no timeouts, sleeps in the calling thread, and may silently use another organisation. Functions
that use it are served: :mod:`workers.adoption`.)
"""

from workers.agents.codegen.executor import Codegen

__all__ = ["Codegen"]
