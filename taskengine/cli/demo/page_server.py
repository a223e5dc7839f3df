"""The server of the demo's page when it ends by itself: no task needs it, so the demo goes on and starts it again."""

from __future__ import annotations

from dataclasses import dataclass, field

from taskengine.cli.child import Child
from taskengine.cli.demo.screen import Screen
from taskengine.cli.readiness import Readiness
from taskengine.cli.restarts import Restarts
from taskengine.cli.stack import SERVER, Stack


@dataclass(slots=True)
class PageServer:
    """Looks after one part of the stack, now and then."""

    stack: Stack
    screen: Screen
    readiness: Readiness
    #: It has answered once: from then on it is started again, whatever ended it.
    was_up: bool = False
    _restarts: Restarts = field(default_factory=Restarts)

    def keep_up(self) -> None:
        """Start it again if it ended; say so, and that there is none where it cannot start at all."""
        found = next((child for child in self.stack.children if child.name == SERVER), None)
        if found is None or found.exit_code is None:
            return
        if not self._restarts.knows(found):
            self._say_end(found)
        for child in self._restarts.take_due([found]):
            child.kill()  # what it left behind
            self.stack.start_again(child)
            self.screen.say("The page's server is started again.")

    def _say_end(self, server: Child) -> None:
        if not self.was_up and (server.exit_code or 0) >= 0:
            log = self.stack.log(server.name)
            said = f"The page's {server.name} {server.end}, {log} says why: going on without the page."
            self.readiness.http_port = None
            self.stack.leave_out(server)
        else:
            delay = self._restarts.note_end(server)
            said = f"The page's {server.name} {server.end}: starting it again in {delay:g} s."
        self.screen.say(said)
