"""Posts runs for tasks, asks for them and stops them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from taskengine.agents import AgentContext, Health, Reference, RemoteState, Secrets, Stopped, Tracked
from taskengine.agents.codegen import CodegenConfig
from taskengine.agents.types import default_secret, read_config
from taskengine.errors import AgentError, InvalidInputError
from taskengine.models import Outcome, Task
from taskengine.models.agent import AgentRecord
from taskengine.settings import environment
from workers.agents.addresses import Allowed
from workers.agents.answer_text import in_words
from workers.agents.codegen.client import FAULTS, Client, Run, outcome_of, said
from workers.agents.codegen.looks import PAGE, Look
from workers.agents.codegen.states import ANSWERED, JSON, LOOKED, MARK, ORG, TYPE, created
from workers.agents.codegen.turns import hand_over, once_more, to_repair
from workers.agents.settings import worker_settings

logger = logging.getLogger(__name__)

#: Seconds behind an intent after which what is not in the list will not come any more.
UNSEEN_SECONDS = 15.0
#: Seconds by which the service's clock may be behind the server's.
_SKEW_SECONDS = 60.0
#: Seconds in which a post that is under way may end when its attempt is cancelled.
_FINISH_SECONDS = 10.0


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
        self._made: Client | None = None
        #: What looks learned of the list: where runs stand, and how long it was.
        self._places: dict[int, int] = {}
        self._total: int | None = None
        self.poll_seconds = self._config.poll_seconds

    @classmethod
    def check(cls, record: AgentRecord, secrets: Secrets) -> None:
        """AgentError for a wrong config, or without a token."""
        Allowed.of(worker_settings().allowed_hosts)
        _org_id(record)
        _token(record, secrets)

    async def open(self) -> None:
        """Make the client."""
        allowed = Allowed.of(worker_settings().allowed_hosts)
        self._made = Client(
            self._root, _token(self._record, self._secrets), allowed,
            seconds=self._config.request_seconds, reads=self._config.requests_per_30_seconds,
        )  # fmt: skip

    async def close(self) -> None:
        """Close its connections."""
        if self._made is not None:
            await self._made.close()
            self._made = None

    @property
    def _client(self) -> Client:
        assert self._made is not None
        return self._made

    async def health(self) -> Health:
        """Ask for one page of runs: the token and the organisation are right when it comes."""
        try:
            page = await self._client.page(0, 1)
        except FAULTS as exc:
            return Health(False, said(exc))
        return Health(True, f"organisation {self._org} answers: {page.total} runs so far")

    # -- posting

    async def submit(self, task: Task, context: AgentContext) -> Reference | Outcome:
        """Post a run, or go on with what an earlier attempt posted, or meant to."""
        try:
            found = await self._take_up(context)
            return found if found is not None else await self._post(task, context)
        except FAULTS as exc:
            return outcome_of(exc, context.attempt)

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
        return await hand_over(self._client, previous, answer, context.aio.checkpoint, context.log)

    async def _post(self, task: Task, context: AgentContext) -> Reference | Outcome:
        mark = str(context.execution_id)
        intent = Reference(TYPE, "intent", words={MARK: mark, ORG: self._org})
        if task.output_schema is not None:
            intent = replace(intent, words={**intent.words, JSON: True})
        await context.aio.checkpoint(intent)
        body = self._body(task, context, mark)
        posting = asyncio.ensure_future(self._client.post("run", body))
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
        schema = task.output_schema
        prompt = context.prompt if schema is None else f"{context.prompt}\n\n{in_words(schema)}"
        body: dict[str, Any] = {"prompt": prompt, "metadata": about}
        for name in ("repo_id", "model", "agent_type"):
            if (value := getattr(self._config, name)) is not None:
                body[name] = value
        return body

    async def _take_back(self, posting: asyncio.Future[Run]) -> None:
        """End the run of a post that was under way when its attempt was cancelled."""
        try:
            run = await asyncio.wait_for(posting, _FINISH_SECONDS)
            await self._client.ban(str(run["id"]))
        except (*FAULTS, KeyError) as exc:
            logger.warning("a run may go on that nobody wants: %s", said(exc))

    async def _marked(self, intent: Reference) -> Run | None:
        """Return the run whose metadata has the mark of an intent; it was made a minute before it at the earliest."""
        since, skip = intent.at_ms / 1000 - _SKEW_SECONDS, 0
        while True:
            page = await self._client.page(skip, PAGE)
            for run in page.runs:
                if (run.get("metadata") or {}).get("taskengine_execution") == intent.words.get(MARK):
                    return run
            skip += len(page.runs)
            if not page.runs or skip >= page.total or all(created(run) < since for run in page.runs):
                return None

    # -- asking

    async def poll(self, tracked: Sequence[Tracked]) -> list[RemoteState | None]:
        """Say how each stands, by a few requests."""
        look = Look(self._client, tracked, places=self._places, total=self._total)
        states = await look.states()
        self._total = look.total
        found = zip(tracked, states, strict=True)
        return [await once_more(self._client, one.reference, state) for one, state in found]

    def repair(self, reference: Reference, outcome: Outcome, faults: list[str]) -> Reference | None:
        """Send a result back once; the next poll does."""
        return to_repair(reference, outcome, faults) if reference.type == TYPE else None

    async def cancel(self, reference: Reference, reason: str) -> Stopped:
        """Ask the service to stop it; what it calls a ban is the nearest there is."""
        if reference.type != TYPE or not (reference.id or reference.words.get(MARK)):
            return "unsupported"
        id = reference.id or str((await self._marked(reference) or {}).get("id", ""))
        if not id:
            return "stopped"  # it never came there
        logger.info("asking to stop run=%s: %s", id, reason)
        await self._client.ban(id)
        return "requested"

    def adopt(self, run: object) -> Reference | None:
        """Return where a run of the ``codegen`` package is asked for; None when it is none of this organisation."""
        id, org = getattr(run, "id", None), getattr(run, "org_id", self._org)
        if id is None or str(org) != str(self._org):
            return None
        return Reference(TYPE, "posted", str(id), words={ORG: self._org})


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
