"""A server of REST: whether it lets one in, and what it finds where its store is."""

from __future__ import annotations

from collections.abc import Iterator

from taskengine.cli.place import asking
from taskengine.errors import TaskEngineError
from taskengine.models.finding import Finding, ok, wrong
from taskengine.settings import Settings

#: As what the client calls it where it does not answer.
_ABOUT = "server of REST"


def examine(settings: Settings, *, deep: bool) -> Iterator[Finding]:
    """Yield what the server finds; a server that does not answer, or refuses us, is a finding."""
    try:
        with asking() as api:
            found = api.examine(deep)
    except TaskEngineError as exc:
        yield wrong(_ABOUT, str(exc), "correct --url or TASKENGINE_URL, and TASKENGINE_API_KEY")
        return
    if all(each.about != _ABOUT for each in found):
        yield ok(_ABOUT, f"{settings.url} answers")
    yield from found
