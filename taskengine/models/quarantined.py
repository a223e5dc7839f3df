"""A message that no worker could read, kept apart with its reason."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from taskengine.models.base import Moment


class QuarantinedMessage(BaseModel):
    """One entry of the quarantine."""

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    #: Made of the entry itself: the same entry always has the same one.
    id: str
    at: Moment
    queue: str
    reason: str
    #: Bytes of the message as it came.
    size: int
    #: Its beginning, 64 KiB at most; base64 in JSON.
    raw: bytes

    def view(self, most: int = 400) -> str:
        """Return the first *most* bytes as printable ASCII: whatever a stranger sent, it moves no cursor."""
        shown = repr(self.raw[:most])[2:-1]
        return shown if self.size <= most else f"{shown}… ({self.size} bytes)"


class QuarantinePage(list[QuarantinedMessage]):
    """One page of quarantined messages, newest first: a list with a cursor."""

    def __init__(self, messages: Iterable[QuarantinedMessage] = (), cursor: str | None = None) -> None:
        super().__init__(messages)
        #: Pass it back for the next page; None on the last one.
        self.cursor = cursor
