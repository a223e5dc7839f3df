"""What the config of an agent of the type ``http`` holds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from taskengine.agents.config import AgentConfig

_Seconds = Annotated[float, Field(gt=0, le=86_400)]


class HttpConfig(AgentConfig):
    """The words of ``config={…}``."""

    #: Where tasks are sent. Private addresses need TASKENGINE_ALLOWED_HOSTS on the worker.
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+([/?][^\s#]*)?$", max_length=2000)]
    method: Literal["POST", "PUT"] = "POST"
    #: A value ``secret:NAME`` is that secret; ``Bearer secret:NAME`` works too.
    headers: dict[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,100}$")],
        Annotated[str, StringConstraints(pattern=r"^[^\r\n\x00]{0,4000}$")],
    ] = Field(default_factory=dict, max_length=50)
    #: The header that tells two sendings of one request from two requests.
    key_header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,100}$")] = "Idempotency-Key"
    #: What an answer is: an object of JSON, or text.
    result: Literal["json", "text"] = "json"
    #: Seconds that one request may take.
    request_seconds: _Seconds = 60.0
    #: Seconds between two looks at work that was accepted (202), unless the endpoint says.
    poll_seconds: _Seconds = 5.0
    #: Bytes of an answer.
    max_bytes: Annotated[int, Field(ge=1, le=16 * 1024 * 1024)] = 4 * 1024 * 1024
