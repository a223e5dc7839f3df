"""Settings that no clock, socket or script could follow, or that contradict each other, are refused at the door."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskengine.errors import SettingsError
from taskengine.settings import (
    LOCAL,
    RELATIONS,
    Relation,
    Settings,
    load,
    refuse_unknown,
    unknown_variables,
    variable,
)

from ..cases import each

NUMBERS = [name for name, field in Settings.model_fields.items() if field.annotation in (int, float)]


def test_every_number_is_under_the_law() -> None:
    assert {"lease_seconds", "sweep_seconds", "max_graph", "flower_port", "busy_poll_ms"} <= set(NUMBERS)


@each("value", ["inf", "-inf", "nan", "1e300", "-1e300", "10000000000"])
@each("name", NUMBERS)
def test_a_number_beyond_reason_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with monkeypatch.context() as environment:
        environment.setenv(f"TASKENGINE_{name.upper()}", value)
        with pytest.raises(SettingsError, match=f"TASKENGINE_{name.upper()}: ") as refused:
            load()
    assert refused.value.field == name


def named(relation: Relation) -> str:
    return f"{relation.more} {relation.less}"


def at_the_limit(relation: Relation, factor: float = 1.0) -> dict[str, float]:
    """The two settings in question, *factor* times what is allowed; all others so that nobody else complains."""
    others = {"heartbeat_seconds": 0.01, "leader_seconds": 0.01, "default_timeout": 1e6, "retention_seconds": 1e6}
    return {**others, relation.less: 2.0, relation.more: 2.0 * relation.times * factor}


@pytest.mark.parametrize("relation", RELATIONS, ids=named)
def test_a_contradiction_is_refused_and_names_both_settings_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, relation: Relation
) -> None:
    for name, value in at_the_limit(relation, 0.99).items():
        monkeypatch.setenv(variable(name), str(value))
    with pytest.raises(SettingsError) as refused:
        load()
    said = str(refused.value)
    assert f"{variable(relation.more)} (" in said
    assert f"{variable(relation.less)} (2)" in said
    assert "raise the first or lower the second" in said
    assert said.count(";") == 1
    assert refused.value.field == relation.more
    monkeypatch.setenv(variable(relation.more), str(2.0 * relation.times))
    assert getattr(load(), relation.more) == 2.0 * relation.times


def test_all_contradictions_are_said_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings(lease_seconds=1, retention_seconds=5, idempotency_seconds=6)
    for name in ("HEARTBEAT_SECONDS", "LEADER_SECONDS", "IDEMPOTENCY_SECONDS"):
        assert f"TASKENGINE_{name} (" in str(refused.value)


def test_what_is_off_contradicts_nothing() -> None:
    assert Settings(retention_seconds=0, idempotency_seconds=0).retention_seconds == 0


@given(st.floats(0.1, 100), st.floats(0.01, 100), st.floats(0.01, 100))
def test_no_outage_that_coordinators_overlook_lets_leases_lapse(lease: float, beat: float, leader: float) -> None:
    """One of up to 3/4 of a leader's lease shows in no gap; before it a beat may be as old as two of them are apart."""
    clocks = {"lease_seconds": lease, "heartbeat_seconds": beat, "leader_seconds": leader, "claim_seconds": 1e3}
    try:
        Settings(**clocks)  # type: ignore[arg-type]  # numbers all
    except SettingsError:
        return
    assert 2 * beat + 0.75 * leader < lease


def test_processes_agree_by_the_digest_of_what_must_be_alike() -> None:
    assert set(Settings.model_fields) >= LOCAL
    assert Settings().shared.keys() == Settings.model_fields.keys() - LOCAL
    assert {"lease_seconds", "claim_seconds", "retention_seconds", "max_lost"} <= Settings().shared.keys()
    alone = Settings(namespace="x", flower_port=0, drain_seconds=1, heartbeat_seconds=1, redis_url="redis://a")
    assert alone.digest == Settings().digest
    assert len({Settings(max_lost=n).digest for n in range(1, 9)}) == 8
    assert Settings(lease_seconds=10).digest == Settings(lease_seconds=10.0).digest


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("TASKENGINE_LEASE_SECOND", "TASKENGINE_LEASE_SECONDS"),
        ("TASKENGINE_REDIS", "TASKENGINE_REDIS_URL"),
        ("TASKENGINE_NAME_SPACE", "TASKENGINE_NAMESPACE"),
        ("taskengine_max_lots", "TASKENGINE_MAX_LOST"),
    ],
)
def test_a_variable_that_is_no_setting_is_named_with_the_nearest(name: str, nearest: str) -> None:
    environment = {"PATH": "x", "taskengine_home": "x", "TASKENGINE_MAX_LOST": "3", name: "1"}
    (found,) = unknown_variables(environment)
    assert (found.name, found.nearest) == (name, nearest)
    with pytest.raises(SettingsError, match=f"{name} is no setting, the nearest is {nearest}; correct or unset it"):
        refuse_unknown(environment)


def test_what_kubernetes_sets_for_a_service_of_our_name_is_nobodys_slip() -> None:
    service = {
        "TASKENGINE_SERVICE_HOST": "10.0.0.1", "TASKENGINE_SERVICE_PORT": "80", "TASKENGINE_SERVICE_PORT_HTTP": "80",
        "TASKENGINE_PORT": "tcp://10.0.0.1:80", "TASKENGINE_REDIS_PORT_6379_TCP": "tcp://10.0.0.1:6379",
        "TASKENGINE_PORT_80_TCP_PROTO": "tcp", "TASKENGINE_PORT_80_TCP_PORT": "80", "TASKENGINE_PORT_80_TCP_ADDR": "x",
    }  # fmt: skip
    assert not list(unknown_variables(service))
    slip = {"TASKENGINE_FLOWR_PORT": "80", "TASKENGINE_PORT": "80"}
    nearest = ["TASKENGINE_FLOWER_PORT", "TASKENGINE_HTTP_PORT"]
    assert [one.nearest for one in unknown_variables(slip)] == nearest


def test_every_setting_has_a_variable_that_is_known() -> None:
    assert not list(unknown_variables({variable(name): "" for name in Settings.model_fields}))
