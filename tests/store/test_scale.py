"""What a script sends does not grow with the fleet: a constant, and a constant for each task that it grants, whether
there are one or 16 queues, one or 200 nodes, one or 1 000 pauses of each kind, no or 1 000 limits, one or 100 000 tasks
that wait.
"""

from __future__ import annotations

from functools import partial

import pytest

from taskengine.store.scripts import names

from .crowd import ASKS, WANTS, Crowd, Size, Stored, commands_of
from .test_scripts import calls
from .world import World

#: What nobody wrote a call for is asked of nothing that is there, which says less.
STUBS = {call.name: partial(lambda call, _: call, call) for call in calls()}
CALLS = STUBS | WANTS | ASKS
SIZES = {
    "small": Size(queues=1, nodes=1),
    "many queues": Size(queues=16, nodes=1),
    "many nodes": Size(queues=1, nodes=200),
    "large": Size(queues=16, nodes=200, pauses=1000, waiting=100_000),
    "many hosts": Size(queues=16, nodes=200, hosts=True),
    "many limits": Size(queues=16, nodes=200, limits=1000),
}
#: Redis commands of one script that is told one task, or a handful, and of each grant.
COMMANDS, A_GRANT = 300, 10


@pytest.fixture(scope="module")
def made() -> dict[str, Stored]:
    """The stores as the first test of each size made them."""
    return {}


def test_every_script_is_under_the_law() -> None:
    assert set(CALLS) == set(names()), "give the script a call in tests/store/crowd.py or test_scripts.py"


@pytest.mark.parametrize("name", sorted(CALLS))
@pytest.mark.parametrize("size", SIZES)
def test_a_script_sends_no_more_in_a_large_fleet(real: World, made: dict[str, Stored], size: str, name: str) -> None:
    if size not in made:
        made[size] = Crowd.of(real, SIZES[size]).stored()
    crowd = made[size].put_back(real)
    call = CALLS[name](crowd)
    assert call.name == name
    before = len(real.granted())
    sent = commands_of(real, call)
    granted = max(0, len(real.granted()) - before)
    assert sent <= COMMANDS + A_GRANT * granted
