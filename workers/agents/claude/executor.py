"""The executor of the type ``claude``: one conversation a task, one streamed request a turn.

The order within a turn is what a kill leans on: ask, note what it used, checkpoint the answer, and only then act on it
(call tools, ask a person, end). So an attempt that takes up finds either the question or the whole answer, and never
pays for an answer that was heard to its end. Tools that were called before the second checkpoint are called again, with
the same call id.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from dataclasses import replace
from typing import Any, ClassVar

import anthropic
import httpx2
from pydantic import JsonValue

from taskengine.agents import AgentContext, Health, NeedsInput, Secrets
from taskengine.agents.claude import ClaudeConfig
from taskengine.core.prompt import RULE
from taskengine.core.schemas import refuse_schema
from taskengine.errors import AgentError, InvalidInputError, PayloadTooLargeError
from taskengine.models import Outcome, Task
from taskengine.models.agent import AgentRecord
from taskengine.models.artifact import ArtifactKind
from taskengine.models.question import Question
from workers.agents.answer_text import in_words
from workers.agents.claude.answer import answer_of, partial
from workers.agents.claude.classify import ERRORS, outcome_of, remaining
from workers.agents.claude.conversation import Conversation, text_of
from workers.agents.claude.stream import Turn, stream
from workers.agents.claude.toolbox import Toolbox, tools_of
from workers.agents.claude.wanted import format_of

#: Seconds to connect, and to hand a request over. Reading has no limit here: pings would reset it.
_CONNECT, _WRITE = 30.0, 60.0
#: Loggers of the client that tell of each request.
_TALKATIVE = ("anthropic", "httpx2", "httpcore2")
#: Connections that are kept for the next requests; how many there are at once is up to the slots of the worker.
_KEPT = 100
#: The tool by which a model asks a person.
ASK = "ask_person"
_ASK_TOLD: dict[str, Any] = {
    "name": ASK,
    "description": "Ask a person, when you cannot go on without an answer or a decision. They may take hours.",
    "input_schema": {
        "type": "object",
        "properties": {
            "question": {"type": "string", "maxLength": 10_000},
            "options": {"type": "array", "items": {"type": "string"}, "description": "What may be chosen, if anything"},
        },
        "required": ["question"],
        "additionalProperties": False,
    },
}


class Claude:
    """Runs tasks on Claude; one instance and one client a process."""

    holds_slot: ClassVar[bool] = True
    #: What it does is paid for, or has effects elsewhere.
    stops_when_cut_off: ClassVar[bool] = True
    #: Its runs read ``context.prompt``, which is made before they begin.
    reads_prompt: ClassVar[bool] = True

    def __init__(self, record: AgentRecord, secrets: Secrets) -> None:
        self._config = _config_of(record)
        self._secret = _secret_of(record)
        self._secrets = secrets
        self._toolbox = Toolbox(tools_of(record, self._config.tools))
        self._client: anthropic.AsyncAnthropic | None = None

    @classmethod
    def check(cls, record: AgentRecord, secrets: Secrets) -> None:
        """AgentError when the configuration is wrong, the secret is missing or a tool was not imported."""
        config = _config_of(record)
        tools_of(record, config.tools)
        if config.output_schema is not None:
            _refuse_schema(record, config.output_schema)
        secrets.get(_secret_of(record))

    async def open(self) -> None:
        """Make the client. Its own retries are off: they would sleep in a slot, and nobody would hear of the limit."""
        gc.freeze()  # the client's library is a hundred thousand objects that every full collection would look at
        for name in _TALKATIVE:  # a line a request would be a trip a request: they are the task's log
            logging.getLogger(name).setLevel(logging.WARNING)
        timeout = httpx2.Timeout(connect=_CONNECT, write=_WRITE, read=None, pool=None)
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=_KEPT)
        self._client = anthropic.AsyncAnthropic(
            api_key=self._secrets.get(self._secret), max_retries=0, timeout=timeout,
            http_client=anthropic.DefaultAsyncHttpxClient(limits=limits, timeout=timeout, follow_redirects=False),
        )  # fmt: skip

    async def close(self) -> None:
        """Close the client and its connections."""
        self._toolbox.close()
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def health(self) -> Health:
        """Ask the service for a model, which costs nothing."""
        try:
            await self._open.models.list(limit=1, timeout=_CONNECT)
        except ERRORS as exc:
            return Health(False, outcome_of(exc, secret=self._secret, attempt=1).error or "no answer")
        return Health(True, f"{self._open.base_url.host} takes secret {self._secret}")

    async def run(self, task: Task, context: AgentContext) -> Outcome:
        """Go on behind the last finished turn until there is an answer, a limit or an error."""
        run = _Run(self, task, context)
        outcome = await run.work()
        if outcome.kind == "failed":
            await run.keep_transcript()
        spent = run.talk.spent
        return replace(outcome, spent=(spent,) if spent.requests else ())

    @property
    def _open(self) -> anthropic.AsyncAnthropic:
        if self._client is None:
            raise RuntimeError("open() was not awaited")
        return self._client


class _Run:
    """One attempt at a task."""

    def __init__(self, claude: Claude, task: Task, context: AgentContext) -> None:
        self._claude = claude
        self._config = claude._config
        self._context = context
        self._schema: dict[str, JsonValue] | None = task.output_schema or self._config.output_schema
        self._say_every = task.heartbeat_timeout / 3 if task.heartbeat_timeout else None
        self._said_at = time.monotonic()
        self.talk = Conversation.after(context.previous, context.prompt, self._config.model)
        self._fixed = self._request(task)
        self._last_tokens = 0

    async def work(self) -> Outcome:
        """Take turns until the attempt is over."""
        while True:
            if not self.talk.stop:
                ended = self._limit() or await self._ask()
                if ended is not None:
                    return ended
            ended = await self._act()
            if ended is not None:
                return ended

    async def _ask(self) -> Outcome | None:
        """Have one turn; an outcome when it failed."""
        if self._last_tokens:  # the first request of an attempt came with its start
            await self._context.aio.permit(
                1, input_tokens=self._last_tokens, output_tokens=self._config.max_tokens // 4
            )
        turn = Turn(self._config.model)
        try:
            request = {**self._fixed, "messages": self.talk.messages}
            seconds = self._config.stall_seconds
            await stream(self._claude._open, turn, request, seconds, self._show, lambda: self._note(turn))
        except ERRORS as exc:
            if turn.is_whole:  # it was heard to its end; how the connection ended is nobody's business
                return None
            self.talk.used(turn.spent)
            return self._broken(turn, exc)
        return None

    async def _note(self, turn: Turn) -> None:
        """Make a finished turn durable: what was said, what it used, what is left of the key's limits."""
        self.talk.used(turn.spent)
        self._last_tokens = turn.spent.tokens
        self.talk.heard(turn.content, turn.stop)
        await asyncio.gather(self._checkpoint(turn.id), self._context.aio.spent(self.talk.spent))
        if left := remaining(turn.headers):
            await self._context.aio.observe(left)
        self._context.progress(min(1.0, self.talk.turns / self._config.max_turns), f"turn {self.talk.turns}")

    async def _act(self) -> Outcome | None:
        """Do what the last answer asks for; None when the model is to be asked again."""
        match self.talk.stop:
            case "tool_use":
                return await self._call_tools()
            case "pause_turn":  # its own tools took long: the same again goes on
                self.talk.stop = ""
                return None
            case _:
                answer = answer_of(self.talk, self._schema)
                if isinstance(answer, Outcome):
                    return answer
                self.talk.is_repaired = True
                self.talk.say(answer.text)
                return None

    async def _call_tools(self) -> Outcome | None:
        calls = [block for block in self.talk.last if block.get("type") == "tool_use"]
        asked = next((call for call in calls if call["name"] == ASK and self._config.may_ask), None)
        results: list[dict[str, Any]] = []
        if asked is not None:
            answer = self._context.answer
            if answer is None or answer.question_id != asked["id"]:
                return Outcome("needs_input", question=_question(asked))
            results = [{"type": "tool_result", "tool_use_id": asked["id"], "content": _text(answer.value)}]
        others = [call for call in calls if call is not asked]
        try:
            results += await self._claude._toolbox.call(others, self._context)
        except NeedsInput as exc:
            return Outcome("needs_input", question=exc.question)
        self.talk.say(results)
        await self._checkpoint("")
        return None

    def _limit(self) -> Outcome | None:
        """Return the end of a task that may ask no more."""
        talk, config = self.talk, self._config
        if talk.turns >= config.max_turns:
            return partial(talk, "limit", f"it took {talk.turns} turns without an end; max_turns is {config.max_turns}")
        tokens = max(talk.tokens, self._context.tokens_used + talk.spent.tokens)
        if tokens >= config.max_total_tokens:
            used = f"it used {tokens} tokens without an end"
            return partial(talk, "limit", f"{used}; max_total_tokens is {config.max_total_tokens}")
        left = self._context.tokens_left
        if left is not None and talk.spent.tokens >= left:
            return partial(talk, "limit", f"it used the last {left} of the tokens that the task may use")
        return None

    def _broken(self, turn: Turn, exc: Exception) -> Outcome:
        """Return the outcome of a turn that an error ended; the text that came is kept."""
        outcome = outcome_of(exc, secret=self._claude._secret, attempt=self._context.attempt)
        text = text_of(turn.content)
        if outcome.kind != "failed" or not text:
            return outcome
        return replace(outcome, output={"text": text, "model": turn.model, "turns": self.talk.turns})

    async def _checkpoint(self, id: str) -> None:
        try:
            await self._context.aio.checkpoint(self.talk.reference(id))
        except PayloadTooLargeError as exc:
            self._context.log(f"not kept for a next attempt, which would begin anew: {exc}", "warning")

    async def keep_transcript(self) -> None:
        """Keep what was said beside a failure, for whoever looks for its reason."""
        if self.talk.turns:
            lines = (f"## {message['role']}\n\n{_readable(message['content'])}\n" for message in self.talk.messages)
            await self._context.aio.artifact("transcript.md", "\n".join(lines), ArtifactKind.TRANSCRIPT)

    def _show(self, text: str) -> None:
        self._context.stream(text)
        if self._say_every is not None and time.monotonic() - self._said_at > self._say_every:
            self._said_at = time.monotonic()
            self._context.progress(min(1.0, self.talk.turns / self._config.max_turns), f"turn {self.talk.turns + 1}")

    def _request(self, task: Task) -> dict[str, Any]:
        """Return what is the same in each request of the task."""
        config = self._config
        wanted = None if self._schema is None else format_of(self._schema)
        system = [
            config.system, RULE if '<data source="' in self.talk.messages[0]["content"] else None,
            in_words(self._schema) if self._schema is not None and wanted is None else None,
        ]  # fmt: skip
        told = self._claude._toolbox.told + ([_ASK_TOLD] if config.may_ask else [])
        output: dict[str, Any] = {} if config.effort is None else {"effort": config.effort}
        if wanted is not None:
            output["format"] = wanted
        given: dict[str, Any] = {
            "model": config.model, "max_tokens": config.max_tokens, "system": "\n\n".join(filter(None, system)),
            "tools": told, "output_config": output, "thinking": config.thinking,
            "stop_sequences": list(config.stop_sequences), "metadata": {"user_id": str(task.id)},
        }  # fmt: skip
        return {name: value for name, value in given.items() if value}


def _config_of(record: AgentRecord) -> ClaudeConfig:
    try:
        return ClaudeConfig.model_validate(record.config)
    except InvalidInputError as exc:
        raise AgentError(f"agent {record.id!r}, config: {exc}") from exc


def _refuse_schema(record: AgentRecord, schema: dict[str, JsonValue]) -> None:
    try:
        refuse_schema(schema)
    except InvalidInputError as exc:
        raise AgentError(f"agent {record.id!r}, config: {exc}") from exc


def _secret_of(record: AgentRecord) -> str:
    if record.secret is None:
        raise AgentError(
            f"agent {record.id!r} names no secret; register it with the name of its key, as secret='ANTHROPIC_API_KEY'"
        )
    return record.secret


def _question(call: dict[str, Any]) -> Question:
    given = call["input"] if isinstance(call["input"], dict) else {}
    text = str(given.get("question") or "It asks, and did not say what.")[:10_000]
    options = tuple(str(each)[:500] for each in given.get("options") or () if str(each))[:100]
    return Question(id=call["id"], text=text, options=options, kind="choice" if options else "text")


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else str(value)


def _readable(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n\n".join(str(block.get("text") or {k: v for k, v in block.items() if k != "type"}) for block in content)
