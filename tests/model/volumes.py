"""Volumes of stories: all of them, or as many as a run samples."""

from __future__ import annotations

import random

import pytest


def volumes(config: pytest.Config, count: int, sampled: int) -> list[int]:
    """Numbers of those that a run tells: all *count* with ``--matrix full``, else *sampled* of them by ``--sample``."""
    if is_whole(config):
        return list(range(count))
    return sorted(random.Random(str(config.option.sample)).sample(range(count), sampled))


def is_whole(config: pytest.Config) -> bool:
    """Whether all are told: only then must everything have been seen that hardly ever happens."""
    return bool(config.option.matrix == "full")
