"""Keys as clients make, list and revoke them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taskengine import InvalidInputError, KeyScope
from taskengine.api.operations.keys import admit

from ..store.world import World


def test_a_key_is_told_once_and_listed_without_its_secret(api: Any, world: World) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    made = api.create_key("ci", scope="submit", expires_at=ends, rate=60)
    assert (made.name, made.scope, made.expires_at, made.rate) == ("ci", KeyScope.SUBMIT, ends, 60)
    assert made.key.startswith(f"te_{made.id}_")
    secret = made.key.split("_", 2)[2]
    assert secret not in repr(made)
    (listed,) = api.list_keys()
    assert (listed.id, listed.name, listed.scope, listed.expires_at, listed.rate) == (
        made.id, "ci", KeyScope.SUBMIT, ends, 60,
    )  # fmt: skip
    assert listed.used_at is None
    assert secret not in listed.model_dump_json()
    assert world.run(admit(made.key)).name == "ci"


def test_a_key_may_only_ask_where_nobody_says_more(api: Any) -> None:
    assert api.create_key("ci").scope is KeyScope.READ


@pytest.mark.parametrize("named", ["by its id", "whole"])
def test_to_revoke_a_key_is_safe_to_repeat(api: Any, named: str) -> None:
    made = api.create_key("ci")
    key = made.key if named == "whole" else made.id
    assert api.revoke_key(key) is True
    assert api.list_keys() == []
    assert api.revoke_key(key) is False


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"name": ""}, "name"), ({"scope": "all"}, "scope"), ({"rate": -1}, "rate"),
     ({"expires_at": "soon"}, "expires_at")],
)  # fmt: skip
def test_a_wrong_argument_makes_no_key(api: Any, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        api.create_key(**{"name": "ci", **wrong})
    assert refused.value.field == field
    assert api.list_keys() == []
