"""Values of secrets that this process gave out, found again wherever they would be stored, and hidden there.

As they are, as URLs and JSON spell them, and inside of base64: three forms, for what stands before a value shifts it.
"""

from __future__ import annotations

import logging
import re
import threading
import traceback
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

from taskengine.store.codec import dumps, loads

#: What stands in the place of a secret.
MASK = "***"
#: Characters of the shortest value that is looked for: a shorter one stands in many words.
SHORTEST = 8
_FORMS: set[str] = set()
_changing = threading.Lock()


class _Known:
    """What is looked for; both None before the first value."""

    text: re.Pattern[str] | None = None
    bytes: re.Pattern[bytes] | None = None


def learn(value: str) -> None:
    """Hide *value* from now on, unless it is too short. Safe to repeat, from any thread."""
    new = {form for form in _forms(value) if len(form) >= SHORTEST}
    if new <= _FORMS:
        return
    with _changing:
        if _Known.text is None:
            _hide_in_records()
        longest_first = sorted(_FORMS | new, key=len, reverse=True)
        _Known.text = re.compile("|".join(map(re.escape, longest_first)))
        _Known.bytes = re.compile(b"|".join(re.escape(form.encode()) for form in longest_first))
        _FORMS.update(new)  # last: whoever finds them there goes on, and they are hidden by then


def without_secrets(text: str) -> str:
    """*text* with :data:`MASK` for each known value; JSON stays JSON."""
    return text if _Known.text is None else _Known.text.sub(MASK, text)


def begun(text: str) -> int:
    """Return how many characters at the end of *text* may be the beginning of a known value; 0: none is."""
    if _Known.text is None:
        return 0
    forms = tuple(_FORMS)
    firsts = {form[0] for form in forms}
    for start in range(max(0, len(text) + 1 - max(map(len, forms))), len(text)):
        if text[start] in firsts and any(form.startswith(text[start:]) for form in forms):
            return len(text) - start
    return 0


def without_secret_bytes(content: bytes) -> bytes:
    """Return the same of bytes."""
    return content if _Known.bytes is None else _Known.bytes.sub(MASK.encode(), content)


def without_secrets_in(value: Any) -> Any:
    """Return the same of a JSON value, its keys too."""
    if _Known.text is None:
        return value
    text = dumps(value, "value")
    found = without_secrets(text)
    return value if found == text else loads(found)


def _hide_in_records() -> None:
    """Hide values in all that is logged here from now on, and so in what agents print, which a worker logs."""
    make = logging.getLogRecordFactory()

    def made(*args: Any, **options: Any) -> logging.LogRecord:
        record = make(*args, **options)
        try:
            said = record.getMessage()
        except Exception:  # a wrong format: whoever shows the record says so
            return record
        if (hidden := without_secrets(said)) != said:
            record.msg, record.args = hidden, ()
        if record.exc_info and record.exc_info[1] is not None:
            trace = "".join(traceback.format_exception(record.exc_info[1])).rstrip()
            if (hidden := without_secrets(trace)) != trace:
                record.exc_text = hidden  # what formatters show instead of the error
        return record

    logging.setLogRecordFactory(made)


def _forms(value: str) -> Iterator[str]:
    lines = (line.strip() for line in value.splitlines())
    for each in {value, *(line for line in lines if len(line) >= 2 * SHORTEST)}:
        yield from (each, quote(each, safe=""), quote_plus(each), dumps(each, "value")[1:-1])
    if len(value) < SHORTEST:
        return
    encoders: tuple[Callable[[bytes], bytes], ...] = (b64encode, urlsafe_b64encode)
    for before in range(3):
        content = b"\0" * before + value.encode("utf-8", "surrogateescape")
        whole = len(content) * 8 // 6
        for encode in encoders:
            yield encode(content)[(before * 8 + 5) // 6 : whole].decode()
