"""The page in a browser without a window: opened cold, moved, watched while a run moves."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any, Self

import psutil
from selenium import webdriver

from benchmarks.processes import until

_WORDS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900")
_MARK = "return performance.getEntriesByName(arguments[0]).map((mark) => mark.startTime)[0] ?? null"
_BYTES = """
const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
return entries.reduce((sum, entry) => sum + entry.transferSize, 0);
"""
#: Whether nothing is said over the canvas any more.
_IS_SHOWN = "return document.querySelector('.canvas-cover')?.hidden === true"
#: Drags the picture about for 120 frames of the screen, and tells the milliseconds between them.
_PAN = """
const done = arguments[0];
const stage = document.querySelector(".canvas-stage");
stage.setPointerCapture = () => {};
const box = stage.getBoundingClientRect();
const point = (type, x, y) => stage.dispatchEvent(new PointerEvent(type,
  {pointerId: 1, button: 0, bubbles: true, clientX: box.left + x, clientY: box.top + y}));
const apart = [];
let last = performance.now();
point("pointerdown", 400, 300);
const step = (now) => {
  apart.push(now - last);
  last = now;
  point("pointermove", 400 + 120 * Math.sin(apart.length / 9), 300 + 90 * Math.cos(apart.length / 7));
  if (apart.length < 120) return requestAnimationFrame(step);
  point("pointerup", 400, 300);
  done(apart.slice(2));
};
requestAnimationFrame(step);
"""
#: What the page noted of itself by a name, and forgets.
_NOTED = """
const [names, done] = [arguments[0], arguments[1]];
const main = [...document.scripts].find((script) => script.src.endsWith("/js/main.js")).src;
import(main.replace("main.js", "meter.js")).then((meter) => {
  done(Object.fromEntries(names.map((name) => [name, meter.noted(name)])));
});
"""


class Browser(AbstractContextManager["Browser"]):
    """One browser with an empty profile; RuntimeError when there is none on this machine."""

    def __init__(self) -> None:
        paths = [shutil.which(name) for name in ("chromium", "chromedriver")]
        if None in paths:
            raise RuntimeError("the page is measured in a browser: apt-get install chromium chromium-driver")
        options = webdriver.ChromeOptions()
        options.binary_location = str(paths[0])
        for word in _WORDS:
            options.add_argument(word)
        self._driver = webdriver.Chrome(options, webdriver.ChromeService(str(paths[1])))
        self._driver.set_script_timeout(120)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None) -> None:
        self._driver.quit()

    def open(self, address: str, seconds: float) -> float:
        """Open a run; milliseconds until its whole picture stood, from the first byte that was asked for."""
        self._driver.get(address)
        until(lambda: self._script(_MARK, "taskengine:picture") is not None, seconds, "the run is drawn")
        until(lambda: self._script(_IS_SHOWN), seconds, "the picture is shown")
        return float(self._script(_MARK, "taskengine:picture"))

    def shown(self, address: str, is_there: str, seconds: float) -> float | None:
        """Open any page; milliseconds until the script *is_there* says true, from the first byte that was asked for.

        None when that does not come. It is asked 50 times a second, so a page is up to 20 ms better than told.
        """
        self._driver.get(address)
        try:
            until(lambda: self._script(is_there), seconds, "the page is there")
        except RuntimeError:
            return None
        return float(self._script("return performance.now()"))

    def kilobytes(self) -> float:
        """What came over the wire so far, packed as it came."""
        return float(self._script(_BYTES)) / 1000

    def text(self) -> str:
        """What is written on the page."""
        return str(self._script("return document.body.innerText"))

    def pan(self) -> list[float]:
        """Milliseconds between frames while the picture is dragged about."""
        return [float(each) for each in self._driver.execute_async_script(_PAN)]

    def noted(self, *names: str) -> dict[str, list[float]]:
        """What the page noted of itself lately: milliseconds by name."""
        found: dict[str, list[float]] = self._driver.execute_async_script(_NOTED, list(names))
        return found

    def heap(self) -> tuple[float, dict[str, float]]:
        """Megabytes that the process of the page has to itself, and what of them its own thread counts.

        All told it is what its worker keeps, too, buffers, canvases and code; the thread knows only its objects and its
        buffers.
        """
        self._driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
        usage = self._driver.execute_cdp_cmd("Runtime.getHeapUsage", {})
        parts = {"objects": usage["usedSize"] / 1e6, "buffers": usage["backingStorageSize"] / 1e6}
        return max(self._renderers()) / 1e6, {name: round(size, 1) for name, size in parts.items()}

    def _renderers(self) -> Iterator[int]:
        """Bytes that each process has to itself which shows pages: a spare one has few."""
        for each in psutil.Process(self._driver.service.process.pid).children(recursive=True):
            with suppress(psutil.Error):  # it ended
                if "--type=renderer" in each.cmdline():
                    yield each.memory_full_info().uss

    def _script(self, text: str, *arguments: str) -> Any:
        return self._driver.execute_script(text, *arguments)
