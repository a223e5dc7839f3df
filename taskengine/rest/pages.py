"""The page: plain files of the package, served so that a browser asks for each once a version.

Nothing is read while requests come: the files are in memory, so a path is a name in a table and never one of the disk.
The address of a file holds a digest of them all, by which it may be kept for ever; ``/`` alone is asked for anew.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Request, Response

from taskengine.rest import modules
from taskengine.rest.problems import HttpError

router = APIRouter(include_in_schema=False)

#: What stands in ``index.html`` where the address of the other files belongs.
_PLACE = b"{assets}"
_INDEX = "index.html"
_KINDS: Mapping[str, str] = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
#: Scripts, styles and answers of this server alone, no text that becomes markup, in nobody's frame.
CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types taskengine",
    )
)
_LOCKED: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
}
_COMMENTS = re.compile(
    rb"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*\n|^[ \t]*//[^\n]*\n|/\*\* @(?:type|param)\b[^*]*\*/ ?", re.DOTALL | re.MULTILINE
)
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class File:
    """One file of the page, as it is sent."""

    body: bytes
    packed: bytes
    kind: str
    #: As an ``ETag`` writes it.
    tag: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """All files by their path, and the digest of them that stands in their address."""

    version: str
    files: Mapping[str, File]


@cache
def shelf() -> Shelf:
    """Return the files of the package."""
    found = {path: _bare(entry.read_bytes(), path) for path, entry in _walk(files("taskengine.rest") / "page")}
    digest = hashlib.sha256()
    for path in sorted(found):
        digest.update(f"{path}\0{len(found[path])}\0".encode() + found[path])
    version = digest.hexdigest()[:12]
    found[_INDEX] = _index(found, f"/assets/{version}")
    return Shelf(version, {path: _file(path, body) for path, body in found.items()})


def _index(found: Mapping[str, bytes], assets: str) -> bytes:
    """Fill in where the other files are, and which modules each page loads."""
    scripts = {path: body for path, body in found.items() if path.endswith(".js")}
    page = found[_INDEX].replace(_PLACE, assets.encode()).replace(b"{modules}", modules.modules(scripts))
    return page.replace(b"{preloads}", modules.preloads(scripts, assets))


def _bare(body: bytes, path: str) -> bytes:
    """Leave out comments that fill lines, and types beside code: a third of what would be sent.

    No text of a script spans lines (a test holds that), so what begins a line with a comment's marks is one.
    """
    return _COMMENTS.sub(b"", body) if path.endswith((".js", ".css")) else body


def _walk(folder: Traversable, before: str = "") -> Iterable[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{before}{entry.name}/")
        elif entry.name.rpartition(".")[2] in _KINDS:
            yield f"{before}{entry.name}", entry


def _file(path: str, body: bytes) -> File:
    tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    return File(body, gzip.compress(body, mtime=0), _KINDS[path.rpartition(".")[2]], tag)


@router.api_route("/", methods=["GET", "HEAD"])
async def page(request: Request) -> Response:
    """Answer with the page; it asks for a key itself when it needs one."""
    return _sent(request, shelf().files[_INDEX], "no-cache")


@router.api_route("/assets/{version}/{path:path}", methods=["GET", "HEAD"])
async def asset(request: Request, version: str, path: str) -> Response:
    """Answer with a file of the page; one of another version is gone, for its siblings may have changed with it."""
    found = shelf().files.get(path)
    if found is None or version != shelf().version or path == _INDEX:
        raise HttpError(404, "no such file of the page; load it again")
    return _sent(request, found, _FOR_EVER)


def _sent(request: Request, file: File, keeping: str) -> Response:
    headers = {**_LOCKED, "ETag": file.tag, "Cache-Control": keeping, "Vary": "Accept-Encoding"}
    if file.tag in (each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=file.kind)
    return Response(file.body, headers=headers, media_type=file.kind)
