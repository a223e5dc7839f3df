"""Which modules a page loads, read from their imports: a browser that is told asks for all of them at once.

One that finds them by itself asks for those of the first, then for those of the second, and so on: six times one after
another for a run.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from html import escape

from pydantic_core import to_json

#: Folder of the modules; the first of them; where those lie that it asks for only when it knows the page.
_FOLDER, _FIRST, _PAGES = "js/", "js/main.js", "js/pages/"
_IMPORT = re.compile(rb"^(?:import|export)\b[^\"'();]*\"(\.[^\"]+)\"", re.MULTILINE)


def preloads(scripts: Mapping[str, bytes], assets: str) -> bytes:
    """Return the links in the head of the page to what every page loads; *assets*: what stands before a path."""
    paths = sorted(_reached(scripts, _FIRST) - {_FIRST})
    return "\n".join(f'<link rel="modulepreload" href="{assets}/{path}">' for path in paths).encode()


def modules(scripts: Mapping[str, bytes]) -> bytes:
    """Return of each page the modules that it loads beside those, as an attribute holds JSON: ``run/graph`` → paths."""
    always = _reached(scripts, _FIRST)
    found = {
        path.removeprefix(_PAGES).removesuffix(".js"): [each.removeprefix(_FOLDER) for each in sorted(more - always)]
        for path in sorted(scripts)
        if path.startswith(_PAGES)
        for more in (_reached(scripts, path),)
    }
    return escape(to_json(found).decode()).encode()


def _reached(scripts: Mapping[str, bytes], first: str) -> set[str]:
    """Return a module and all that it imports, at once and not only later."""
    found: set[str] = set()
    wanted = [first]
    while wanted:
        path = wanted.pop()
        found.add(path)
        wanted += set(_imports(path, scripts[path])) & scripts.keys() - found
    return found


def _imports(path: str, body: bytes) -> Iterable[str]:
    for name in _IMPORT.findall(body):
        yield posixpath.normpath(posixpath.join(posixpath.dirname(path), name.decode()))
