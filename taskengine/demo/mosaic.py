"""A graph as astronomers run it, of any size: many pictures of the sky become one, in three colours.

::

    project …     one picture each, moved onto the same grid
    diff …        the difference of two pictures that overlap: each with its neighbours to the right and below
    concat …      differences together, fifty at a time
    model …       one for each colour: what brightness each picture must lose
    background …  one picture each, made level with its neighbours by the model
    tile …        twenty-five pictures together
    add …         one for each colour
    colour        all of it, and ``preview …`` of it in some sizes

It is the shape of Montage, which papers on workflow engines measure by. Nothing is computed: a task waits for a few
milliseconds. So it shows what the engine and its page do, and no more than that.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from taskengine.demo.plan import Node

#: What runs the tasks.
CAPABILITY = "mosaic"
#: Fewer tasks are no mosaic; more than this would be one submit of tens of megabytes.
LEAST, MOST = 40, 200_000
_COLOURS = ("red", "green", "blue")
_TOGETHER = {"concat": 50, "tile": 25}
#: Milliseconds that a task takes; those that bring much together take longer.
_MILLISECONDS = {"project": 4, "diff": 2, "concat": 8, "model": 40, "background": 3, "tile": 8, "add": 30}


def mosaic(size: int) -> list[Node]:
    """Return exactly *size* tasks, between ``LEAST`` and ``MOST``, each behind those that it depends on."""
    # A picture more is about fifteen tasks more.
    pictures = bisect_right(range(size // 10), size, key=_size) - 1
    nodes = [node for colour in _COLOURS for node in _colour(colour, pictures)]
    nodes.append(_node("colour", 30, [f"add {colour}" for colour in _COLOURS]))
    previews = size - len(nodes)
    return nodes + [_node(f"preview {number}", 2, ["colour"]) for number in range(1, previews + 1)]


def work(input: Mapping[str, Any]) -> dict[str, Any]:
    """Take as long as the input says; the result is small, for thousands may meet in one task."""
    time.sleep(input["milliseconds"] / 1000)
    return {"done": True}


def _size(pictures: int) -> int:
    """How many tasks a mosaic of so many pictures a colour has; 0 pictures are none."""
    if not pictures:
        return 0
    differences = sum(1 for _ in _neighbours(pictures))
    together = math.ceil(differences / _TOGETHER["concat"]) + math.ceil(pictures / _TOGETHER["tile"])
    return len(_COLOURS) * (2 * pictures + differences + together + 2) + 1


def _colour(colour: str, pictures: int) -> Iterator[Node]:
    projected = [f"project {colour} {picture}" for picture in range(pictures)]
    yield from (_node(name, _MILLISECONDS["project"]) for name in projected)
    differences = []
    for one, other in _neighbours(pictures):
        differences.append(f"diff {colour} {one} {other}")
        yield _node(differences[-1], _MILLISECONDS["diff"], [projected[one], projected[other]])
    yield from (tables := list(_together("concat", colour, differences)))
    model = f"model {colour}"
    yield _node(model, _MILLISECONDS["model"], [table["name"] for table in tables])
    level = [f"background {colour} {picture}" for picture in range(pictures)]
    for name, before in zip(level, projected, strict=True):
        yield _node(name, _MILLISECONDS["background"], [before, model])
    yield from (tiles := list(_together("tile", colour, level)))
    yield _node(f"add {colour}", _MILLISECONDS["add"], [tile["name"] for tile in tiles])


def _neighbours(pictures: int) -> Iterator[tuple[int, int]]:
    """Pairs that overlap, of pictures that lie in a square: beside, below, and below beside each other."""
    side = math.isqrt(pictures - 1) + 1
    for picture in range(pictures):
        has_right = (picture + 1) % side != 0
        others = [picture + side, *([picture + 1, picture + side + 1] if has_right else [])]
        yield from ((picture, other) for other in sorted(others) if other < pictures)


def _together(what: str, colour: str, parts: Sequence[str]) -> Iterator[Node]:
    width = _TOGETHER[what]
    for number, at in enumerate(range(0, len(parts), width)):
        yield _node(f"{what} {colour} {number}", _MILLISECONDS[what], parts[at : at + width])


def _node(name: str, milliseconds: int, depends_on: Sequence[str] = ()) -> Node:
    return {"name": name, "input": {"milliseconds": milliseconds}, "depends_on": list(depends_on)}
