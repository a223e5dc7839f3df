"""A machine on which workers live."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class HostInfo(BaseModel):
    """What a host has of each resource, and what of it running executions reserve."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    #: By resource, as the latest of its workers said.
    total: dict[str, float]
    reserved: dict[str, float]
    #: Running ones that reserve something.
    executions: int
    workers: int
    #: Tasks that waited so long that nothing else that demands something starts there; None for none.
    kept_for: str | None = None
