"""Where a task stands with the model: what was said, how often it was asked, what that used."""

from __future__ import annotations

import base64
import hashlib
import zlib
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from taskengine.agents import Reference
from taskengine.models.spent import Spent

TYPE = "claude"
#: Bytes that a kept conversation may come to: what was kept is ours, but a server's answer is not believed blindly.
_LARGEST = 64 * 1024 * 1024

Message = dict[str, Any]


@dataclass(slots=True)
class Conversation:
    """One task's, over all its attempts."""

    #: What it began with; another prompt is another conversation.
    digest: str
    messages: list[Message]
    #: Requests that were answered.
    turns: int = 0
    #: Tokens of all of them, and of those that were cut.
    tokens: int = 0
    #: How the last answer ended; '' while the next word is ours.
    stop: str = ""
    #: Whether an answer that did not fit was sent back once.
    is_repaired: bool = False
    #: Of this attempt alone.
    spent: Spent = field(default_factory=lambda: Spent("unknown"))

    @classmethod
    def begin(cls, prompt: str, model: str) -> Conversation:
        """Return one that begins with *prompt*."""
        return cls(_digest(prompt), [{"role": "user", "content": prompt}], spent=Spent(model))

    @classmethod
    def after(cls, previous: Reference | None, prompt: str, model: str) -> Conversation:
        """Return the one that an earlier attempt left, where it was; a new one if there is none of this prompt."""
        begun = cls.begin(prompt, model)
        if previous is None or previous.type != TYPE or previous.words.get("digest") != begun.digest:
            return begun
        words: dict[str, Any] = previous.words
        begun.messages += _unpacked(words["said"])
        begun.turns, begun.tokens = int(words["turns"]), int(words["tokens"])
        begun.stop, begun.is_repaired = str(words["stop"]), bool(words["repaired"])
        return begun

    def reference(self, id: str) -> Reference:
        """Return what the next attempt needs; the prompt, which it has, is left out."""
        words: dict[str, JsonValue] = {
            "digest": self.digest, "said": _packed(self.messages[1:]), "turns": self.turns, "tokens": self.tokens,
            "stop": self.stop, "repaired": self.is_repaired,
        }  # fmt: skip
        return Reference(TYPE, "posted", id, words=words)

    def heard(self, content: list[dict[str, Any]], stop: str) -> None:
        """Add a whole answer."""
        self.messages.append({"role": "assistant", "content": content})
        self.turns += 1
        self.stop = stop

    def say(self, content: Any) -> None:
        """Add what the model is told next."""
        self.messages.append({"role": "user", "content": content})
        self.stop = ""

    def used(self, spent: Spent) -> None:
        """Count what a request used."""
        self.spent = self.spent.plus(spent)
        self.tokens += spent.tokens

    @property
    def text(self) -> str:
        """The text of the last answer; '' before the first."""
        return text_of(self.last) if self.turns else ""

    @property
    def last(self) -> list[dict[str, Any]]:
        """The last answer; empty before the first."""
        found: Any = next((m["content"] for m in reversed(self.messages) if m["role"] == "assistant"), [])
        return found if isinstance(found, list) else []


def text_of(content: list[dict[str, Any]]) -> str:
    """Return the text of an answer."""
    return "".join(block.get("text", "") for block in content if block.get("type") == "text")


def _digest(prompt: str) -> str:
    return hashlib.sha256(prompt.encode(errors="replace")).hexdigest()[:32]


def _packed(messages: list[Message]) -> str:
    return base64.b85encode(zlib.compress(to_json(messages), 6)).decode()


def _unpacked(text: str) -> list[Message]:
    found: list[Message] = from_json(zlib.decompressobj().decompress(base64.b85decode(text), _LARGEST))
    return found
