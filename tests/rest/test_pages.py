"""The page as files: how they are kept, what a browser may do with them, and what they must not hold."""

from __future__ import annotations

import json
import re
from html import unescape

import httpx2
import pytest

from taskengine.api.surface import ROWS
from taskengine.rest.pages import CONTENT_POLICY, shelf

FILES = shelf().files
SCRIPTS = sorted(path for path in FILES if path.endswith(".js"))
#: Ways from a string to markup or code.
_WAYS = re.compile(
    rb"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|srcdoc)\b"
    rb"|\beval\s*\(|\bnew\s+Function\b|\bset(Timeout|Interval)\s*\(\s*[\"'`]|javascript:"
)
_ADDRESS = re.compile(rb"\b(?:https?|wss?|ftp):?//[^\s\"'`)]*|[\"'`(=]//[a-z][^\s\"'`)]*")
#: Names that stand in files and are never fetched.
_NAMES = {b"http://www.w3.org/2000/svg"}


async def test_the_page_is_asked_for_anew_and_its_files_are_kept_for_ever(anybody: httpx2.AsyncClient) -> None:
    page = await anybody.get("/")
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-cache")
    assert page.headers["content-security-policy"] == CONTENT_POLICY
    addresses = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert len(addresses) >= 3
    for address in addresses:
        got = await anybody.get(address)
        assert (got.status_code, got.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
        assert got.headers["x-content-type-options"] == "nosniff"


async def test_a_file_that_is_there_already_is_not_sent_again(anybody: httpx2.AsyncClient) -> None:
    tag = (await anybody.get("/")).headers["etag"]
    again = await anybody.get("/", headers={"If-None-Match": f'"other", {tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert (await anybody.get("/", headers={"If-None-Match": '"other"'})).status_code == 200


async def test_a_file_is_packed_for_who_unpacks_it(anybody: httpx2.AsyncClient) -> None:
    address = f"/assets/{shelf().version}/style.css"
    packed = await anybody.get(address, headers={"Accept-Encoding": "gzip"})
    plain = await anybody.get(address, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content == FILES["style.css"].body


@pytest.mark.parametrize(
    "address",
    [
        "/assets/{version}/js/none.js",
        "/assets/other/style.css",
        "/assets/{version}/index.html",
        "/assets/{version}/..%2f..%2fapp.py",
        "/assets/{version}/%2e%2e/pages.py",
        "/assets/{version}//etc/passwd",
    ],
)
async def test_nothing_but_the_files_of_this_version_is_served(anybody: httpx2.AsyncClient, address: str) -> None:
    got = await anybody.get(address.format(version=shelf().version))
    assert (got.status_code, got.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", SCRIPTS)
def test_no_file_makes_markup_or_code_from_a_string(path: str) -> None:
    assert _WAYS.findall(FILES[path].body) == []


@pytest.mark.parametrize("path", sorted(FILES))
def test_no_file_names_another_host(path: str) -> None:
    assert set(_ADDRESS.findall(FILES[path].body)) - _NAMES == set()


def _imports(path: str) -> set[str]:
    """Files that a script asks for, at once or later."""
    found = set()
    for name in re.findall(rb"(?:from|import|URL)\s*\(?\s*\"(\.[^\"]+)\"", FILES[path].body):
        whole: list[str] = []
        for part in f"{path.rpartition('/')[0]}/{name.decode()}".split("/"):
            if part == "..":
                whole.pop()
            elif part != ".":
                whole.append(part)
        found.add("/".join(whole))
    return found


@pytest.mark.parametrize("path", SCRIPTS)
def test_every_file_that_a_script_imports_is_there(path: str) -> None:
    assert _imports(path) - FILES.keys() == set()


def _at_once(path: str, known: set[str]) -> set[str]:
    """A script and those that it cannot run without."""
    known.add(path)
    for name in re.findall(rb"^(?:import|\}) .*from \"(\.[^\"]+)\";$", FILES[path].body, re.MULTILINE):
        for wanted in _imports(path):
            if wanted.endswith(name.decode().lstrip("./")) and wanted not in known:
                _at_once(wanted, known)
    return known


@pytest.mark.parametrize("page", [path for path in SCRIPTS if path.startswith("js/pages/")])
def test_a_browser_is_told_of_every_script_of_a_page_before_it_finds_it(page: str) -> None:
    html = FILES["index.html"].body.decode()
    first = set(re.findall(r'(?:href|src)="/assets/\w+/(js/[^"]+)"', html))
    told = re.search(r'name="modules" content="([^"]+)"', html)
    assert told is not None
    more = json.loads(unescape(told[1]))[page.removeprefix("js/pages/").removesuffix(".js")]
    assert _at_once("js/main.js", set()) <= first
    assert first | {f"js/{each}" for each in more} == first | _at_once(page, set())


@pytest.mark.parametrize("page", [path for path in SCRIPTS if re.fullmatch(r"js/pages/\w+\.js", path)])
def test_what_a_browser_loads_for_a_page_with_all_its_views_is_small(page: str) -> None:
    wanted, loaded = [page], {"index.html", "style.css", "canvas.css", "js/main.js"}
    wanted += [path for path in _imports("js/main.js") if not path.startswith("js/pages/")]
    while wanted:
        path = wanted.pop()
        wanted += _imports(path) - loaded - {path}
        loaded.add(path)
    assert sum(len(FILES[path].packed) for path in loaded) <= 70 * 1024


#: What the page asks for that is no verb of the client: indices of a picture, and its login.
_ITS_OWN = (("GET", "/runs/{run_id}/nodes/{i}"), ("GET", "/runs/{run_id}/nodes"), ("DELETE", "/session"))
_ASKED = re.compile(r'\b(?:ask\(")?(get|post|PATCH|PUT|DELETE)(?:\(|", )["`](/[^"`]*)')


def test_whatever_the_page_asks_for_is_a_row_of_the_table() -> None:
    rows = [(row.verb, row.path) for row in ROWS] + list(_ITS_OWN)
    asked = {found for path in SCRIPTS for found in _ASKED.findall(shelf().files[path].body.decode())}
    assert len(asked) > 30
    for verb, path in asked:
        wanted = re.compile(".+".join(re.escape(part) for part in re.split(r"\$\{[^}]*\}", path)))
        assert any(verb.upper() == other and wanted.fullmatch(there) for other, there in rows), (verb, path)
