"""Where the store is, and how an embedded one does, as its files and its process tell."""

from __future__ import annotations

from taskengine import embedded
from taskengine.models.finding import Finding, ok, wrong
from taskengine.settings import Settings


def address(settings: Settings) -> tuple[str | None, list[Finding]]:
    """Return where the server is, None if there is none to ask, and what is known without asking it."""
    if settings.redis_url is not None:
        return settings.redis_url, []
    found = embedded.status(settings)
    about = f"embedded valkey in {found.home}"
    if found.state == "running":
        mib = found.data_bytes / 2**20
        return found.url, [ok("server", f"{about}: pid {found.pid}, {mib:.1f} MiB on disk, log {found.log}")]
    if found.state in {"absent", "stopped"}:
        says = f"{about} does not run; its data is at rest" if found.data_bytes else f"{about} does not run"
        do = "taskengine up (it starts the server), or set TASKENGINE_REDIS_URL if it should be another one"
        return None, [wrong("server", says, do)]
    why = found.problem or "it still reads its append-only file"
    return None, [wrong("server", f"{about} is {found.state}: {why}", f"wait a little; then read {found.log}")]
