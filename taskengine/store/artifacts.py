"""What executions leave beside their results: bytes under a name, zipped, gone with their execution."""

from __future__ import annotations

import gzip
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from taskengine.errors import InvalidInputError, PayloadTooLargeError
from taskengine.models.artifact import LARGEST_ARTIFACT, MOST_OF_A_RUN, Artifact, ArtifactKind
from taskengine.store.call import Call, Operation
from taskengine.store.codec import digest, moment
from taskengine.store.keys import Keys
from taskengine.store.replies import Reply, reply
from taskengine.store.verb import Verb

#: Artifacts of one execution.
MOST_NAMES = 100
#: Bytes of a transcript beyond which its middle is left out.
LONGEST_TRANSCRIPT = 1024 * 1024
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
#: Executions read by one call.
_PIECE = 100

_PUT = Verb("put_artifact", reply)
_READ: Verb[list[Any]] = Verb("read_artifacts", list)


@dataclass(frozen=True, slots=True)
class Packed:
    """An artifact as it is stored."""

    name: str
    kind: ArtifactKind
    #: Bytes as they were given.
    size: int
    is_cut: bool
    #: Zipped, in base64: what is stored is text.
    body: str


def pack(
    name: str, body: bytes | str | Path, kind: ArtifactKind, clean: Callable[[bytes], bytes] = lambda content: content
) -> Packed:
    """Make *body* ready to be stored, after *clean*; a path is read. It takes a moment for megabytes, asks no server.

    InvalidInputError for a wrong name or a file that cannot be read, PayloadTooLargeError over the limits.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidInputError(f"artifact: name is {name!r:.80}; use 1 to 200 printable characters", field="name")
    kind = ArtifactKind(kind)
    content = clean(_content(name, body))
    size = len(content)
    is_cut = kind is ArtifactKind.TRANSCRIPT and size > LONGEST_TRANSCRIPT
    if is_cut:
        content = _without_middle(content)
    if len(content) > MOST_OF_A_RUN:
        raise PayloadTooLargeError(f"artifact {name!r}", size, MOST_OF_A_RUN)
    zipped = gzip.compress(content, mtime=0)
    if len(zipped) > LARGEST_ARTIFACT:
        raise PayloadTooLargeError(f"artifact {name!r}, zipped,", len(zipped), LARGEST_ARTIFACT)
    return Packed(name, kind, size, is_cut, b64encode(zipped).decode())


def _content(name: str, body: bytes | str | Path) -> bytes:
    if isinstance(body, Path):
        try:
            if (size := body.stat().st_size) > MOST_OF_A_RUN:
                raise PayloadTooLargeError(f"artifact {name!r}", size, MOST_OF_A_RUN)
            return body.read_bytes()
        except OSError as exc:
            raise InvalidInputError(f"artifact {name!r}: {body} cannot be read: {exc}", field="body") from exc
    if isinstance(body, str):
        return body.encode("utf-8", "backslashreplace")
    if not isinstance(body, bytes | bytearray | memoryview):
        raise InvalidInputError(f"artifact {name!r}: body is {body!r:.80}; give bytes, text or a path", field="body")
    return bytes(body)


def _without_middle(content: bytes) -> bytes:
    half = LONGEST_TRANSCRIPT // 2
    left_out = len(content) - 2 * half
    return content[:half] + f"\n[… {left_out} bytes are left out …]\n".encode() + content[-half:]


def put(execution: str, token: int, packed: Packed) -> Call[Reply]:
    """Keep an artifact of a running execution: ok, full (bytes of its others), many, fenced (status) or missing."""
    return _PUT(
        execution=execution, token=token, name=packed.name, size=packed.size, is_cut=int(packed.is_cut),
        kind=packed.kind.value, digest=digest(packed.body, packed.kind.value), body=packed.body,
        most=MOST_OF_A_RUN * 4 // 3, most_names=MOST_NAMES,
    )  # fmt: skip


def of_executions(ids: Sequence[str]) -> Operation[list[Artifact]]:
    """Return what these executions left, in their order, each by name."""
    found: list[Artifact] = []
    for at in range(0, len(ids), _PIECE):
        piece = ids[at : at + _PIECE]
        for id, raw in zip(piece, (yield from _READ(executions=piece)), strict=True):
            found += sorted(map(_artifact, [id] * (len(raw) // 2), raw[::2], raw[1::2]), key=lambda one: one.name)
    return found


def _artifact(execution: str, name: str, record: str) -> Artifact:
    ms, size, _, is_cut, kind, _ = record.split(" ")
    return Artifact(
        execution_id=UUID(execution), name=name, kind=ArtifactKind(kind), size=int(size), is_cut=is_cut == "1",
        created_at=moment(ms),
    )  # fmt: skip


def body(keys: Keys, execution: str, name: str) -> Call[bytes | None]:
    """Return the bytes of an artifact, None when there is none of that name."""
    return Call("HGET", (keys.of("artifact_bodies", execution), name), _unpacked, command=True)


def _unpacked(raw: str | None) -> bytes | None:
    return None if raw is None else gzip.decompress(b64decode(raw))
