"""``server.json``: where the server of a folder listens and which process it is."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from taskengine.embedded.layout import write_private


class Note(BaseModel):
    """Written before the server starts (pid and run_id None) and again when it answers."""

    model_config = ConfigDict(frozen=True)

    #: The folder that the note was written for: a copied folder carries the note of another one's server.
    home: Path
    socket: Path
    pid: int | None = None
    run_id: str | None = None

    @property
    def url(self) -> str:
        """The address as kombu and Flower read it; redis-py says ``unix://`` for the same."""
        return f"redis+socket://{self.socket}"

    def write(self, path: Path) -> None:
        """Replace the note at *path*, 0600."""
        write_private(path, self.model_dump_json(indent=1) + "\n")


def read_note(path: Path) -> Note | None:
    """Return the note at *path*; None if there is none or it is not ours to read (cut, edited)."""
    try:
        return Note.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
