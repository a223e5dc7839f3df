"""What is said to a run once more: a person's answer, or what is wrong with its result. Each once, whatever dies.

The service has no idempotency key for that either. So it is written down what is about to be said and what the run
shows then; who comes next looks at the run first, and says it again only where the run still shows the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import sha256

from pydantic import JsonValue

from taskengine.agents import Over, Reference, RemoteState, Running
from taskengine.models import Outcome
from taskengine.models.question import Answer
from workers.agents.answer_text import asked_again
from workers.agents.codegen.client import FAULTS, Client, RefusedError
from workers.agents.codegen.states import ANSWERED, ANSWERS, REPAIR, count
from workers.agents.run_status import meaning

#: Word of a reference: which answer is about to be handed over, and what the run asked then.
_HANDING = "handing"
#: Looks at a result that was sent back, and is still shown, until it stands.
_PATIENCE = 3
#: Characters of one fault.
_SHOWN = 1000


async def hand_over(
    client: Client, previous: Reference, answer: Answer, checkpoint: Callable[[Reference], Awaitable[None]],
    log: Callable[[str], None],
) -> Reference:  # fmt: skip
    """Hand a person's answer to the run that asked; the reference from then on."""
    run = await client.run(previous.id)
    if run is None:
        return previous  # its poller will say so
    handing = f"{answer.question_id} {_digest(run.get('summary'), run.get('result'))}"
    before = previous.words.get(_HANDING)
    begun = str(before or "").startswith(f"{answer.question_id} ")
    if meaning(run.get("status")) == "paused" and (not begun or before == handing):
        if not begun:
            await checkpoint(replace(previous, words={**previous.words, _HANDING: handing}))
        await client.post("run/resume", {"agent_run_id": int(previous.id), "prompt": str(answer.value)})
    elif not begun:
        log(f"run {previous.id} does not wait for an answer any more; it was not handed over")
    words = {name: value for name, value in previous.words.items() if name != _HANDING}
    number = count(previous, ANSWERS) + 1
    answered = replace(previous, words={**words, ANSWERED: answer.question_id, ANSWERS: number})
    await checkpoint(answered)
    return answered


def to_repair(reference: Reference, outcome: Outcome, faults: list[str]) -> Reference | None:
    """Return the reference of a run whose result is to be sent back; None where one was."""
    if REPAIR in reference.words or reference.state != "posted":
        return None
    told: dict[str, JsonValue] = {"faults": [*(each[:_SHOWN] for each in faults)], "of": _of(outcome), "looks": 0}
    return replace(reference, words={**reference.words, REPAIR: told})


async def once_more(client: Client, reference: Reference, state: RemoteState | None) -> RemoteState | None:
    """Send back a result that is to be repaired, where that was not done; how its run stands then."""
    told = reference.words.get(REPAIR)
    if not isinstance(told, dict) or not isinstance(state, Over) or _of(state.outcome) != told.get("of"):
        return state
    looks = told.get("looks")
    if not isinstance(looks, int) or looks >= _PATIENCE:
        return state
    if looks == 0:
        given = told.get("faults")
        faults = [str(each) for each in given] if isinstance(given, list) else []
        try:
            await client.post("run/resume", {"agent_run_id": int(reference.id), "prompt": asked_again(faults)})
        except FAULTS as exc:
            is_final = isinstance(exc, RefusedError) and exc.code < 500 and exc.code != 429
            return state if is_final else None  # or the next look does
    words = {**reference.words, REPAIR: {**told, "looks": looks + 1}}
    return Running("its result did not fit; asked for another", reference=replace(reference, words=words))


def _of(outcome: Outcome) -> str:
    return _digest(sorted((outcome.output or {}).items(), key=lambda item: item[0]))


def _digest(*shown: object) -> str:
    return sha256(repr(shown).encode()).hexdigest()[:16]
