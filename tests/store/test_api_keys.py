"""Keys for the server of REST: what is stored lets in who knows the secret, until its end, as often as it may."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from taskengine.store import api_keys

from .world import World


def put(world: World, id: str = "k", *, ends: datetime | None = None, rate: int = 0) -> str:
    return world.run(api_keys.put(id, "sha", "bot", "submit", ends, rate)).word


def admit(world: World, number: object = 1, *, id: str = "k", sha: str = "sha") -> tuple[str, ...]:
    answer = world.run(api_keys.admit(id, sha, str(number)))
    return (answer.word, *map(str, answer.rest))


def test_a_key_lets_in_whoever_shows_its_secret(world: World) -> None:
    assert put(world) == "ok"
    assert admit(world) == ("ok", "bot", "submit", "")


def test_a_wrong_secret_is_as_an_unknown_key(world: World) -> None:
    put(world)
    assert admit(world, sha="other") == admit(world, id="other") == ("missing",)


def test_a_revoked_key_lets_nobody_in(world: World) -> None:
    put(world)
    assert world.run(api_keys.revoke("k")).ok
    assert admit(world) == ("missing",)
    assert world.run(api_keys.revoke("k")).word == "missing"
    assert world.run(api_keys.every_key()) == []


def test_an_expired_key_lets_nobody_in(world: World) -> None:
    put(world, ends=datetime.now(UTC) - timedelta(seconds=1))
    assert admit(world) == ("expired",)


def test_only_a_key_that_has_ended_is_revoked_where_that_is_asked(world: World) -> None:
    put(world, "old", ends=datetime.now(UTC) - timedelta(seconds=1))
    put(world, "new", ends=datetime.now(UTC) + timedelta(hours=1))
    put(world, "ever")
    said = {id: world.run(api_keys.revoke(id, if_lapsed=True)).word for id in ("old", "new", "ever", "none")}
    assert said == {"old": "ok", "new": "lasts", "ever": "lasts", "none": "lasts"}
    assert {key.id for key in world.run(api_keys.every_key())} == {"new", "ever"}


def test_a_key_of_a_server_lasts_from_its_last_renewal_on_and_says_so(world: World) -> None:
    world.run(api_keys.put("k", "sha", "ann", "admin", None, 0, 60_000))
    assert admit(world) == ("ok", "ann", "admin", "")  # its end is nobody's bound
    (made,) = world.run(api_keys.every_key())
    assert made.is_local
    assert made.expires_at is not None
    assert world.run(api_keys.renew("k", "sha", 600_000)).ok
    (renewed,) = world.run(api_keys.every_key())
    assert renewed.expires_at is not None
    assert renewed.expires_at > made.expires_at + timedelta(minutes=8)
    assert world.run(api_keys.renew("k", "sha", -1)).ok
    assert admit(world) == ("expired",)


def test_a_key_that_is_gone_is_not_renewed(world: World) -> None:
    put(world)
    assert world.run(api_keys.renew("k", "other", 1000)).word == "missing"
    world.run(api_keys.revoke("k"))
    assert world.run(api_keys.renew("k", "sha", 1000)).word == "missing"
    assert world.run(api_keys.every_key()) == []


def test_a_key_that_lets_in_says_until_when(world: World) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    put(world, ends=ends)
    assert admit(world) == ("ok", "bot", "submit", str(int(ends.timestamp() * 1000)))


def test_an_id_is_never_given_another_secret(world: World) -> None:
    put(world)
    assert world.run(api_keys.put("k", "other", "thief", "admin", None, 0)).word == "taken"
    assert admit(world) == ("ok", "bot", "submit", "")


def test_a_key_may_ask_ten_seconds_ahead_of_its_rate_and_no_more(world: World) -> None:
    put(world, rate=60)
    answers = [admit(world, number)[0] for number in range(30)]
    let_in = answers.count("ok")
    assert 10 <= let_in <= 12  # a second may pass meanwhile
    word, wait, name = admit(world, "one more")
    assert (word, name) == ("limited", "bot")
    assert 0 < int(wait) <= 1000


def test_a_request_that_is_sent_again_counts_once(world: World) -> None:
    put(world, rate=60)
    assert {admit(world, "same")[0] for _ in range(30)} == {"ok"}


def test_a_wrong_secret_uses_up_nothing_of_the_rate(world: World) -> None:
    put(world, rate=6)
    for number in range(20):
        admit(world, number, sha="other")
    assert admit(world, "mine")[0] == "ok"


def test_a_look_at_who_was_let_in_is_no_request(world: World) -> None:
    put(world, rate=6)
    assert {admit(world, "") for _ in range(30)} == {("ok", "bot", "submit", "")}
    (key,) = world.run(api_keys.every_key())
    assert key.used_at is None
    assert admit(world, "first")[0] == "ok"


def test_a_list_of_keys_tells_all_but_their_secrets(world: World) -> None:
    for number in range(130):  # more than two pieces
        put(world, f"k{number}", rate=number)
    admit(world, id="k7")
    found = world.run(api_keys.every_key())
    assert {key.id for key in found} == {f"k{number}" for number in range(130)}
    by_id = {key.id: key for key in found}
    assert by_id["k7"].used_at is not None
    assert by_id["k8"].used_at is None
    assert (by_id["k8"].name, by_id["k8"].scope, by_id["k8"].rate, by_id["k8"].expires_at) == ("bot", "submit", 8, None)
    assert "sha" not in {*vars(type(found[0]))}
