"""The duty that looks after hosts: what waited too long gets one, and nobody else reserves something there."""

from __future__ import annotations

from typing import Any

from taskengine.coordinator.duties import Hosts
from taskengine.store import hosts

from .bench import Bench, lint


def test_a_second_leader_keeps_what_the_first_kept(valkey: Any) -> None:
    bench = Bench(valkey, resource_patience_seconds=0)
    try:
        node = bench.node(host="h1 cpu_cores=4000")
        bench.submit(lint("small", resource_requirements={"cpu_cores": 1}))
        assert node.claim_any(node.slot(1)) is not None
        bench.submit(lint("big", resource_requirements={"cpu_cores": 4}))
        assert node.claim_any(node.slot(2)) is None
        for _ in range(2):
            duty = Hosts()
            assert duty.run_once(bench.run_duty(duty)) == bench.settings.sweep_seconds
            (host,) = bench.run(hosts.every_host())
            assert host.kept_for == "tasks of 'lint' that demand 4 cpu_cores"
    finally:
        bench.close()
