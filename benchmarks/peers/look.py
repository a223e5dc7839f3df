"""What a page costs whoever opens it: time until it shows what it has, bytes, and memory of its thread."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from statistics import median

from benchmarks.browser import Browser

_TIMES = 3
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Look:
    """One page of one product, opened cold three times."""

    what: str
    tasks: int
    #: Seconds until it was there, the median and the least; None when it gave up, or did not come within two minutes.
    seconds: float | None
    least: float | None
    #: Kilobytes that came over the wire, packed as they came.
    kilobytes: float
    #: Megabytes of objects of the page's thread: what peers keep in buffers, or workers, is not in it, nor is ours.
    heap: float
    #: What it says instead.
    says: str = ""

    def line(self) -> str:
        """Return it as one line of JSON."""
        rounded = {name: round(value, 2) if isinstance(value, float) else value for name, value in asdict(self).items()}
        return json.dumps(rounded)


def look(what: str, tasks: int, address: str, is_there: str) -> Look:
    """Open *address* until *is_there*, a script for the page, says true."""
    spans, last = [], (0.0, 0.0, "")
    for _ in range(_TIMES):
        with Browser() as browser:
            span = browser.shown(address, is_there, _PATIENCE)
            last = browser.kilobytes(), browser.heap()[1]["objects"], "" if span is not None else browser.text()[:300]
            if span is not None:
                spans.append(span / 1000)
    kilobytes, heap, says = last
    whole = len(spans) == _TIMES
    return Look(what, tasks, median(spans) if whole else None, min(spans) if whole else None, kilobytes, heap, says)
