"""Leading by a lease: one coordinator at a time, known by its term, and careful after an outage.

The lease lies in Redis and lapses on the server's clock; every fenced script checks both the term and the
lapse. So a leader that was frozen, cut off or slow does nothing wrong when it comes back: its calls answer
``stale``.

An *outage* is a time in which worker nodes could not renew their leases either: the server was away,
restarted or frozen. Afterwards leases look lapsed that are not, and :meth:`Leader.distrusts_for` says so for
one full lease. It is noticed by the only witness there is, the coordinator's own renewals: a gap between two
of them, or a server that is not the one that answered before. A coordinator that has just started has seen
nothing and trusts nothing yet. A frost that begins after that check and before the script is caught by the
lapse: it is far shorter than a lease.

Its weakness: a coordinator that froze alone takes this for an outage too, and finds dead workers one lease
later.
"""

from __future__ import annotations

import logging

from taskengine.coordinator.duty import Store
from taskengine.settings import Settings
from taskengine.store import coordination, fleet_settings
from taskengine.store.coordination import Server
from taskengine.store.schema import refuse_other_form

_log = logging.getLogger(__name__)

#: Shares of the leader's lease: from one renewal to the next, and the gap that tells of an outage.
_RENEWAL = 1 / 3
_GAP = 3 / 4


class Leader:
    """One coordinator's part in the leadership. *now* is always seconds on the loop's own clock."""

    def __init__(self, id: str, settings: Settings) -> None:
        self.id = id
        #: The term in which this coordinator leads; None while another one does.
        self.term: str | None = None
        self._settings = settings
        #: When to say again what its settings are.
        self._tells_at = float("-inf")
        self._lease_seconds = settings.leader_seconds
        self._worker_lease_seconds = settings.lease_seconds
        self._ask_at = float("-inf")
        self._seen_at: float | None = None
        self._server: Server | None = None
        self._clear_at = float("inf")

    def asks_in(self, now: float) -> float:
        """Seconds until the term must be asked for or renewed; negative when it is overdue."""
        return self._ask_at - now

    def ask(self, store: Store, now: float) -> bool:
        """Take or renew the term; whether a new one began. SchemaMismatchError where another version has led."""
        server = store.run(coordination.server())
        answer = store.run(coordination.elect(self.id, round(self._lease_seconds * 1000), self._settings.digest))
        self._ask_at = now + self._lease_seconds * _RENEWAL
        if answer.word == "schema":
            refuse_other_form(answer.number())
        if not answer.ok:
            self._follow(answer.text(), answer.number(1) / 1000, now)
            self._witness(server, now, lapsed=False)
            return False
        term = answer.text()
        began = term != self.term
        # Leading before and now in another term: the lease lapsed in between, whatever our own clock says.
        self._witness(server, now, lapsed=began and self.term is not None)
        self.term = term
        if began:
            _log.info("leads id=%s term=%s", self.id, term)
        self._tell_settings(store, now)
        return began

    def _tell_settings(self, store: Store, now: float) -> None:
        if now >= self._tells_at:
            self._tells_at = now + fleet_settings.AGAIN_SECONDS
            store.run(fleet_settings.put(self._settings))

    def distrusts_for(self, now: float) -> float:
        """Seconds until a lapsed lease means a dead worker again; 0 or less when it does."""
        if self._seen_at is None or now - self._seen_at > self._lease_seconds * _GAP:
            return self._worker_lease_seconds
        return self._clear_at - now

    def fenced(self) -> None:
        """Hear that a script refused the term: ask again before anything else."""
        _log.warning("refused id=%s term=%s: it may not lead any more", self.id, self.term)
        self._ask_at = float("-inf")

    def resign(self, store: Store) -> None:
        """Give the term up, so that a standby follows at once."""
        if self.term is not None:
            store.run(coordination.resign(self.id))
            _log.info("resigned id=%s term=%s", self.id, self.term)
            self.term = None

    def _follow(self, leader: str, lapses_in: float, now: float) -> None:
        if self.term is not None:
            _log.warning("superseded id=%s term=%s leader=%s", self.id, self.term, leader)
        self.term = None
        # A little behind the lapse: the server counts whole milliseconds.
        self._ask_at = min(self._ask_at, now + lapses_in + 0.002)

    def _witness(self, server: Server, now: float, *, lapsed: bool) -> None:
        before, seen_at = self._server, self._seen_at
        self._server, self._seen_at = server, now
        if before is None or seen_at is None:
            cause = "start"
        elif server.run_id != before.run_id or server.uptime_seconds < before.uptime_seconds:
            cause = "restart of the server"
        elif lapsed or now - seen_at > self._lease_seconds * _GAP:
            cause = "gap"
        else:
            return
        self._clear_at = now + self._worker_lease_seconds
        _log.info("waits before it rescues id=%s seconds=%g cause=%s", self.id, self._worker_lease_seconds, cause)
