"""One thread that leads, listens and gives each duty its turn.

A *context* of the loop is one of three things: ask for (or renew) the term, run the duty that is due first, or,
with nothing due, wait for a hint. Every turn is short, so the term is renewed in time however much work there
is. Whatever a turn raises ends that turn alone. While Redis is away the loop knocks at least once a second;
the lease lapses meanwhile, and with the new term everything is read from Redis again.

Time is this loop's monotonic clock, passed down; whatever is stored is stamped by the server.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event

from taskengine import embedded
from taskengine.coordinator.duties import (
    Aging,
    Batches,
    Commits,
    Deadlines,
    Decisions,
    Grant,
    Hosts,
    Prune,
    Releases,
    Remote,
    Rescue,
    Timers,
    Unpark,
    Withdraw,
)
from taskengine.coordinator.duty import Duty, DutyContext, Store
from taskengine.coordinator.leader import Leader
from taskengine.coordinator.schedule import Schedule
from taskengine.errors import SchemaMismatchError, StoreError, StoreUnavailableError
from taskengine.settings import Settings
from taskengine.store import coordination
from taskengine.store.keys import Keys

_log = logging.getLogger(__name__)

#: A duty's turn ends after this share of the leader's lease: three of them fit between two renewals.
_SLICE = 1 / 10
_LONGEST_SLICE = 0.5
#: Seconds before a duty that raised gets its next turn, doubled each time up to the longest.
_AFTER_RAISE = 0.1
_LONGEST_AFTER_RAISE = 5.0
#: Seconds between two knocks at a server that is away, doubled each time up to the longest.
_AFTER_OUTAGE = 0.05
_LONGEST_AFTER_OUTAGE = 1.0
_OLDEST = "0"


class Coordinator:
    """Leads whenever nobody else does; start as many as wanted."""

    def __init__(
        self, store: Store, settings: Settings, id: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.leader = Leader(id, settings)
        self._store = store
        self._settings = settings
        self._keys = Keys(settings.namespace)
        self._clock = clock
        self._slice = min(_LONGEST_SLICE, settings.leader_seconds * _SLICE)
        #: When the server went away; None while it answers.
        self._away_since: float | None = None
        self._knock_in = _AFTER_OUTAGE
        self._start_anew()

    def run(self, stop: Event) -> None:
        """Coordinate until *stop* is set, then give the term up.

        Raises nothing that a turn raised but SchemaMismatchError: a newer version has led meanwhile.
        """
        _log.info("started id=%s", self.leader.id)
        while not stop.is_set():
            try:
                self._step(stop)
                self._found_server()
            except StoreUnavailableError as exc:
                stop.wait(self._lost_server(exc))
            except SchemaMismatchError:
                raise
            except Exception as exc:
                stop.wait(self._raised(exc))
        self._resign()
        _log.info("stopped id=%s", self.leader.id)

    def run_all(self) -> None:
        """Give every duty a turn, due or not, and another while hints or unmade decisions ask for it.

        For a thread that is the whole fleet (:mod:`taskengine.testing`): it leads alone and never waits, and its
        clock may stand still. What a duty raises leaves this method.
        """
        now = self._clock()
        if self.leader.asks_in(now) <= 0 and self.leader.ask(self._store, now):
            self._start_anew()
        if self.leader.term is None:
            return
        self._schedule.hurry_all(now)
        while True:
            duty, due = self._schedule.next()
            if due <= now:
                self._run(duty, self.leader.term)
            elif self._decisions.left_some or self._listen(0.0):
                # What else would wait a moment, in which no time passes here.
                for again in (self._grant, self._decisions, self._releases):
                    self._schedule.hurry(again, now)
            else:
                return

    def _start_anew(self) -> None:
        """Forget everything but the leadership: what a new term must read from Redis again."""
        self._grant, self._decisions, self._releases = Grant(), Decisions(), Releases()
        hinted = (self._grant, self._decisions, self._releases)
        swept = (Withdraw(), Rescue(self.leader), Remote(), Timers(), Commits(), Batches(), Unpark(), Hosts(), Prune())
        duties: tuple[Duty, ...] = (*hinted, *swept, Aging(), Deadlines())
        self._schedule = Schedule(duties, self._clock())
        self._running: Duty | None = None
        self._raises: dict[Duty, int] = {}
        self._wake_from = self._decisions_from = _OLDEST

    def _step(self, stop: Event) -> None:
        now = self._clock()
        asks_in = self.leader.asks_in(now)
        if asks_in <= 0:
            if self.leader.ask(self._store, now):
                self._start_anew()
            return
        if self.leader.term is None:
            stop.wait(asks_in)
            return
        duty, due = self._schedule.next()
        if due <= now:
            self._run(duty, self.leader.term)
        elif due - now <= Grant.pause:
            self._listen_for_decisions(due - now)  # hints that come meanwhile are one
        else:
            self._listen(min(due - now, asks_in))

    def _run(self, duty: Duty, term: str) -> None:
        start = self._clock()
        context = DutyContext(self._store, self._keys, self._settings, term, self._clock, ends=start + self._slice)
        self._running = duty
        wants_in = duty.run_once(context)
        self._running = None
        self._raises.pop(duty, None)
        self._schedule.put(duty, self._clock() + wants_in)
        if context.fenced:
            self.leader.fenced()

    def _listen(self, seconds: float) -> bool:
        """Wait for a hint; whether one came."""
        before = (self._wake_from, self._decisions_from)
        heard = self._store.run(
            coordination.listen(self._keys, self._wake_from, self._decisions_from, seconds)
        )
        if heard.queues:
            self._grant.hear(heard.queues)
            self._schedule.hurry(self._grant, self._grant.ran_at + Grant.pause)
        self._wake_from = heard.wake_from
        self._heard_decisions(heard.decisions_from)
        return before != (self._wake_from, self._decisions_from)

    def _listen_for_decisions(self, seconds: float) -> None:
        """Wait for a decision alone, as long as a grant is put off: what is to be decided does not wait with it."""
        asks = coordination.listen_for_decisions(self._keys, self._decisions_from, seconds)
        self._heard_decisions(self._store.run(asks))

    def _heard_decisions(self, until: str) -> None:
        """Hurry those who decide, where something came since; *until* is the latest entry."""
        if until != self._decisions_from:
            self._schedule.hurry(self._decisions, self._clock())
            self._schedule.hurry(self._releases, self._clock())
        self._decisions_from = until

    def _found_server(self) -> None:
        if self._away_since is not None:
            seconds = self._clock() - self._away_since
            _log.info("found server id=%s away_seconds=%.1f", self.leader.id, seconds)
            self._away_since = None
            self._knock_in = _AFTER_OUTAGE

    def _lost_server(self, exc: StoreUnavailableError) -> float:
        """Say so once, and see that it comes back if it is ours; seconds to wait before the next knock."""
        embedded.keep(self._settings)
        if self._away_since is None:
            self._away_since = self._clock()
            _log.warning("lost server id=%s error=%s", self.leader.id, exc)
        self._running = None
        self._knock_in = min(_LONGEST_AFTER_OUTAGE, 2 * self._knock_in)
        return self._knock_in

    def _raised(self, exc: Exception) -> float:
        """Blame the duty in turn and plan its next one; seconds to wait before going on."""
        duty, self._running = self._running, None
        times = self._raises.get(duty, 0) + 1 if duty else 1
        name = duty.name if duty else "loop"
        # One trace says it all, and what Redis refuses needs none.
        trace = None if times > 1 or isinstance(exc, StoreError) else exc
        _log.error("raised id=%s duty=%s error=%r", self.leader.id, name, exc, exc_info=trace)
        if duty is None:
            return _LONGEST_AFTER_OUTAGE
        duty.blame(exc)
        self._raises[duty] = times
        self._schedule.put(duty, self._clock() + min(_LONGEST_AFTER_RAISE, _AFTER_RAISE * 2 ** (times - 1)))
        return 0.0

    def _resign(self) -> None:
        try:
            self.leader.resign(self._store)
        except StoreError as exc:
            _log.warning("kept the term id=%s error=%s; it lapses by itself", self.leader.id, exc)
