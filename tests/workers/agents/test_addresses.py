"""Which addresses are public, and what a setting lets through."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from taskengine import SettingsError
from workers.agents.addresses import Allowed, ForbiddenAddressError, is_public, reachable


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "192.0.0.8", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254",
        "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "2002:7f00:1::",
        "2002:a00:1::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2001:db8::1",
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",
    ],
)  # fmt: skip
def test_what_lies_inside_is_not_public_however_it_is_written(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_the_open_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("setting", ["127.0.0.1", "127.0.0.1:80", " 127.0.0.0/8 , x", "localhost", "LOCALHOST:80"])
async def test_a_setting_lets_a_host_through(setting: str) -> None:
    assert str(await reachable("localhost", 80, Allowed.of(setting))) in ("127.0.0.1", "::1")


@pytest.mark.parametrize("setting", ["", "127.0.0.1:81", "10.0.0.0/8", "localhost.lan"])
async def test_it_lets_no_other_through(setting: str) -> None:
    with pytest.raises(ForbiddenAddressError, match="TASKENGINE_ALLOWED_HOSTS"):
        await reachable("127.0.0.1", 80, Allowed.of(setting))


def test_a_setting_that_is_no_network_is_named() -> None:
    with pytest.raises(SettingsError, match=r"TASKENGINE_ALLOWED_HOSTS: 10\.0\.0/99 is no network"):
        Allowed.of("10.0.0/99")
