"""One law over many cases, said once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import pytest


def each(names: str | tuple[str, ...], cases: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """As ``pytest.mark.parametrize``, but one test: all cases are tried, and the one failure lists those that fail.

    For cases that are quick and change nothing. What needs a fixture anew for each case stays parametrized.
    """
    wanted = (names,) if isinstance(names, str) else tuple(names)
    all_cases = [dict(zip(wanted, (case,) if isinstance(names, str) else case, strict=True)) for case in cases]
    assert all_cases, "a law over nothing"

    def over_cases(law: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(law)
        def test(**fixtures: Any) -> None:
            wrong: list[tuple[dict[str, Any], BaseException]] = []
            for case in all_cases:
                try:
                    law(**fixtures, **case)
                except (Exception, pytest.fail.Exception) as exc:
                    wrong.append((case, exc))
            if wrong:
                told = "\n".join(f"{case}: {type(exc).__name__}: {exc}" for case, exc in wrong)
                raise AssertionError(f"{len(wrong)} of {len(all_cases)} cases:\n{told}") from wrong[0][1]

        asked = inspect.signature(law)
        left = [one for name, one in asked.parameters.items() if name not in wanted]
        assert len(left) + len(wanted) == len(asked.parameters), f"{law.__name__} does not take {wanted}"
        test.__signature__ = asked.replace(parameters=left)  # type: ignore[attr-defined]  # pytest reads it
        return test

    return over_cases
