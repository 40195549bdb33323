"""Messages out: replies committed with their parts, and how far each part got. See memory/journal.py."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, func, insert, select, update

from hub.journal import Outgoing, PartState, Piece, Stored
from hub.message import Choice, Citation, Conversation, OutboundMessage
from hub.person import Identity
from hub.turn import Answer
from memory.inbox import take_events
from memory.prepared import Prepared, Row
from memory.tables import IS_UNSENT, conversations, identities, messages, parts

_OUTGOING = (
    select(
        parts,
        messages.c.payload,
        messages.c.live,
        conversations.c.channel,
        conversations.c.account,
        conversations.c.key.label("place_key"),
        conversations.c.kind,
        identities.c.user,
    )
    .select_from(parts)
    .outerjoin(messages, messages.c.id == parts.c.message_id)
    .join(conversations, conversations.c.id == parts.c.conversation_id)
    .join(identities, identities.c.id == parts.c.identity_id)
)
_OF_REPLY = Prepared(lambda _: _OUTGOING.where(parts.c.message_id == bindparam("message")).order_by(parts.c.event))
_WAITING = Prepared(
    lambda _: _OUTGOING.where(parts.c.conversation_id == bindparam("place"), IS_UNSENT).order_by(parts.c.event)
)
_UNSENT = Prepared(lambda _: _OUTGOING.where(IS_UNSENT).order_by(parts.c.conversation_id, parts.c.event))
_AFTER = Prepared(
    lambda _: (
        _OUTGOING.where(parts.c.conversation_id == bindparam("place"), parts.c.event > bindparam("after"))
        .order_by(parts.c.event)
        .limit(bindparam("most", type_=Integer))
    )
)
_BY_ID = Prepared(lambda _: _OUTGOING.where(parts.c.id == bindparam("part")))
_CLOSE = Prepared(
    lambda _: (
        update(messages)
        .where(messages.c.id == bindparam("row"), messages.c.state == "open")
        .values(
            state="answered",
            answered_at=bindparam("now"),
            engine=bindparam("by"),
            refused=bindparam("unknown"),
            model=bindparam("name"),
            input_tokens=bindparam("read"),
            output_tokens=bindparam("written"),
        )
        .returning(messages.c.live, messages.c.identity_id)
    )
)
_NEW_PART = Prepared(
    lambda _: insert(parts).returning(parts.c.id),
    (
        "message_id",
        "conversation_id",
        "identity_id",
        "event",
        "first",
        "last",
        "text",
        "citations",
        "choices",
        "state",
        "stored_at",
    ),
)
_MARK = Prepared(
    lambda _: (
        update(parts)
        .where(parts.c.id == bindparam("part"))
        .values(
            state=bindparam("to"),
            marked_at=bindparam("now"),
            not_before=bindparam("due"),
            why=bindparam("because"),
            tries=parts.c.tries + bindparam("more"),
            receipt=func.coalesce(func.nullif(bindparam("given", type_=parts.c.receipt.type), ""), parts.c.receipt),
        )
    )
)


@dataclass(frozen=True, slots=True)
class Mark:
    """What becomes of a part."""

    state: PartState
    now: datetime
    receipt: str = ""
    not_before: datetime | None = None
    why: str = ""


def answer(
    connection: Connection,
    stored: Stored,
    answer: Answer,
    pieces: Sequence[Piece],
    states: Sequence[PartState],
    claim: Sequence[int],
    now: datetime,
) -> list[OutboundMessage]:
    """Closes the message and stores the parts; nothing when it was closed before."""
    closed = _CLOSE.first(
        connection,
        {
            "row": stored.id,
            "now": now,
            "by": answer.engine,
            "unknown": answer.refused,
            "name": answer.usage.model,
            "read": answer.usage.input_tokens,
            "written": answer.usage.output_tokens,
        },
    )
    if closed is None:
        return []
    if claim:
        connection.execute(update(parts).where(parts.c.id.in_(claim)).values(state="claimed", marked_at=now))
    if not pieces:
        return []
    event = take_events(connection, stored.place, len(pieces)) - len(pieces)
    out = []
    for number, (piece, state) in enumerate(zip(pieces, states, strict=True), 1):
        shape = {"event": event + number, "first": number == 1, "last": number == len(pieces)}
        values = _part(piece, stored.place, closed.identity_id, state, now)
        row = _NEW_PART.one(connection, {**values, "message_id": stored.id, **shape}).id
        out.append(_reply(row, stored, piece, live=closed.live if number == 1 else "", **shape))
    return out


def _part(piece: Piece, place: int, identity: int, state: PartState, now: datetime) -> dict[str, Any]:
    return {
        "conversation_id": place,
        "identity_id": identity,
        "text": piece.text,
        "citations": [asdict(c) for c in piece.citations],
        "choices": [asdict(c) for c in piece.choices],
        "state": state,
        "stored_at": now,
    }


def _reply(row: int, stored: Stored, piece: Piece, **shape: Any) -> OutboundMessage:
    return OutboundMessage(
        id=row,
        turn=stored.turn,
        conversation=stored.message.conversation,
        recipient=stored.message.sender,
        text=piece.text,
        citations=piece.citations,
        choices=piece.choices,
        reply_to=stored.message.key,
        context=stored.message.context,
        **shape,
    )


def say(connection: Connection, place: int, text: str, now: datetime) -> OutboundMessage | None:
    """A part that answers nothing, for whoever wrote last."""
    last = (
        select(messages.c.identity_id)
        .where(messages.c.conversation_id == place)
        .order_by(messages.c.event.desc())
        .limit(1)
    )
    identity = connection.execute(last).scalar()
    if identity is None:
        return None
    values = _part(Piece(text), place, identity, "waiting", now)
    event = take_events(connection, place, 1)
    row = _NEW_PART.one(connection, {**values, "message_id": None, "event": event, "first": True, "last": True}).id
    return _outbound(_BY_ID.one(connection, {"part": row}))


def mark(connection: Connection, ids: Sequence[int], mark: Mark) -> None:
    """Moves parts to a state."""
    values = {
        "to": mark.state,
        "now": mark.now,
        "due": mark.not_before,
        "because": mark.why[:500],
        "more": 1 if mark.state == "sending" else 0,
        "given": mark.receipt,
    }
    for part in ids:
        _MARK.run(connection, {**values, "part": part})


def of_reply(connection: Connection, message: int) -> list[Outgoing]:
    """The parts of the reply to a message, in order."""
    return [_outgoing(row) for row in _OF_REPLY.all(connection, {"message": message})]


def waiting(connection: Connection, place: int) -> list[Outgoing]:
    """What is not sent of a conversation."""
    return [_outgoing(row) for row in _WAITING.all(connection, {"place": place})]


def unsent(connection: Connection) -> list[Outgoing]:
    """What is not sent."""
    return [_outgoing(row) for row in _UNSENT.all(connection, {})]


def after(connection: Connection, place: int, event: int, limit: int) -> list[tuple[OutboundMessage, datetime]]:
    """The parts of a conversation above a number, with the time at which they were stored."""
    rows = _AFTER.all(connection, {"place": place, "after": event, "most": limit})
    return [(_outbound(row), row.stored_at) for row in rows]


def _outgoing(row: Row) -> Outgoing:
    return Outgoing(
        message=_outbound(row),
        place=row.conversation_id,
        state=row.state,
        tries=row.tries,
        not_before=row.not_before,
        receipt=row.receipt,
    )


def _outbound(row: Row) -> OutboundMessage:
    asked = json.loads(row.payload) if row.payload else {}
    return OutboundMessage(
        id=row.id,
        turn=f"t{row.message_id}" if row.message_id else f"p{row.id}",
        conversation=Conversation(row.channel, row.account, row.place_key, row.kind),
        recipient=Identity(row.channel, row.account, row.user),
        text=row.text,
        event=row.event,
        citations=tuple(Citation(**c) for c in row.citations),
        choices=tuple(Choice(**c) for c in row.choices),
        reply_to=asked.get("key", ""),
        context=asked.get("context", ""),
        live=row.live if row.first and row.live else "",
        first=row.first,
        last=row.last,
        retry=row.state in ("sending", "unknown"),
    )
