"""What to say of a path that no route has: the one that was meant, where one is near."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from fastapi import Request
from starlette.routing import Match

from taskengine.api.problems import PLAIN
from taskengine.api.surface import PREFIX, ROWS

#: Characters of a path beyond which nobody looks for a near one.
_LONGEST = 200
_PATHS = [PREFIX + row.path for row in ROWS if not row.in_path]
_ROOTS = frozenset({"/api", PREFIX})


def nowhere(request: Request) -> str:
    """Return the sentence for whoever asked for it."""
    path = request.url.path
    meant = _meant(request, path) if len(path) <= _LONGEST else None
    return f"No route has this path; {meant}" if meant else PLAIN[404][1]


def _meant(request: Request, path: str) -> str | None:
    for known in _alike(path):
        if _is_known(request, known):
            return f"you may mean {known}"
    if path.rstrip("/").lower() in _ROOTS:
        return "/docs shows those that there are, /openapi.json lists them for programs."
    near = get_close_matches(path, _PATHS, 1, 0.8)
    return f"did you mean {near[0]}? /openapi.json lists all." if near else None


def _alike(path: str) -> Iterator[str]:
    """Yield it without a slash at its end, in small letters, with what stands before all verbs, and without."""
    for each in dict.fromkeys((path.rstrip("/"), path.rstrip("/").lower())):
        yield each
        yield each.removeprefix(PREFIX) if each.startswith(PREFIX) else PREFIX + each


def _is_known(request: Request, path: str) -> bool:
    """Whether a route has it, whatever its method; the page's own, which stands at /, is no answer."""
    asked = {**request.scope, "path": path, "raw_path": path.encode()}
    return path not in {"", "/"} and any(
        route.matches(asked)[0] is not Match.NONE for route in request.app.router.routes
    )
