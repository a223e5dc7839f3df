"""Whether a raw message can be read: by kombu at all, and by a Celery worker as a task.

Celery trusts what it pops. A message that is not JSON, lacks ``properties`` or carries a number where a
list belongs raises deep inside the worker's event loop and ends the process; one without the header ``id``
makes it reconnect for ever. So the shape is stated here once, as types, and a message is held against it
before Celery sees it. The shape is Celery's message protocol 2 and nothing narrower: whatever a Celery
producer sends passes (a test sends all of canvas through it), also messages of tasks that are not ours.

Pure: bytes in, a reason or None out; 20 µs for a wake-up.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Annotated, Any, Literal, NotRequired, Required

from celery.utils.time import maybe_iso8601
from kombu.exceptions import ContentDisallowed, SerializationError
from kombu.transport.virtual import Base64
from kombu.utils.json import loads
from pydantic import AfterValidator, ConfigDict, Field, InstanceOf, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from taskengine.settings import REFERENCE_LIMIT

#: Bytes of a message, and of its body unpacked. Ours have 1.2 KiB; other tasks may carry their arguments.
MAX_BYTES = REFERENCE_LIMIT
#: Lists and dicts inside each other, outside of the body.
MAX_DEPTH = 100

#: What wrong data raises in code that trusts it: json, kombu's ``__type__`` decoders, Celery's request.
DATA_ERRORS = (
    ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError, EOFError,
    SerializationError, ContentDisallowed, zlib.error, lzma.LZMAError,
)  # fmt: skip

_OPEN = ConfigDict(strict=True, extra="allow")
_CLOSED = ConfigDict(strict=True, extra="forbid")


class _Fault(ValueError):  # noqa: N818  # the field's word
    """The message cannot be read; says why."""


def _readable_time(text: str) -> str:
    try:
        moment = maybe_iso8601(text)
    except DATA_ERRORS as exc:
        raise ValueError(f"not an ISO 8601 time: {exc}") from exc
    if moment is None or not 1970 <= moment.year < 9000:
        raise ValueError("not a year between 1970 and 9000")  # time zones overflow near years 1 and 9999
    return text


Name = Annotated[str, Field(min_length=1, max_length=1024)]
Text = Annotated[str, Field(max_length=65_536)]
#: Also with lone surrogates, as file names have them: Celery's repr keeps them, pydantic's str refuses them.
AnyText = InstanceOf[str]
Count = Annotated[int, Field(ge=0, lt=2**63)]
Seconds = Annotated[float, Field(ge=0, le=1e9)]
Time = Annotated[Text, AfterValidator(_readable_time)]
Compression = Literal["application/x-gzip", "application/x-bz2", "application/x-lzma"]
Signature = dict[str, Any]


@with_config(_OPEN)
class _DeliveryInfo(TypedDict):
    exchange: Text
    routing_key: Text


@with_config(_OPEN)
class _Properties(TypedDict):
    delivery_tag: Name
    delivery_info: _DeliveryInfo
    body_encoding: NotRequired[Literal["base64", "utf-8"] | None]
    correlation_id: NotRequired[Text | None]
    reply_to: NotRequired[Text | None]
    priority: NotRequired[Annotated[int, Field(ge=0, le=255)] | None]


@with_config(_OPEN)
class _Headers(TypedDict):
    clock: NotRequired[Count | None]
    compression: NotRequired[Text | None]


@with_config(_OPEN)
class _TaskHeaders(TypedDict, total=False):
    id: Required[Name]
    task: Required[Name]
    lang: Text | None
    shadow: Text | None
    origin: Text | None
    root_id: Text | None
    parent_id: Text | None
    group: Text | None
    group_index: int | None
    argsrepr: AnyText | None
    kwargsrepr: AnyText | None
    eta: Time | None
    expires: Time | None
    retries: Count | None
    replaced_task_nesting: Count | None
    timelimit: Annotated[list[Seconds | None], Field(min_length=2, max_length=2)] | None
    ignore_result: bool | None
    stamped_headers: list[Text] | None
    stamps: dict[str, Any] | None
    compression: Compression | None
    # Belong into the body; a header of this name would replace what the worker looks up by attribute.
    callbacks: None
    errbacks: None
    chain: None
    chord: None


@with_config(_CLOSED)
class _Embed(TypedDict, total=False):
    callbacks: list[Signature] | None
    errbacks: list[Signature] | None
    chain: list[Signature] | None
    chord: Signature | None


_Message = TypedDict(
    "_Message",
    {
        "body": NotRequired[str | None],
        "content-type": NotRequired[str | None],
        "content-encoding": NotRequired[str | None],
        "headers": NotRequired[_Headers | None],
        "properties": _Properties,
    },
)
_TaskMessage = TypedDict(
    "_TaskMessage",
    {
        "body": Annotated[str, Field(min_length=1)],
        "content-type": Literal["application/json"],
        "content-encoding": NotRequired[str | None],
        "headers": _TaskHeaders,
        "properties": _Properties,
    },
)


@with_config(_OPEN)
class _TaskBody(TypedDict):
    body: tuple[list[Any], dict[str, Any], _Embed | None]


_MESSAGE: TypeAdapter[Any] = TypeAdapter(with_config(_OPEN)(_Message))
_TASK: TypeAdapter[Any] = TypeAdapter(with_config(_OPEN)(_TaskMessage))
_BODY: TypeAdapter[Any] = TypeAdapter(_TaskBody)

_INFLATERS: dict[str, Callable[[], Any]] = {
    "application/x-gzip": zlib.decompressobj,
    "application/x-bz2": bz2.BZ2Decompressor,
    "application/x-lzma": lzma.LZMADecompressor,
}


def message_fault(raw: bytes) -> str | None:
    """Return why kombu could not make a message of *raw* (a reply, an event, any other use); None when it can."""
    return _fault(_check_message, raw)


def task_fault(raw: bytes) -> str | None:
    """Return why a Celery worker could not make a task request of *raw*; None when it can.

    That no task of that name is registered is for Celery to say: it discards such a message without dying.
    """
    return _fault(_check_task, raw)


def _fault(check: Callable[[bytes], None], raw: bytes) -> str | None:
    try:
        check(raw)
    except ValidationError as exc:
        wrong = exc.errors(include_url=False)[0]
        where = ".".join(str(part) for part in wrong["loc"]) or "message"
        got = "" if wrong["type"] == "missing" else f", got {type(wrong['input']).__name__}"
        return f"{where}: {wrong['msg']}{got}"
    except _Fault as exc:
        return str(exc)
    return None


def _check_message(raw: bytes) -> None:
    message = _decoded(raw)
    _MESSAGE.validate_python(message)
    _content(message)


def _check_task(raw: bytes) -> None:
    message = _decoded(raw)
    _TASK.validate_python(message)
    content = _content(message)
    try:
        payload = loads(content)
    except DATA_ERRORS as exc:
        raise _Fault(f"body: not JSON: {_brief(exc)}") from exc
    if not isinstance(payload, list):
        raise _Fault(f"body: must be [args, kwargs, embed], got {type(payload).__name__}")
    _BODY.validate_python({"body": tuple(payload)})


def _decoded(raw: bytes) -> Any:
    if len(raw) > MAX_BYTES:
        raise _Fault(f"message: {len(raw)} bytes, the limit is {MAX_BYTES}")
    try:
        message = loads(raw)
    except DATA_ERRORS as exc:
        raise _Fault(f"message: not JSON: {_brief(exc)}") from exc
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and not _is_shallow(message, MAX_DEPTH):
        raise _Fault(f"message: more than {MAX_DEPTH} levels deep")  # could not be pickled for a pool child
    return message


def _is_shallow(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_is_shallow(each, levels - 1) for each in inner)


def _content(message: Any) -> bytes:
    body = message.get("body") or ""
    is_base64 = message["properties"].get("body_encoding") == "base64"
    try:
        content = Base64().decode(body) if is_base64 else body.encode()
        return _inflated(content, (message.get("headers") or {}).get("compression"))
    except (*DATA_ERRORS, OSError) as exc:  # bz2 says OSError of wrong data
        raise _Fault(f"body: cannot be unpacked: {_brief(exc)}") from exc


def _inflated(content: bytes, compression: str | None) -> bytes:
    if compression is None:
        return content
    inflater = _INFLATERS[compression]()
    plain: bytes = inflater.decompress(content, MAX_BYTES)  # 16 KiB may unpack to 16 MiB
    if not inflater.eof:
        raise EOFError(f"it is cut off or larger than {MAX_BYTES} bytes")
    return plain


def _brief(exc: Exception) -> str:
    return f"{type(exc).__name__}: {exc}"[:200]
