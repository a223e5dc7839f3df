"""Messages that nobody can read, by what is wrong with them: raw bytes and a part of the reason."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from typing import Any

from .celery_fleet import wake

MISSING = object()


class Bomb:
    """Unpickled by anybody, it leaves a file behind."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (open, (self.path, "w"))


def altered(*path: str, to: Any) -> bytes:
    """A good message with one place changed, or taken out."""
    message: Any = json.loads(wake("poison"))
    place = message
    for name in path[:-1]:
        place = place[name]
    if to is MISSING:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return json.dumps(message).encode()


def with_body(content: bytes | Any, **headers: Any) -> bytes:
    """A good message with another body (bytes as they are, else as JSON)."""
    message: Any = json.loads(wake("poison"))
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    message["body"] = base64.b64encode(raw).decode()
    message["headers"].update(headers)
    return json.dumps(message).encode()


def pickled(path: str) -> bytes:
    """A message whose body is a pickle that writes to *path*."""
    message: Any = json.loads(wake("poison"))
    message["body"] = base64.b64encode(pickle.dumps(Bomb(path))).decode()
    message["content-type"] = "application/x-python-serialize"
    message["content-encoding"] = "binary"
    return json.dumps(message).encode()


NO_EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}

SHAPES: dict[str, tuple[bytes, str]] = {
    "empty": (b" ", "not JSON"),
    "words": (b"hello", "not JSON"),
    "cut off": (wake("poison")[:-20].encode(), "not JSON"),
    "two messages": (wake("poison").encode() * 2, "not JSON"),
    "null": (b"null", "message: Input should be a valid dictionary"),
    "number": (b"17", "message: Input should be a valid dictionary"),
    "text": (b'"text"', "message: Input should be a valid dictionary"),
    "list": (b"[1, 2]", "message: Input should be a valid dictionary"),
    "no keys": (b"{}", "Field required"),
    "not UTF-8": (wake("poison").encode().replace(b"lint", b"li\xff\xfe"), "UnicodeDecodeError"),
    "lone surrogate": (wake("\\ud800").encode(), "unicode"),
    "100 000 deep": (b"[" * 100_000 + b"]" * 100_000, "RecursionError"),
    "deep header": (b'{"headers": ' + b'{"a":' * 150 + b"1" + b"}" * 151, "levels deep"),
    "unknown __type__": (altered("headers", "x", to={"__type__": "no", "__value__": 1}), "Unsupported type"),
    "wrong __type__": (altered("headers", "x", to={"__type__": "bytes", "__value__": 1}), "AttributeError"),
    "unhashable __type__": (altered("headers", "x", to={"__type__": [], "__value__": 1}), "TypeError"),
    "huge number": (b'{"a": ' + b"1" * 5000 + b"}", "not JSON"),
    "no properties": (altered("properties", to=MISSING), "properties: Field required"),
    "properties list": (altered("properties", to=[]), "properties: Input should be a valid dictionary"),
    "no delivery_tag": (altered("properties", "delivery_tag", to=MISSING), "delivery_tag: Field required"),
    "delivery_tag number": (altered("properties", "delivery_tag", to=5), "delivery_tag"),
    "delivery_tag list": (altered("properties", "delivery_tag", to=[]), "delivery_tag"),
    "no delivery_info": (altered("properties", "delivery_info", to=None), "delivery_info"),
    "delivery_info text": (altered("properties", "delivery_info", to="x"), "delivery_info"),
    "exchange number": (altered("properties", "delivery_info", "exchange", to=5), "exchange"),
    "unknown body_encoding": (altered("properties", "body_encoding", to="rot13"), "body_encoding"),
    "body_encoding number": (altered("properties", "body_encoding", to=64), "body_encoding"),
    "correlation_id dict": (altered("properties", "correlation_id", to={}), "correlation_id"),
    "priority text": (altered("properties", "priority", to="high"), "priority"),
    "no headers": (altered("headers", to=MISSING), "headers: Field required"),
    "headers null": (altered("headers", to=None), "headers: Input should be a valid dictionary"),
    "headers list": (altered("headers", to=["task"]), "headers: Input should be a valid dictionary"),
    "no id": (altered("headers", "id", to=MISSING), "headers.id: Field required"),
    "id null": (altered("headers", "id", to=None), "headers.id"),
    "id list": (altered("headers", "id", to=["a"]), "headers.id"),
    "id empty": (altered("headers", "id", to=""), "headers.id"),
    "id huge": (altered("headers", "id", to="x" * 10_000), "headers.id"),
    "no task": (altered("headers", "task", to=MISSING), "headers.task: Field required"),
    "task number": (altered("headers", "task", to=5), "headers.task"),
    "task dict": (altered("headers", "task", to={}), "headers.task"),
    "timelimit number": (altered("headers", "timelimit", to=3), "headers.timelimit"),
    "timelimit of one": (altered("headers", "timelimit", to=[1]), "headers.timelimit"),
    "timelimit of texts": (altered("headers", "timelimit", to=["1", "2"]), "headers.timelimit"),
    "timelimit endless": (altered("headers", "timelimit", to=[float("inf"), None]), "headers.timelimit"),
    "retries list": (altered("headers", "retries", to=[]), "headers.retries"),
    "eta words": (altered("headers", "eta", to="tomorrow"), "headers.eta"),
    "eta number": (altered("headers", "eta", to=12), "headers.eta"),
    "expires year 1": (altered("headers", "expires", to="0001-01-01T00:00:00"), "headers.expires"),
    "stamped_headers number": (altered("headers", "stamped_headers", to=5), "headers.stamped_headers"),
    "stamps list": (altered("headers", "stamps", to=["a"]), "headers.stamps"),
    "root_id list": (altered("headers", "root_id", to=[]), "headers.root_id"),
    "shadow dict": (altered("headers", "shadow", to={}), "headers.shadow"),
    "errbacks as a header": (altered("headers", "errbacks", to=5), "headers.errbacks"),
    "unknown compression": (altered("headers", "compression", to="rar"), "headers.compression"),
    "not compressed": (altered("headers", "compression", to="application/x-gzip"), "cannot be unpacked"),
    "zip bomb": (with_body(zlib.compress(b" " * 2**25), compression="application/x-gzip"), "larger than"),
    "pickle": (pickled("/nowhere"), "content-type"),
    "no content-type": (altered("content-type", to=MISSING), "content-type"),
    "content-type list": (altered("content-type", to=["application/json"]), "content-type"),
    "content-encoding number": (altered("content-encoding", to=8), "content-encoding"),
    "no body": (altered("body", to=MISSING), "body: Field required"),
    "body null": (altered("body", to=None), "body"),
    "body dict": (altered("body", to={"args": []}), "body"),
    "body empty": (altered("body", to=""), "body"),
    "body not base64": (altered("body", to="a"), "body: cannot be unpacked"),
    "body not JSON": (with_body(b"\xff\xfe"), "body: not JSON"),
    "body deep": (with_body(b"[" * 50_000 + b"]" * 50_000), "body: not JSON: RecursionError"),
    "body number": (with_body(5), "must be [args, kwargs, embed]"),
    "body of protocol 1": (with_body({"task": "own", "id": "a", "args": [], "kwargs": {}}), "must be [args"),
    "body of two": (with_body([[], {}]), "Field required"),
    "body of four": (with_body([[], {}, NO_EMBED, 1]), "at most 3 items"),
    "args dict": (with_body([{}, {}, NO_EMBED]), "valid list"),
    "args null": (with_body([None, {}, NO_EMBED]), "body.0: Input should be a valid list, got NoneType"),
    "kwargs list": (with_body([[], [], NO_EMBED]), "valid dictionary"),
    "kwargs null": (with_body([[], None, NO_EMBED]), "valid dictionary"),
    "embed text": (with_body([[], {}, "x"]), "valid dictionary"),
    "embed unknown": (with_body([[], {}, {"id": "other"}]), "Extra inputs are not permitted"),
    "callbacks number": (with_body([[], {}, {**NO_EMBED, "callbacks": 5}]), "callbacks"),
    "errbacks of texts": (with_body([[], {}, {**NO_EMBED, "errbacks": ["x"]}]), "errbacks"),
    "chord list": (with_body([[], {}, {**NO_EMBED, "chord": []}]), "chord"),
    "17 MiB": (altered("headers", "x", to="x" * (17 * 2**20)), "the limit is"),
}
