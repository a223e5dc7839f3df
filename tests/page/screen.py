"""What somebody does who looks at the page: finds things by the words on them, presses, types, reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from ..fleet import until

#: Roles of the accessibility tree that somebody can do something with.
_CONTROLS = frozenset(
    {
        "button", "link", "textbox", "searchbox", "combobox", "checkbox", "radio", "spinbutton", "menuitem", "tab",
        "slider",
    }
)  # fmt: skip
#: What is written on what has the focus, and its name.
_FOCUSED = "const at = document.activeElement; return [at.innerText, at.getAttribute('aria-label')]"
_PATIENCE = 40.0


def _quoted(words: str) -> str:
    """Return a text as XPath writes it, which knows no escapes."""
    return f"'{words}'" if '"' in words else f'"{words}"'


class Screen:
    """One tab of a browser, at one server."""

    def __init__(self, driver: Chrome, url: str) -> None:
        self.driver = driver
        self.url = url

    def open(self, path: str = "") -> None:
        """Load the page anew at an address behind the ``#``."""
        self.driver.get("about:blank")
        self.driver.get(f"{self.url}/#{path}")

    def go(self, path: str) -> None:
        """Follow a link to there, within the page."""
        self.driver.execute_script("location.hash = arguments[0]", path)

    @property
    def place(self) -> str:
        """What stands behind the ``#`` in the address bar."""
        return self.driver.current_url.partition("#")[2]

    @property
    def text(self) -> str:
        """All that is written on the page."""
        return self.driver.find_element(By.TAG_NAME, "body").text

    def see(self, *words: str) -> None:
        """Wait until all of that stands there."""
        self.until(lambda: all(each in self.text for each in words), f"{words} on the page")

    def until(self, ask: Callable[[], Any], what: str = "") -> Any:
        """Wait for what is asked; the page may be drawn anew meanwhile."""

        def asked() -> Any:
            try:
                return ask()
            except (StaleElementReferenceException, WebDriverException):
                return None

        try:
            return until(asked, _PATIENCE, what)
        except AssertionError as exc:
            raise AssertionError(f"{exc}; the page says: {self.text[:1500]}") from None

    def control(self, words: str, tags: str = "self::button or self::a or self::summary") -> WebElement:
        """Wait for the button or link that says *words*, or whose name they are; within a dialog, if one is open."""
        quoted = _quoted(words)
        path = f"//*[{tags}][normalize-space()={quoted} or @aria-label={quoted}]"

        def found() -> WebElement | None:
            inside = self.driver.find_elements(By.TAG_NAME, "dialog")
            return next(iter((inside[-1] if inside else self.driver).find_elements(By.XPATH, f".{path}")), None)

        return self.until(found, f"a control {words!r}")

    def press(self, words: str) -> None:
        """Press a button or follow a link."""
        self.until(lambda: self.control(words).click() or True, f"{words!r} to be pressed")

    def field(self, label: str) -> WebElement:
        """Wait for the field of that label."""
        path = f".//label[span[normalize-space()={_quoted(label)}]]//*[self::input or self::select or self::textarea]"

        def found() -> WebElement | None:
            inside = self.driver.find_elements(By.TAG_NAME, "dialog")
            return next(iter((inside[-1] if inside else self.driver).find_elements(By.XPATH, path)), None)

        return self.until(found, f"a field {label!r}")

    def type(self, label: str, words: str) -> None:
        """Type into a field."""
        field = self.field(label)
        if field.get_attribute("type") in {"text", "search", "password"}:
            field.clear()
        field.send_keys(words)

    def keys(self, *keys: str) -> None:
        """Type to whatever has the focus, and be it another the moment after."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def tab_to(self, words: str, most: int = 80) -> None:
        """Press Tab until the control that says *words* has the focus."""
        for _ in range(most):
            self.keys(Keys.TAB)
            if words in self.driver.execute_script(_FOCUSED):
                return
        raise AssertionError(f"Tab does not lead to {words!r}")

    def nameless(self) -> list[str]:
        """Controls of the accessibility tree that have no name."""
        tree = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        shown = [node for node in tree if not node.get("ignored")]
        controls = [node for node in shown if node.get("role", {}).get("value") in _CONTROLS]
        assert controls, "the tree has no control at all"
        return [str(node["role"]) for node in controls if not str(node.get("name", {}).get("value", "")).strip()]

    def complaints(self) -> list[str]:
        """What the browser's console says since somebody asked: refusals of the policy, errors, files that lack."""
        return [f"{each['level']}: {each['message']}" for each in self.driver.get_log("browser")]

    def hosts(self) -> set[str]:
        """Hosts that were asked for anything since somebody asked."""
        found = set()
        for each in self.driver.get_log("performance"):
            message = json.loads(each["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.add(urlsplit(message["params"]["request"]["url"]).netloc)
        return found - {""}
