"""Keys for the server of REST: what each may do, until when and how often; a secret stands in none but a new one."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from taskengine.models.base import InputModel, Moment
from taskengine.models.enums import KeyScope


class ApiKey(InputModel):
    """A stored key, without its secret, which nobody stores."""

    model_config = ConfigDict(frozen=True)

    id: str
    #: Whose it is: what is done with it stands under this name.
    name: str
    scope: KeyScope
    created_at: Moment
    #: None: never.
    expires_at: Moment | None
    #: Requests a minute; 0: any number.
    rate: int
    #: About a minute exact; None when it was never used.
    used_at: Moment | None
    #: A server made it for its machine, and renews it while it serves.
    is_local: bool = False


class NewKey(InputModel):
    """A key that was just made: the only time that its secret is told."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    scope: KeyScope
    #: None: never.
    expires_at: Moment | None
    #: Requests a minute; 0: any number.
    rate: int
    #: What is shown as ``Authorization: Bearer``: ``te_ID_SECRET``. A log of this object does not hold it.
    key: str = Field(repr=False)
