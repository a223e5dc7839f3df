"""Whether all processes of the fleet, and who asks, have the settings alike that must be alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from taskengine.api.context import OperationContext
from taskengine.models.finding import Finding, notice, wrong
from taskengine.settings import variable
from taskengine.store import fleet_settings
from taskengine.store.call import Call, Operation
from taskengine.store.codec import note
from taskengine.store.nodes import Fleet

#: Processes that are named one by one.
_NAMED = 5


def examine(context: OperationContext, fleet: Fleet, asker: str) -> Operation[list[Finding]]:
    """Return a finding for each that differs from what most processes have, the leader's among equals.

    *asker* is what people call the process that asks, such as ``here``.
    """
    own = context.settings
    digests = _digests(fleet)
    if not digests.keys() - {own.digest}:
        return []
    most = _most(digests, fleet.leader_settings)
    usual = yield from _values(context, most)
    found = []
    for digest in sorted(digests.keys() - {most}):
        differs = _differences((yield from _values(context, digest)), usual, "most have")
        do = "give every process of the fleet the same, and start those again"
        found.append(wrong(_about(digests[digest]), differs, do))
    if own.digest != most:
        do = f"set {asker} what the fleet has, or what is submitted from there counts by other rules"
        found.append(notice(f"settings {asker}", _differences(own.shared, usual, "the fleet has"), do))
    return found


def _digests(fleet: Fleet) -> Mapping[str, list[str]]:
    """Who has which digest; whoever says none is of an older version."""
    found: dict[str, list[str]] = {}
    if fleet.leader is not None and fleet.leader_settings:
        found.setdefault(fleet.leader_settings, []).append(f"coordinator {fleet.leader}")
    for node in fleet.nodes:
        info = note(node.info)
        if node.alive and (said := info.get("settings")):
            found.setdefault(str(said), []).append(f"worker {info.get('hostname', node.name)}")
    return found


def _most(digests: Mapping[str, Sequence[str]], leaders: str) -> str:
    counted = Counter({digest: len(who) for digest, who in digests.items()})
    return max(sorted(counted), key=lambda digest: (counted[digest], digest == leaders))


def _values(context: OperationContext, digest: str) -> Call[Mapping[str, Any]]:
    return fleet_settings.get(context.keys, digest)


def _about(who: Sequence[str]) -> str:
    more = f" and {len(who) - _NAMED} more" if len(who) > _NAMED else ""
    return f"settings of {', '.join(who[:_NAMED])}{more}"


def _differences(values: Mapping[str, Any], usual: Mapping[str, Any], others: str) -> str:
    if not values or not usual:
        return "they differ, and their values are not kept any more"
    names = sorted(name for name in {*values, *usual} if values.get(name) != usual.get(name))
    return "; ".join(f"{variable(name)} is {_said(values, name)}, {others} {_said(usual, name)}" for name in names)


def _said(values: Mapping[str, Any], name: str) -> str:
    """Return a value as one would write it; a process of another version may not know the setting."""
    if name not in values:
        return "unknown"
    value = values[name]
    return f"{value:.15g}" if isinstance(value, float) else str(value)
