"""Settings that no clock, socket or script could follow are refused at the door, by name."""

from __future__ import annotations

import pytest

from taskengine.errors import SettingsError
from taskengine.settings import Settings, load

NUMBERS = [name for name, field in Settings.model_fields.items() if field.annotation in (int, float)]


def test_every_number_is_under_the_law() -> None:
    assert {"lease_seconds", "sweep_seconds", "max_graph", "flower_port", "busy_poll_ms"} <= set(NUMBERS)


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e300", "-1e300", "10000000000"])
@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_beyond_reason_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"TASKENGINE_{name.upper()}", value)
    with pytest.raises(SettingsError, match=f"TASKENGINE_{name.upper()}: ") as refused:
        load()
    assert refused.value.field == name
