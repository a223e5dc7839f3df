"""No button without a test that presses it: found by the words on it, in the scripts and in the tests."""

from __future__ import annotations

import re
from pathlib import Path

import taskengine

_SCRIPTS = Path(taskengine.__file__).parent / "rest" / "page" / "js"
_BUTTON = re.compile(r'\b(?:button|may)\((?:"\w+", )?["`]([A-Z][^"`$]*)|h\("button", \{[^}]*\}, "([A-Z][^"]*)"')
#: Buttons that only move through what is shown, and are pressed by nobody.
_MOVES = frozenset({"Earlier", "Later", "Follow the end", "Show", "Try again", "Close", "Open task"})


def test_every_button_is_pressed() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__))
    words = {one or other for path in _SCRIPTS.rglob("*.js") for one, other in _BUTTON.findall(path.read_text())}
    assert {"Pause …", "Reject", "Retry all …", "Log in"} <= words
    named = {word for word in words if re.search(rf'["(]{re.escape(word.removesuffix(" …"))}', tests)}
    assert words - named - _MOVES == set()
