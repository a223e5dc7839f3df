"""What a worker tells of its machine: what there is, bounded by its container, and what people say."""

from __future__ import annotations

import platform
from pathlib import Path

import psutil
import pytest

from taskengine.core.demand import from_words
from taskengine.errors import SettingsError
from taskengine.settings import Settings, load
from workers.machine import told


def amounts(settings: Settings, cgroup: Path) -> dict[str, int]:
    return from_words(told(settings, cgroup).partition(" ")[2])


def test_a_machine_tells_its_cores_memory_and_disk(tmp_path: Path) -> None:
    found = amounts(Settings(), tmp_path)
    assert set(found) == {"cpu_cores", "memory_gb", "disk_gb"}
    assert found["memory_gb"] == round(psutil.virtual_memory().total / 2**30 * 1000)


def test_a_container_has_no_more_than_its_limits(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "memory.max").write_text(f"{2**30}\n")
    found = amounts(Settings(), tmp_path)
    assert (found["cpu_cores"], found["memory_gb"]) == (500, 1000)


def test_a_container_without_limits_has_what_its_machine_has(tmp_path: Path) -> None:
    bare = amounts(Settings(), tmp_path)
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert amounts(Settings(), tmp_path) == bare


def test_people_say_what_shows_nowhere_and_correct_what_does(tmp_path: Path) -> None:
    found = amounts(Settings(resources="gpu=2, licence=0.5 cpu_cores=3 disk_gb=0"), tmp_path)
    assert (found["gpu"], found["licence"], found["cpu_cores"], "disk_gb" in found) == (2000, 500, 3000, False)


def test_workers_of_one_machine_tell_one_name(tmp_path: Path) -> None:
    assert told(Settings(host="gpu box/1"), tmp_path).startswith("gpu-box-1 ")
    assert told(Settings(), tmp_path).partition(" ")[0] == told(Settings(), tmp_path).partition(" ")[0] != ""
    assert platform.node() != ""


@pytest.mark.parametrize("text", ["gpu", "gpu=many", "GPU=1", "gpu=-1", "gpu=1;x"])
def test_what_is_no_resource_is_refused_by_the_name_of_the_setting(text: str) -> None:
    with pytest.raises(SettingsError, match="TASKENGINE_RESOURCES"):
        load(resources=text)


def test_too_much_of_a_resource_is_refused_by_the_name_of_the_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"TASKENGINE_RESOURCES.*at most"):
        told(Settings(resources="gpu=99999999999"), tmp_path)
