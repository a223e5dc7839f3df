"""What a script sends does not grow with the fleet: a constant, and a constant for each task that it grants, whether
there are one or 16 queues, one or 200 nodes.
"""

from __future__ import annotations

import pytest

from .crowd import WANTS, Crowd, Size, Stored, commands_of
from .world import World

SIZES = {f"{queues}-queues-{nodes}-nodes": Size(queues, nodes) for queues in (1, 16) for nodes in (1, 200)}
#: Redis commands of one script that touches a handful of tasks, and of each grant.
COMMANDS, A_GRANT = 300, 12


@pytest.fixture(scope="module")
def made() -> dict[str, Stored]:
    """The stores as the first test of each size made them."""
    return {}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", sorted(WANTS))
def test_a_script_sends_no_more_in_a_large_fleet(real: World, made: dict[str, Stored], size: str, name: str) -> None:
    if size not in made:
        made[size] = Crowd.of(real, SIZES[size]).stored()
    crowd = made[size].put_back(real)
    call = WANTS[name](crowd)
    before = len(real.granted())
    sent = commands_of(real, call)
    granted = max(0, len(real.granted()) - before)
    assert sent <= COMMANDS + A_GRANT * granted
