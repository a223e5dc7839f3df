"""The one place through which everything passes that leaves a worker and may hold what an agent said: log lines and
their metadata, progress notes, errors, tracebacks, reasons, arguments of events.

It finds what looks like a secret: the value behind a name that ends like one (``DB_PASSWORD=``, ``"access_token":``,
``--api-key``), the password of a URL, a header's credentials, private keys, and tokens of a shape that their issuer
made known; and each value that this process gave an agent as a secret. Another secret without such a sign (``the
password is x``, a key printed line by line) it cannot know.

It looks at a character a bounded number of times, whatever a line holds: runs are matched possessively, a match begins
only where a run does, and what was masked is not looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from workers.known_secrets import MASK, without_secrets

#: Characters from the end of a name that are looked at.
_TAIL = 48

#: Endings of a name in small letters and digits behind which a secret stands.
_SECRET = re.compile(
    r"(?:passwords?|passwd|passphrase|passcode|pwd|secret|token|jwt|credentials?|authorization|cookie|connectionstring"
    r"|(?:api|access|secret|private|signing|encryption|account|master|subscription|shared|auth)keys?)\Z"
)
#: The same, where only a whole word counts: ``bypass`` is none.
_SECRET_WORD = re.compile(r"(?:\A|[^a-z0-9])(?:pass|otp)\Z")
#: Follows such a name in a name: ``password_hash``, ``TOKEN_2``.
_DECORATION = re.compile(r"(?:[_.-]?(?:value|base64|base|b64|hash|old|new|current|confirmation|confirm|\d+))+\Z")
_NOT_A_LETTER = re.compile(r"[^a-z0-9]+")
#: Headers whose value is many words.
_HEADERS = ("authorization", "cookie")
#: More names of secrets in the query of a URL, and in a call.
_IN_QUERY = frozenset({"key", "sig", "signature", "auth", "x-amz-signature", "x-goog-signature"})
_IN_CALL = "auth"

#: A line without any of these holds no name of a secret.
_HINT = re.compile(r"pass|pwd|secret|token|jwt|cred|auth|cookie|key|otp|sig|connection| -u")

_NAMED = re.compile(
    r"(?<![\w.-])([\w.-]++)(\\*+(?:[\"']\]?+)?[ \t]*+(?:%3[dD]|[:!=]?=>?|:(?!:|//))[ \t]*+)"
)  # a name, and what stands between it and its value
_OPTION = re.compile(r"(?<![\w.-])(--?[A-Za-z][\w-]*+)([\"']?,?[ \t]++[\"']?)([^\s\"']++)")
_ELEMENT = re.compile(r"<([\w.:-]++)((?:\s[^<>]*+)?>)([^<]++)")
#: The beginning of a quoted value: the prefix of a literal, and a quote as often escaped as the text was quoted.
_QUOTE = re.compile(r"[bBrRuUfF]{0,2}(\\*+[\"'])")
_PLAIN = re.compile(r"(?:(?:bearer|basic|digest|token|negotiate)[ \t]++)?\S++", re.IGNORECASE)
_QUERY_VALUE = re.compile(r"[^\s&#\"'<>]++")
_LINE = re.compile(r"[^\r\n]*+")
_BRACKET = re.compile(r"[()\[\]{}\n]")
_AFTER = ",;)]}"
#: Values that give nothing away and tell much to whoever looks for a mistake.
_NOTHING = re.compile(r"(?:none|null|true|false|undefined|nil|\*+)?\Z", re.IGNORECASE)

_PRIVATE_KEY = re.compile(
    r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----).*?(?:-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_URL = re.compile(r"://((?:(?!://)[^\s\"'<>])++)")
# These begin with a letter, which a search looks for fast, and only then look behind it.
_SCHEME = re.compile(r"[bB](?<!\w.)((?i:earer|asic))([ \t]++)([\w.~+/=-]{16,}+)")
_SHAPE = re.compile(
    r"(?:g(?<![\w-].)(?:h[pousr]_\w{20,}+|ithub_pat_\w{20,}+|lpat-[\w-]{16,}+)|x(?<![\w-].)ox[a-z]-[\w-]{10,}+"
    r"|s(?<![\w-].)k-(?=[a-zA-Z_-]*+\d)[\w-]{16,}+|[rs](?<![\w-].)k_(?:live|test)_\w{10,}+"
    r"|A(?<![\w-].)(?:[KS]IA[A-Z0-9]{16}(?!\w)|Iza[\w-]{30,}+)|y(?<![\w-].)a29\.[\w-]{20,}+"
    r"|e(?<![\w-].)yJ[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]*+)?|n(?<![\w-].)pm_\w{30,}+|p(?<![\w-].)ypi-[\w-]{40,}+"
    r"|h(?<![\w-].)f_\w{20,}+|S(?<![\w-].)G\.[\w-]{16,}+\.[\w-]{16,}+)"
)
#: Characters of the shortest of them.
_SHORTEST = 15


def redacted(text: str) -> str:
    """*text* with :data:`MASK` for what looks like a secret, in time that grows with its length alone."""
    text = without_secrets(text)
    if "-----BEGIN" in text:
        text = _PRIVATE_KEY.sub(rf"\1{MASK}", text)
    if "://" in text:
        text = _URL.sub(_without_credentials, text)
    if _HINT.search(text.lower()) is not None:  # most lines end here
        text = "".join(_without_named(text))
        text = _ELEMENT.sub(_without_content, _OPTION.sub(_without_argument, text))
    return text if len(text) < _SHORTEST else _SHAPE.sub(MASK, _SCHEME.sub(_without_token, text))


def cleaned(value: Any, name: str = "") -> Any:
    """*value*, which is JSON, with its texts redacted, and :data:`MASK` for all under the name of a secret."""
    if isinstance(value, str):
        return MASK if name and _is_secret(name) and not _NOTHING.match(value) else redacted(value)
    if value is None or isinstance(value, bool):
        return value
    if name and _is_secret(name):
        return MASK
    if isinstance(value, dict):
        return {redacted(str(key)): cleaned(each, str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        before = ["", *(each if isinstance(each, str) and each.startswith("-") else "" for each in value)]
        return [cleaned(each, option) for option, each in zip(before, value, strict=False)]  # ["--password", "x"]
    return value


@lru_cache(maxsize=1024)
def _ends_like_a_secret(name: str) -> bool:
    name = _DECORATION.sub("", name) or name
    return bool(_SECRET.search(_NOT_A_LETTER.sub("", name)) or _SECRET_WORD.search(name))


def _is_secret(name: str) -> bool:
    return _ends_like_a_secret(name[-_TAIL:].lower())


def _without_named(text: str) -> Iterator[str]:
    done = 0
    while (found := _NAMED.search(text, done)) is not None:
        start = found.end()
        end = _end_of_value(text, found, start)
        yield text[done:start]
        if end > start:
            yield MASK
        done = end
    yield text[done:]


def _end_of_value(text: str, found: re.Match[str], start: int) -> int:
    """Return where the secret ends that begins at *start*; *start* itself where none does."""
    name, before = found[1], text[found.start() - 1 : found.start()]
    if before in ("?", "&") and (name.lower() in _IN_QUERY or _is_secret(name)):
        value = _QUERY_VALUE.match(text, start)
        return value.end() if value else start
    if not _is_secret(name) and not (name.lower() == _IN_CALL and "=" in found[2]):
        return start
    quote = _QUOTE.match(text, start)
    if quote is not None:
        return _end_of_quoted(text, quote)
    if text[start : start + 1] in ("(", "[", "{"):
        return _end_of_brackets(text, start)
    is_quoted = '"' in found[2] or "'" in found[2]
    within = before if before in ("'", '"') and not is_quoted else ""
    if ":" in found[2] and not is_quoted and name.lower().endswith(_HEADERS):
        return _end_of_line(text, start, within)
    return _end_of_plain(text, start, name, within)


def _end_of_quoted(text: str, quote: re.Match[str]) -> int:
    """Return the place of the closing quote, or the end of the line; *text* may be quoted text itself."""
    at = text.find(quote[1], quote.end())
    while at > 0 and text[at - 1] == "\\":
        at = text.find(quote[1], at + 1)
    if at < 0 or "\n" in text[quote.end() : at]:
        return _end_of_line(text, quote.end(), "")
    inner = text[quote.end() : at]
    return quote.start() if _NOTHING.match(inner) else at + len(quote[1])


def _end_of_brackets(text: str, start: int) -> int:
    depth = 0
    for found in _BRACKET.finditer(text, start):
        if found[0] == "\n":
            return found.start()
        depth += 1 if found[0] in "([{" else -1
        if depth == 0:
            return found.end()
    return len(text)


def _end_of_line(text: str, start: int, within: str) -> int:
    line = _LINE.match(text, start)
    end = line.end() if line else start
    closing = text.find(within, start, end) if within else -1
    return end if closing < 0 else closing


def _end_of_plain(text: str, start: int, name: str, within: str) -> int:
    value = _PLAIN.match(text, start)
    if value is None:
        return start
    end = text.find(within, start, value.end()) if within else -1
    shown = text[start : value.end() if end < 0 else end].rstrip(_AFTER)
    is_plain = bool(_NOTHING.match(shown)) or _is_harmless(name.lower(), shown)
    return start if is_plain else start + len(shown)


def _is_harmless(name: str, value: str) -> bool:
    """Return a test's ``pass: 12``, a shell's ``PWD=/home/me``."""
    return (name == "pass" and value.isdecimal()) or (name in ("pwd", "oldpwd") and value.startswith("/"))


def _without_credentials(found: re.Match[str]) -> str:
    rest = found[1]
    front, at, host = rest.rpartition("@")
    user, colon, password = front.partition(":")
    if not at or any(mark in user for mark in "/?#["):
        return found[0]
    if not colon:
        is_token = len(user) >= 20 and any(char.isdigit() for char in user)
        return f"://{MASK}@{host}" if is_token else found[0]
    if not password or re.match(r"\d*+[/?#]", password):  # a port: the @ lies in the path
        return found[0]
    return f"://{user}:{MASK}@{host}"


def _without_argument(found: re.Match[str]) -> str:
    option, between, value = found[1], found[2], found[3]
    if option in ("-u", "--user"):
        user, colon, password = value.partition(":")
        return f"{option}{between}{user}:{MASK}" if colon and password and not password.isdecimal() else found[0]
    return f"{option}{between}{MASK}" if option.startswith("--") and _is_secret(option) else found[0]


def _without_content(found: re.Match[str]) -> str:
    return f"<{found[1]}{found[2]}{MASK}" if _is_secret(found[1]) and found[3].strip() else found[0]


def _without_token(found: re.Match[str]) -> str:
    token = found[3]
    is_token = any(char.isdigit() for char in token) or token.endswith("=")
    return f"{found[0][0]}{found[1]}{found[2]}{MASK}" if is_token else found[0]
