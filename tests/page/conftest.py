"""One browser and one site for all tests of the page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from selenium import webdriver

from ..conftest import Valkey
from .screen import Screen
from .site import LACKING, Site

_LACKS = "the page's tests want a browser: apt-get install -y chromium chromium-driver"
#: What the console may say: an answer that a test asked for is none of the page's mistakes.
_EXPECTED = ("status of 401", "ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "status of 409",
             "ERR_INCOMPLETE_CHUNKED_ENCODING", LACKING)  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[webdriver.Chrome]:
    """Chromium, as a user's, without a window."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.fail(_LACKS)
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    words = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900")
    for word in words:
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    made = webdriver.Chrome(options, webdriver.ChromeService(driver))
    made.set_page_load_timeout(60)
    yield made
    made.quit()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A fleet with a page."""
    valkey = Valkey()
    made = Site(valkey, tmp_path_factory.mktemp("site"))
    yield made
    made.close()
    valkey.close()


@pytest.fixture
def stranger(browser: webdriver.Chrome, site: Site) -> Iterator[Screen]:
    """Somebody at the page who has shown no key; afterwards nothing was wrong in the console, and nobody else asked."""
    screen = Screen(browser, site.url)
    browser.get("about:blank")  # the page of the test before asks for nothing more
    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    screen.complaints()
    screen.hosts()
    yield screen
    assert [each for each in screen.complaints() if not any(word in each for word in _EXPECTED)] == []
    assert screen.hosts() <= {f"127.0.0.1:{site.port}"}


@pytest.fixture
def screen(stranger: Screen, site: Site) -> Screen:
    """Somebody who is logged in."""
    stranger.open(f"key={site.key}")
    stranger.see("Log out")
    return stranger
