"""Laws of layout, board, lanes and views, each a function in ``laws.js``, run where users run them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from .conftest import LAWS

pytestmark = [pytest.mark.browser, pytest.mark.process]
_NAMES = re.findall(r"^export async function (\w+)", LAWS.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("law", _NAMES)
def test_it_holds_in_a_browser(law: str, law_runner: Callable[[str], str]) -> None:
    assert law_runner(law) == ""


def test_a_law_that_is_broken_is_told(law_runner: Callable[[str], str]) -> None:
    assert "not a function" in law_runner("noSuchLaw")
