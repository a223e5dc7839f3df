"""The files of the page on a port of their own, and a browser that runs laws written in their language."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from selenium import webdriver

from taskengine.rest.pages import CONTENT_POLICY, shelf

LAWS = Path(__file__).with_name("laws.js")
_RUN = """
const [assets, name, done] = arguments;
globalThis.ASSETS = assets;
import("/laws.js").then((laws) => laws[name]()).then(() => done(""), (error) => done(String(error.stack ?? error)));
"""


class _Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = shelf().files.get(self.path.removeprefix("/assets/"))
        body, kind = b"<!doctype html><title>laws</title>", "text/html"
        if found is not None:
            body, kind = found.body, found.kind
        elif self.path == "/laws.js":
            body, kind = LAWS.read_bytes(), "text/javascript"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", CONTENT_POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def law_runner(browser: webdriver.Chrome) -> Iterator[Callable[[str], str]]:
    """``law_runner(name)``: what a law says that does not hold; nothing if it holds."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    browser.set_script_timeout(60)
    browser.get(f"http://127.0.0.1:{server.server_port}/")
    yield lambda name: browser.execute_async_script(_RUN, "/assets", name)
    server.shutdown()
    server.server_close()
