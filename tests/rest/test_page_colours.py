"""Colours of statuses: each can be seen on the canvas and told from the others, by whoever sees fewer colours too."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from taskengine.rest.pages import shelf

_SHEETS = b"\n".join(shelf().files[name].body for name in ("style.css", "canvas.css")).decode()
_STATUSES = ("pending", "ready", "running", "completed", "failed", "cancelled", "paused", "retrying")
#: How linear red, green and blue look to whom one kind of cones is missing (Machado, Oliveira and Fernandes 2009).
_EYES = {
    "all colours": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "no green": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "no blue": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}
Rgb = tuple[float, float, float]


def _tokens(theme: str) -> dict[str, str]:
    """Custom properties with a colour, as a theme that was chosen sets them."""
    blocks = {"light": r":root \{(.*?)\}", "dark": r':root\[data-theme="dark"\] \{(.*?)\}'}
    return {
        name: value
        for block in re.findall(blocks[theme], _SHEETS, re.DOTALL)
        for name, value in re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)
    }


def _linear(colour: str) -> Rgb:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return red, green, blue


def _contrast(one: str, other: str) -> float:
    """As WCAG 2 has it: 1 for equal colours, 21 for black on white."""
    lights = [0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05 for r, g, b in (_linear(one), _linear(other))]
    return max(lights) / min(lights)


def _lab(colour: str, eyes: str) -> Rgb:
    seen = [
        min(1.0, max(0.0, sum(a * b for a, b in zip(row, _linear(colour), strict=True)))) for row in _EYES[eyes]
    ]
    r, g, b = seen
    xyz = ((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047, 0.2126 * r + 0.7152 * g + 0.0722 * b,
           (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883)  # fmt: skip
    x, y, z = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _apart(one: str, other: str, eyes: str) -> float:
    """CIE 1976 difference: about 2 can just be seen side by side."""
    return sum((a - b) ** 2 for a, b in zip(_lab(one, eyes), _lab(other, eyes), strict=True)) ** 0.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("status", _STATUSES)
def test_a_status_stands_out_from_the_canvas_and_words_on_it_can_be_read(theme: str, status: str) -> None:
    found = _tokens(theme)
    assert _contrast(found[f"c-{status}"], found["sunken"]) >= 3
    assert _contrast(found[f"on-{status}"], found[f"c-{status}"]) >= 4.5
    assert _contrast(found[f"s-{status}"], found["surface"]) >= 3.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("eyes", _EYES)
def test_two_statuses_differ_for_all_eyes(theme: str, eyes: str) -> None:
    found = {status: _tokens(theme)[f"c-{status}"] for status in _STATUSES}
    alike = {
        (one, other): round(_apart(found[one], found[other], eyes), 1)
        for one, other in combinations(_STATUSES, 2)
        if _apart(found[one], found[other], eyes) < 11
    }
    assert alike == {}


def test_dark_is_the_same_whether_it_is_chosen_or_the_systems() -> None:
    systems = re.findall(r':root:not\(\[data-theme="light"\]\) \{(.*?)\}', _SHEETS, re.DOTALL)
    values = {name: value for block in systems for name, value in re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)}
    assert values == _tokens("dark")
