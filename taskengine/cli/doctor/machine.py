"""What of this folder and this environment would lead Celery astray."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from taskengine.cli import own_workers
from taskengine.cli.celery_door import diverting
from taskengine.models.finding import Finding, notice, wrong
from taskengine.settings import environment, unknown_variables


def examine() -> Iterator[Finding]:
    """Findings about the current folder and the environment; nothing when there is nothing to say."""
    if place := own_workers.foreign(Path.cwd()):
        yield wrong(
            "folder",
            f"{place} is a package 'workers' that is not taskengine's",
            "use 'taskengine worker', start 'celery -A workers' from another folder, or rename yours",
        )
    for one in unknown_variables(environment()):
        says = f"it is no setting, the nearest is {one.nearest}"
        yield wrong(f"variable {one.name}", says, "correct or unset it, here and where it was copied from")
    if names := diverting(environment()):
        yield notice(
            "environment",
            f"{', '.join(names)} is set: plain 'celery -A workers' would take its messages from there",
            "unset it, or use 'taskengine worker', which ignores it",
        )
