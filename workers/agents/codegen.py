"""The agent type ``codegen``: runs tasks at Codegen by its REST API, and holds no slot while they run there.

A run is posted once, whatever dies. The service keeps no idempotency key, so an *intent* is written down before the
post, and its mark goes into the metadata of the run. Who takes the task next looks for that mark in the list of runs,
and looks again a while later before it posts, for the post of an attempt that was killed may still be on its way. (By a
*not now*, so by the server's clock: two machines need not agree on the time.) The mark is that of the intent and not of
the task: a retry after an answer is another run of the same task.

Many runs are asked for by pages of the list, few each by itself, whichever takes fewer requests; both under what the
service allows. (Rejected: the ``codegen`` package. It needs other Pythons, has no timeouts, sleeps in the calling
thread, and may silently use another organisation. A function that uses it is served: :mod:`workers.adoption`.)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx2

from taskengine.agents import (
    AgentContext,
    Asks,
    Gone,
    Health,
    Over,
    Reference,
    RemoteState,
    Running,
    Secrets,
    Stopped,
    Tracked,
)
from taskengine.agents.codegen import CodegenConfig
from taskengine.agents.types import default_secret, read_config
from taskengine.errors import AgentError, InvalidInputError
from taskengine.models import Outcome, Task
from taskengine.models.agent import AgentRecord
from taskengine.models.question import Question
from taskengine.settings import environment
from workers.agents.addresses import Allowed, ForbiddenAddressError
from workers.agents.guard import guarded_client
from workers.agents.pace import Pace
from workers.agents.retry_after import delay_of
from workers.agents.run_status import failure_kind, meaning
from workers.agents.settings import worker_settings

TYPE = "codegen"
logger = logging.getLogger(__name__)

#: Runs of one page of the list.
PAGE = 100
#: Seconds behind an intent after which what is not in the list will not come any more.
UNSEEN_SECONDS = 15.0
#: Seconds by which the service's clock may be behind the server's.
_SKEW_SECONDS = 60.0
#: Seconds in which a post that is under way may end when its attempt is cancelled.
_FINISH_SECONDS = 10.0
#: Looks in a row that do not find a run before it counts as gone: a new one may take a while to be seen.
MISSES = 3
#: Longest ``Retry-After`` that a look waits for itself.
_LONGEST_HOLD = 30.0
#: Words of a reference: mark of its intent, organisation, whether somebody looked for it in vain, the question that was
#: answered last, how many were, looks in a row that did not find it.
MARK, ORG, LOOKED, ANSWERED, ANSWERS, MISSED = "mark", "org", "looked", "answered", "answers", "missed"
#: Characters of an answer that an error shows.
_SHOWN = 300
_FIELDS = ("result", "summary", "web_url", "github_pull_requests")


class Codegen:
    """Posts runs for one organisation and asks for them; one client a process."""

    holds_slot: ClassVar[bool] = False
    reads_prompt: ClassVar[bool] = True

    def __init__(self, record: AgentRecord, secrets: Secrets) -> None:
        self._record = record
        self._secrets = secrets
        self._config = _config_of(record)
        self._org = _org_id(record)
        self._root = f"{self._config.base_url.rstrip('/')}/v1/organizations/{self._org}/agent/"
        self._client: httpx2.AsyncClient | None = None
        self._pace = Pace(self._config.requests_per_30_seconds, 30.0)
        self.poll_seconds = self._config.poll_seconds

    @classmethod
    def check(cls, record: AgentRecord, secrets: Secrets) -> None:
        """AgentError for a wrong config, or without a token."""
        Allowed.of(worker_settings().allowed_hosts)
        _org_id(record)
        _token(record, secrets)

    async def open(self) -> None:
        """Make the client."""
        logging.getLogger("httpx2").setLevel(logging.WARNING)  # else a line for every look
        token = _token(self._record, self._secrets)
        self._client = guarded_client(Allowed.of(worker_settings().allowed_hosts), self._config.request_seconds)
        self._client.headers["authorization"] = f"Bearer {token}"

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def health(self) -> Health:
        """Ask for one page of runs: the token and the organisation are right when it comes."""
        try:
            page = await self._get("runs", {"source_type": "API", "skip": 0, "limit": 1})
        except _FAULTS as exc:
            return Health(False, _said(exc))
        return Health(True, f"organisation {self._org} answers: {page.get('total', 0)} runs so far")

    # -- posting

    async def submit(self, task: Task, context: AgentContext) -> Reference | Outcome:
        """Post a run, or go on with what an earlier attempt posted, or meant to."""
        try:
            found = await self._take_up(context)
            return found if found is not None else await self._post(task, context)
        except _FAULTS as exc:
            return _outcome_of(exc, context.attempt)

    async def _take_up(self, context: AgentContext) -> Reference | Outcome | None:
        """Return the run of an earlier attempt; None where there is none, and one must be posted."""
        previous = context.previous
        if previous is None or previous.type != TYPE or previous.words.get(ORG) != self._org:
            return None
        if previous.state == "posted":
            return await self._go_on(previous, context)
        if run := await self._marked(previous):
            context.log(f"found run {run['id']}, which an earlier attempt had posted")
            return replace(previous, state="posted", id=str(run["id"]))
        if LOOKED in previous.words:
            return None
        await context.aio.checkpoint(replace(previous, words={**previous.words, LOOKED: True}))
        return Outcome.not_now(
            UNSEEN_SECONDS, "an earlier attempt was ended while it posted its run, which may still come"
        )

    async def _go_on(self, previous: Reference, context: AgentContext) -> Reference:
        """Hand a person's answer to the run that asked, once."""
        answer = context.answer
        if answer is None or previous.words.get(ANSWERED) == answer.question_id:
            return previous
        await self._send("POST", "run/resume", {"agent_run_id": int(previous.id), "prompt": str(answer.value)})
        count = _count(previous, ANSWERS) + 1
        answered = replace(previous, words={**previous.words, ANSWERED: answer.question_id, ANSWERS: count})
        await context.aio.checkpoint(answered)
        return answered

    async def _post(self, task: Task, context: AgentContext) -> Reference | Outcome:
        mark = str(context.execution_id)
        intent = Reference(TYPE, "intent", words={MARK: mark, ORG: self._org})
        await context.aio.checkpoint(intent)
        body = self._body(task, context, mark)
        posting = asyncio.ensure_future(self._send("POST", "run", body))
        try:
            run = await asyncio.shield(posting)
        except asyncio.CancelledError:
            await self._take_back(posting)
            raise
        return replace(intent, state="posted", id=str(run["id"]))

    def _body(self, task: Task, context: AgentContext, mark: str) -> dict[str, Any]:
        about = {
            "taskengine_task": str(task.id), "taskengine_execution": mark, "taskengine_attempt": context.attempt,
        }  # fmt: skip
        body: dict[str, Any] = {"prompt": context.prompt, "metadata": about}
        for name in ("repo_id", "model", "agent_type"):
            if (value := getattr(self._config, name)) is not None:
                body[name] = value
        return body

    async def _take_back(self, posting: asyncio.Future[dict[str, Any]]) -> None:
        """End the run of a post that was under way when its attempt was cancelled."""
        try:
            run = await asyncio.wait_for(posting, _FINISH_SECONDS)
            await self._ban(str(run["id"]))
        except (*_FAULTS, KeyError) as exc:
            logger.warning("a run may go on that nobody wants: %s", _said(exc))

    async def _marked(self, intent: Reference) -> dict[str, Any] | None:
        """Return the run whose metadata has the mark of an intent."""
        since = intent.at_ms / 1000 - _SKEW_SECONDS
        async for page in self._pages():
            for run in page:
                if (run.get("metadata") or {}).get("taskengine_execution") == intent.words.get(MARK):
                    return run
            if _is_newest_first(page) and page and _created(page[-1]) < since:
                return None
        return None

    # -- asking

    async def poll(self, tracked: Sequence[Tracked]) -> list[RemoteState]:
        """Say how each stands, by pages of the list; what these do not bring is asked for by itself."""
        wanted = {one.reference.id for one in tracked}
        runs: dict[str, dict[str, Any] | None] = {}
        if len(wanted) > 1:
            await self._by_pages(wanted, runs)
        for id in wanted - runs.keys():
            runs[id] = await self._run(id)
        return [_state(one, runs[one.reference.id]) for one in tracked]

    async def _by_pages(self, wanted: set[str], runs: dict[str, dict[str, Any] | None]) -> None:
        """Gather runs until as many pages in a row brought none as are wanted still: one by one costs no more then."""
        misses = 0
        async for page in self._pages():
            found = {str(run["id"]): run for run in page if str(run.get("id")) in wanted}
            misses = 0 if found.keys() - runs.keys() else misses + 1
            runs.update(found)
            if misses >= len(wanted) - len(runs):
                return

    async def _run(self, id: str) -> dict[str, Any] | None:
        try:
            return await self._get(f"run/{id}", {})
        except _RefusedError as exc:
            if exc.code == 404:
                return None
            raise

    async def cancel(self, reference: Reference, reason: str) -> Stopped:
        """Ask the service to stop it; what it calls a ban is the nearest there is."""
        if reference.type != TYPE or not (reference.id or reference.words.get(MARK)):
            return "unsupported"
        id = reference.id or str((await self._marked(reference) or {}).get("id", ""))
        if not id:
            return "stopped"  # it never came there
        logger.info("asking to stop run=%s: %s", id, reason)
        await self._ban(id)
        return "requested"

    def adopt(self, run: object) -> Reference | None:
        """Return where a run of the ``codegen`` package is asked for; None when it is none of this organisation."""
        id, org = getattr(run, "id", None), getattr(run, "org_id", self._org)
        if id is None or str(org) != str(self._org):
            return None
        return Reference(TYPE, "posted", str(id), words={ORG: self._org})

    async def _ban(self, id: str) -> None:
        try:
            await self._send("POST", "run/ban", {"agent_run_id": int(id)})
        except _RefusedError as exc:
            if exc.code != 404:
                raise

    # -- the wire

    async def _pages(self) -> AsyncIterator[list[dict[str, Any]]]:
        skip = 0
        while True:
            page = await self._get("runs", {"source_type": "API", "skip": skip, "limit": PAGE})
            items = page.get("items") or []
            yield items
            skip += len(items)
            if not items or skip >= int(page.get("total") or 0):
                return

    async def _get(self, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        while True:
            await self._pace.wait()
            try:
                return await self._send("GET", path, None, query)
            except _RefusedError as exc:
                if exc.code != 429 or exc.delay > _LONGEST_HOLD:
                    raise
                self._pace.hold(exc.delay)

    async def _send(
        self, method: str, path: str, body: dict[str, Any] | None, query: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        assert self._client is not None
        async with asyncio.timeout(self._config.request_seconds):
            answer = await self._client.request(method, self._root + path, json=body, params=query)
        if answer.status_code >= 300:
            raise _RefusedError(answer)
        found = answer.json()
        if not isinstance(found, dict):
            raise ValueError(f"codegen answered {path} with a {type(found).__name__}")
        return found


class _RefusedError(Exception):
    """An answer that is no success."""

    def __init__(self, answer: httpx2.Response) -> None:
        self.code = answer.status_code
        self.delay = delay_of(answer.headers, 1)
        shown = answer.text[:_SHOWN].strip()
        super().__init__(f"codegen answered {self.code}" + (f": {shown}" if shown else ""))


#: What asking the service may come to.
_FAULTS = (httpx2.HTTPError, ForbiddenAddressError, TimeoutError, ValueError, _RefusedError)
_AUTH, _BILLING, _INVALID = frozenset({401, 403}), frozenset({402}), frozenset({400, 404, 422})


def _outcome_of(exc: Exception, attempt: int) -> Outcome:
    """Return what becomes of an attempt that the service refused, or did not answer."""
    error = _said(exc)
    if isinstance(exc, ForbiddenAddressError):
        return Outcome("failed", error=error, error_kind="invalid_request", retryable=False)
    if not isinstance(exc, _RefusedError):
        # Nobody knows whether it came: the next attempt looks for it.
        return Outcome.not_now(min(60.0, 2.0 ** min(attempt, 6)), error)
    if exc.code == 429:
        return Outcome.not_now(exc.delay, error, scope="credential")
    if exc.code in _AUTH:
        return Outcome("failed", error=error, error_kind="auth", retryable=False)
    if exc.code in _BILLING:
        return Outcome("failed", error=error, error_kind="billing", retryable=False)
    if exc.code in _INVALID:
        return Outcome("failed", error=error, error_kind="invalid_request", retryable=False)
    return Outcome.not_now(min(60.0, 2.0 ** min(attempt, 6)), error)


def _said(exc: Exception) -> str:
    text = str(exc) or type(exc).__name__
    return text if isinstance(exc, (_RefusedError, ForbiddenAddressError)) else f"codegen did not answer: {text}"


def _state(one: Tracked, run: dict[str, Any] | None) -> RemoteState:
    if run is None:
        return _missed(one)
    status, said = _shown(run.get("status")), meaning(run.get("status"))
    match said:
        case "completed":
            return Over(Outcome("completed", output=_output(run)))
        case "failed" | "stopped":
            where = f"; see {run['web_url']}" if run.get("web_url") else ""
            error = f"codegen run {run.get('id')} ended {status}{where}"
            # Who stopped it there does not want another one.
            ended = Outcome("failed", error=error, error_kind=failure_kind(status), retryable=said == "failed")
            return Over(replace(ended, output=_output(run)))
        case "paused":
            text = str(run.get("summary") or run.get("result") or "the run paused; how should it go on?")
            return Asks(Question(id=f"{one.reference.id}-{_count(one.reference, ANSWERS)}", text=text[:10_000]))
        case "running":
            found = {name: value for name, value in one.reference.words.items() if name != MISSED}
            same = MISSED not in one.reference.words
            return Running(status, reference=None if same else replace(one.reference, words=found))


def _missed(one: Tracked) -> RemoteState:
    times = _count(one.reference, MISSED) + 1
    if times >= MISSES:
        return Gone(f"codegen does not know run {one.reference.id}")
    words = {**one.reference.words, MISSED: times}
    return Running("codegen does not show the run", reference=replace(one.reference, words=words))


def _count(reference: Reference, word: str) -> int:
    found = reference.words.get(word)
    return found if isinstance(found, int) else 0


def _output(run: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: run[name] for name in _FIELDS if run.get(name) is not None}
    return {"run_id": str(run.get("id")), "status": _shown(run.get("status")), **found}


def _shown(status: object) -> str:
    return str(status or "")[:100]


def _created(run: Mapping[str, Any]) -> float:
    try:
        at = datetime.fromisoformat(str(run.get("created_at")).replace("Z", "+00:00"))
    except ValueError:
        return float("inf")  # who does not say when it was made may be the one
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _is_newest_first(page: Sequence[Mapping[str, Any]]) -> bool:
    return len(page) < 2 or _created(page[0]) >= _created(page[-1])


def _config_of(record: AgentRecord) -> CodegenConfig:
    try:
        found = read_config(record, CodegenConfig)
    except InvalidInputError as exc:
        raise AgentError(str(exc)) from exc
    assert isinstance(found, CodegenConfig)
    return found


def _org_id(record: AgentRecord) -> int:
    said = _config_of(record).org_id or environment().get("CODEGEN_ORG_ID", "")
    if not str(said).isdecimal() or not int(said):
        raise AgentError(
            f"agent {record.id!r}: its config has no org_id, and this worker's environment no CODEGEN_ORG_ID; give the "
            "number of the organisation in one of them"
        )
    return int(said)


def _token(record: AgentRecord, secrets: Secrets) -> str:
    name = record.secret or default_secret(record)
    if name is None:
        raise AgentError(
            f"agent {record.id!r} of type codegen names no secret: register it with secret=NAME, the name of its token"
        )
    return secrets.get(name)
