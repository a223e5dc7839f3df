"""Tries an agent on this machine, in a process of its own: ``python -m workers.agents.health ID [MODULE …]``.

It reads the record, imports the modules, checks what a worker would check when it starts, and asks the type's service.
The last line of its output is JSON: ``ok``, and ``text``, one sentence.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from taskengine.agent import REGISTRY
from taskengine.agent_modules import import_agents
from taskengine.agents import Health
from taskengine.embedded import ensure
from taskengine.errors import AgentError, TaskEngineError
from taskengine.models.agent import AgentRecord
from taskengine.settings import Settings, current
from taskengine.store import agents
from taskengine.store.codec import dumps
from taskengine.store.sync import SyncStore
from taskengine.transport import template
from workers.agents.load import AgentClass, class_of, own_function
from workers.agents.secrets import AgentSecrets

#: Seconds that the service has for its answer.
_SECONDS = 30.0


def examine(record: AgentRecord, imports: Sequence[str], settings: Settings) -> Health:
    """Return whether this machine could serve an agent now; AgentError says what it lacks."""
    secrets = AgentSecrets.of(record, settings)
    secrets.check()
    function = own_function(record, REGISTRY, imports)
    if function is not None:
        place = f"{function.function.__module__}:{getattr(function.function, '__qualname__', '')}"
        return Health(True, f"its function {place} is here; call it to know more")
    kind = class_of(record)
    kind.check(record, secrets)
    return asyncio.run(_ask(kind, record, secrets))


async def _ask(kind: AgentClass, record: AgentRecord, secrets: AgentSecrets) -> Health:
    executor = kind(record, secrets)
    try:
        async with asyncio.timeout(_SECONDS):
            await executor.open()
            found = await executor.health()
            await executor.close()
            return found
    except TimeoutError:
        return Health(False, f"its service did not answer within {_SECONDS:g} s")
    except Exception as exc:
        return Health(False, f"its type {record.type!r} raised {type(exc).__name__}: {exc}")


def _record(id: str, settings: Settings) -> AgentRecord:
    store = SyncStore(ensure(settings), settings, template())
    try:
        found = store.run(agents.read([id])).agents.get(id)
    finally:
        store.close()
    if found is None:
        raise AgentError(f"no agent {id!r} is registered")
    return found.record


def main(words: Sequence[str]) -> None:
    """Say how the agent of the first word is, with the modules of the others."""
    id, *modules = words
    sys.path.insert(0, str(Path.cwd()))
    try:
        settings = current()
        for module in modules:
            import_agents(module, option="--import")
        found = examine(_record(id, settings), modules, settings)
    except TaskEngineError as exc:
        found = Health(False, str(exc))
    sys.stdout.write(dumps({"ok": found.ok, "text": found.text}, "health") + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
