"""What the config of an agent of the type ``codegen`` holds."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from taskengine.agents.config import AgentConfig

_Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class CodegenConfig(AgentConfig):
    """The words of ``config={…}``."""

    #: Number of the organisation for which runs are made; None: CODEGEN_ORG_ID of the worker's environment.
    org_id: Annotated[int, Field(ge=1)] | None = None
    #: Where the service is. Private addresses need TASKENGINE_ALLOWED_HOSTS on the worker.
    base_url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$", max_length=2000)] = (
        "https://api.codegen.com"
    )
    #: The repository to work on; None: what the service takes for it.
    repo_id: int | None = None
    model: _Text | None = None
    agent_type: _Text | None = None
    #: Seconds until a run is first asked about; then a tenth of its age, at most twelve times this.
    poll_seconds: Annotated[float, Field(gt=0, le=3600)] = 5.0
    #: Seconds that one request may take.
    request_seconds: Annotated[float, Field(gt=0, le=600)] = 60.0
    #: Requests in 30 seconds that the service allows beside new runs; a poller keeps to it.
    requests_per_30_seconds: Annotated[int, Field(ge=1)] = 60
