"""Messages that nobody could read: look at them, and forget them."""

from __future__ import annotations

from collections.abc import Iterable

from taskengine.api.arguments import cursor as cursor_place
from taskengine.api.arguments import number, text
from taskengine.api.context import OperationContext
from taskengine.api.operations.ask import MAX_PAGE
from taskengine.api.operations.find import LEAST
from taskengine.core import remedy
from taskengine.errors import AmbiguousIdError, InvalidInputError, NotFoundError
from taskengine.models import QuarantinedMessage, QuarantinePage
from taskengine.store import quarantine
from taskengine.store.call import Operation
from taskengine.store.quarantine import PIECE, Stored


def list_quarantined(context: OperationContext, limit: int, after: str | None) -> Operation[QuarantinePage]:
    """One page of quarantined messages, newest first."""
    most, place = number(limit, "limit", 1, MAX_PAGE), cursor_place(after)
    there = yield from quarantine.count(context.keys)
    place = min(place or there, there)  # where older ones were dropped since, some are shown twice, none never
    found: list[QuarantinedMessage] = []
    while place > 0 and len(found) < most:
        stored = yield from quarantine.piece(context.keys, place, min(PIECE, most - len(found)))
        if not stored:
            break
        found += [one.message for one in stored]
        place -= len(stored)
    return QuarantinePage(found, str(place) if place > 0 and found else None)


def get_quarantined(context: OperationContext, message_id: str) -> Operation[QuarantinedMessage]:
    """One quarantined message by the beginning of its id; NotFoundError when there is none."""
    ids = _ids(message_id)
    found = yield from _search(context, ids)
    return found[0].message


def drop_quarantined(
    context: OperationContext, message_ids: Iterable[str] | str | None, everything: bool
) -> Operation[int]:
    """Forget quarantined messages; how many."""
    if (message_ids is None) != everything:
        whole_list = remedy.named("everything=True", "--all")
        raise InvalidInputError(
            f"say which messages to drop: pass their ids, or {whole_list} and no ids", field="message_ids"
        )
    if message_ids is None:
        return (yield from _drop_all(context))
    found = yield from _search(context, _ids(message_ids))
    for at in range(0, len(found), PIECE):
        yield from quarantine.drop(found[at : at + PIECE])
    return len(found)


def _drop_all(context: OperationContext) -> Operation[int]:
    """Return what is there now; a message that comes in between stays, and is looked at by somebody."""
    left = yield from quarantine.count(context.keys)
    dropped = 0
    while left > 0:
        oldest = yield from quarantine.piece(context.keys, min(PIECE, left), PIECE)
        if not oldest:
            break
        yield from quarantine.drop(oldest)
        dropped += len(oldest)
        left -= len(oldest)
    return dropped


def _search(context: OperationContext, ids: list[str]) -> Operation[list[Stored]]:
    """Return the entries whose ids these are, or begin so; NotFoundError names one that is not there."""
    found: dict[str, dict[str, Stored]] = {id: {} for id in ids}
    place = yield from quarantine.count(context.keys)
    while place > 0 and not all(id in found[id] for id in ids):  # of a beginning there may be a second one
        stored = yield from quarantine.piece(context.keys, place, PIECE)
        for id in ids:
            found[id] |= {one.message.id: one for one in stored if _is_meant(one.message.id, id)}
        place -= PIECE
    for id, meant in found.items():
        if not meant:
            raise NotFoundError("quarantined message", id)
        if id not in meant and len(meant) > 1:
            reasons = {other: one.message.reason[:60] for other, one in meant.items()}
            raise AmbiguousIdError("quarantined messages", id, reasons)
    return list({one.message.id: one for meant in found.values() for one in meant.values()}.values())


def _is_meant(whole: str, id: str) -> bool:
    return whole == id or (len(id) >= LEAST and whole.startswith(id.lower()))


def _ids(given: Iterable[str] | str) -> list[str]:
    if not isinstance(given, Iterable):
        raise InvalidInputError(f"message_ids is {given!r:.80}; pass a list of ids", field="message_ids")
    each = [given] if isinstance(given, str) else list(given)
    return list(dict.fromkeys(text(id, "message_ids", 100) for id in each))
