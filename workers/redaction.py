"""One rule for obvious secrets in what is shown: event arguments and log lines."""

from __future__ import annotations

import re

_SECRET = re.compile(r"(?i)\b(pass(?:word|wd)?|secret|token|api[_-]?key|authorization)\b(\s*[=:]\s*)\S+")


def redacted(text: str) -> str:
    """*text* without what follows words such as ``password=``. It finds the obvious, not every secret."""
    if "=" not in text and ":" not in text:
        return text
    return _SECRET.sub(r"\1\2***", text)
