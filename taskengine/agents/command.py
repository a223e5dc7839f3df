"""What the config of an agent of the type ``command`` holds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from taskengine.agents.config import AgentConfig

_Word = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=100_000)]
_Code = Annotated[int, Field(ge=0, le=255)]


class CommandConfig(AgentConfig):
    """The words of ``config={…}``."""

    #: The program and its arguments, never a shell's text. In all but the first ``${input.x}`` and
    #: ``${context.prompt}`` (also ``name``, ``task_id``, ``workdir``) stand for values; each item stays one argument.
    argv: tuple[_Word, ...] = Field(min_length=1, max_length=200)
    #: What it reads: the task as JSON, its prompt, or nothing.
    stdin: Literal["json", "prompt", "none"] = "json"
    #: What its output is: JSON, JSON in the last line, or text.
    result: Literal["json", "last_line", "text"] = "json"
    #: Exit codes of success.
    exit_codes: frozenset[_Code] = frozenset({0})
    #: Those that mean not now: the task comes back, and no retry is spent.
    not_now_codes: frozenset[_Code] = frozenset({75})
    #: Seconds until it comes back then.
    not_now_seconds: Annotated[float, Field(gt=0, le=86_400)] = 30.0
    #: Variables beside the few that every command gets; ``secret:NAME`` is a secret.
    env: dict[Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")], _Word] = Field(
        default_factory=dict, max_length=100
    )
    #: Whether a value may begin with a dash where its argument is that value alone: it could be taken for an option.
    dashes: bool = False
    #: Bytes of what it prints.
    max_bytes: Annotated[int, Field(ge=1, le=16 * 1024 * 1024)] = 4 * 1024 * 1024
