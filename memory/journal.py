"""The journal over SQL: every message in and every part out. See hub/journal.py for what each method promises.

Event numbers come from the conversation's row in the same transaction that stores what they number: the
row is locked from then until the commit, so that numbers have no gap and are in the order of the commits.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, Select, bindparam, func, insert, select, update

from hub.journal import Outgoing, PartState, Piece, Stored
from hub.message import Choice, Citation, Conversation, InboundMessage, OutboundMessage, Receipt
from hub.person import Identity, Language, Person
from hub.turn import Answer, Exchange
from memory import people
from memory.store import Store
from memory.tables import INSERTS, UNSENT, conversations, identities, messages, notes, parts, persons

INBOUND: TypeAdapter[InboundMessage] = TypeAdapter(InboundMessage)
ERASED = "erased"
"""The state of a message whose person was erased: a key without content."""
SILENT = ("command",)
"""Engines whose exchanges are no part of what the agent is told: a code must not reach a model."""

Direction = Literal["in", "out"]


class SqlJournal:
    """Implements hub.journal.Journal."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- messages in

    async def accept(self, message: InboundMessage, *, now: datetime, answer: bool = True) -> Stored:
        payload = INBOUND.dump_json(message).decode()
        state = "open" if answer and message.addressed else "recorded"
        return await self._store.write(lambda connection: _accept(connection, message, payload, state, now))

    async def find(self, conversation: Conversation, key: str) -> Stored | None:
        def job(connection: Connection) -> Stored | None:
            row = connection.execute(_by_key(conversation, key)).first()
            return _stored(row) if row and row.state != ERASED else None

        return await self._store.read(job)

    async def open(self) -> Sequence[Stored]:
        query = STORED.where(messages.c.state == "open").order_by(messages.c.conversation_id, messages.c.event)
        rows = await self._store.read(lambda connection: connection.execute(query).all())
        return [_stored(row) for row in rows]

    async def withdraw(self, conversation: Conversation, key: str) -> None:
        query = (
            update(messages)
            .where(
                messages.c.channel == conversation.channel,
                messages.c.account == conversation.account,
                messages.c.key == key,
            )
            .values(state="withdrawn")
        )
        await self._store.write(lambda connection: _run(connection, query))

    async def begin(self, stored: Stored, *, now: datetime) -> int:
        query = (
            update(messages)
            .where(messages.c.id == stored.id)
            .values(attempts=messages.c.attempts + 1)
            .returning(messages.c.attempts)
        )
        return int(await self._store.write(lambda connection: connection.execute(query).scalar() or 1))

    async def keep_live(self, stored: Stored, handle: str) -> None:
        query = update(messages).where(messages.c.id == stored.id).values(live=handle)
        await self._store.write(lambda connection: _run(connection, query))

    # -- replies

    async def answer(
        self,
        stored: Stored,
        answer: Answer,
        pieces: Sequence[Piece],
        *,
        now: datetime,
        states: Sequence[PartState],
        claim: Sequence[int] = (),
    ) -> Sequence[OutboundMessage]:
        return await self._store.write(
            lambda connection: _answer(connection, stored, answer, pieces, states, claim, now)
        )

    async def reply(self, stored: Stored) -> Sequence[Outgoing]:
        return await self._parts(parts.c.message_id == stored.id)

    async def waiting(self, place: int) -> Sequence[Outgoing]:
        return await self._parts(parts.c.conversation_id == place, parts.c.state.in_(UNSENT))

    async def unsent(self) -> Sequence[Outgoing]:
        return await self._parts(parts.c.state.in_(UNSENT))

    async def _parts(self, *where: Any) -> Sequence[Outgoing]:
        query = OUTGOING.where(*where).order_by(parts.c.conversation_id, parts.c.event)
        rows = await self._store.read(lambda connection: connection.execute(query).all())
        return [_outgoing(row) for row in rows]

    async def mark(
        self,
        ids: Sequence[int],
        state: PartState,
        *,
        now: datetime,
        receipt: Receipt | None = None,
        not_before: datetime | None = None,
        why: str = "",
    ) -> None:
        if not ids:
            return
        values = {
            "ids": list(ids),
            "to": state,
            "now": now,
            "due": not_before,
            "because": why[:500],
            "more_tries": 1 if state == "sending" else 0,
            "platform_id": receipt.id if receipt else "",
        }
        await self._store.write(lambda connection: _run(connection, _MARK, values))

    async def say(self, place: int, text: str, *, now: datetime) -> OutboundMessage | None:
        """A message that answers nothing: to whoever wrote last in this conversation. None when nobody did."""
        return await self._store.write(lambda connection: _say(connection, place, text, now))

    # -- what was said

    async def events(
        self, conversation: Conversation, *, after: int, limit: int
    ) -> Sequence[tuple[int, InboundMessage | OutboundMessage, datetime]]:
        return await self._store.read(lambda connection: _events(connection, conversation, after, limit))

    async def history(self, stored: Stored, *, limit: int) -> Sequence[Exchange]:
        if limit <= 0:
            return []
        return await self._store.read(lambda connection: _history(connection, stored, limit))

    # -- notes

    async def note(self, channel: str, key: str) -> str | None:
        query = select(notes.c.value).where(notes.c.channel == channel, notes.c.key == key)
        return await self._store.read(lambda connection: connection.execute(query).scalar())

    async def keep_note(self, channel: str, key: str, value: str) -> None:
        def job(connection: Connection) -> None:
            put = INSERTS[connection.dialect.name](notes).values(channel=channel, key=key, value=value)
            connection.execute(put.on_conflict_do_update(index_elements=["channel", "key"], set_={"value": value}))

        await self._store.write(job)


def _run(connection: Connection, query: Any, values: dict[str, Any] | None = None) -> None:
    connection.execute(query, values)


# -- accepting

STORED = (
    select(
        messages.c.id,
        messages.c.conversation_id,
        messages.c.event,
        messages.c.state,
        messages.c.payload,
        messages.c.received_at,
        messages.c.attempts,
        messages.c.live,
        conversations.c.handed,
        people.FIND.selected_columns.person_id,
        people.FIND.selected_columns.language,
        people.FIND.selected_columns.joined,
        people.FIND.selected_columns.proven,
    )
    .join(conversations, conversations.c.id == messages.c.conversation_id)
    .join(identities, identities.c.id == messages.c.identity_id)
    .join(persons, persons.c.id == identities.c.person_id)
)
_EXISTS = select(messages.c.id).where(
    messages.c.channel == bindparam("channel"),
    messages.c.account == bindparam("account"),
    messages.c.key == bindparam("key"),
)
_PLACE = {
    name: put(conversations)
    .on_conflict_do_update(
        index_elements=["channel", "account", "key"], set_={"last_event": conversations.c.last_event + 1}
    )
    .returning(conversations.c.id, conversations.c.last_event, conversations.c.handed)
    for name, put in INSERTS.items()
}
_NEW_MESSAGE = {name: put(messages).on_conflict_do_nothing().returning(messages.c.id) for name, put in INSERTS.items()}
_TAKE_EVENTS = (
    update(conversations)
    .where(conversations.c.id == bindparam("place"))
    .values(last_event=conversations.c.last_event + bindparam("count"))
    .returning(conversations.c.last_event)
)
_CLOSE = (
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
_NEW_PART = insert(parts).returning(parts.c.id)
_MARK = (
    update(parts)
    .where(parts.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        state=bindparam("to"),
        marked_at=bindparam("now"),
        not_before=bindparam("due"),
        why=bindparam("because"),
        tries=parts.c.tries + bindparam("more_tries"),
        receipt=func.coalesce(func.nullif(bindparam("platform_id"), ""), parts.c.receipt),
    )
)


def _by_key(conversation: Conversation, key: str) -> Select[Any]:
    return STORED.where(
        messages.c.channel == conversation.channel, messages.c.account == conversation.account, messages.c.key == key
    )


def _accept(connection: Connection, message: InboundMessage, payload: str, state: str, now: datetime) -> Stored:
    place = message.conversation
    name = {"channel": place.channel, "account": place.account, "key": message.key}
    if connection.execute(_EXISTS, name).first():
        return _again(connection, message)
    met = people.meet(connection, message.sender, message.evidence, now=now)
    row, event, handed = _next_event(connection, place)
    values = {
        **name,
        "conversation_id": row,
        "identity_id": met.row,
        "event": event,
        "state": state,
        "payload": payload,
        "received_at": now,
    }
    added = connection.execute(_NEW_MESSAGE[connection.dialect.name], values).scalar()
    if added is None:  # another transaction was first: the number goes back, its row is still locked by us
        _take_events(connection, row, -1)
        return _again(connection, message)
    is_open = state == "open"
    return Stored(added, row, event, f"t{added}", message, met.person, now, fresh=True, open=is_open, handed=handed)


def _again(connection: Connection, message: InboundMessage) -> Stored:
    """What is there already. Of a message that was erased only that it was there, and nothing is done about it."""
    row = connection.execute(_by_key(message.conversation, message.key)).one()
    if row.state != ERASED:
        return _stored(row)
    return Stored(row.id, row.conversation_id, 0, f"t{row.id}", message, Person(0), row.received_at, open=False)


def _next_event(connection: Connection, place: Conversation) -> tuple[int, int, bool]:
    """The conversation's row, made where it is new, the next number, and whether people answer there."""
    values = {"channel": place.channel, "account": place.account, "key": place.id, "kind": place.kind, "last_event": 1}
    row = connection.execute(_PLACE[connection.dialect.name], values).one()
    return row.id, row.last_event, bool(row.handed)


def _take_events(connection: Connection, place: int, count: int) -> int:
    """Takes `count` numbers; returns the last of them."""
    return int(connection.execute(_TAKE_EVENTS, {"place": place, "count": count}).scalar_one())


def _stored(row: Row[*tuple[Any, ...]]) -> Stored:
    language: Language = "en" if row.language == "en" else "zh"
    return Stored(
        id=row.id,
        place=row.conversation_id,
        event=row.event,
        turn=f"t{row.id}",
        message=INBOUND.validate_json(row.payload),
        person=Person(row.person_id, language, linked=row.joined > 1 or row.proven),
        received_at=row.received_at,
        open=row.state == "open",
        attempts=row.attempts,
        live=row.live,
        handed=bool(row.handed),
    )


# -- answering


def _answer(
    connection: Connection,
    stored: Stored,
    answer: Answer,
    pieces: Sequence[Piece],
    states: Sequence[PartState],
    claim: Sequence[int],
    now: datetime,
) -> list[OutboundMessage]:
    closed = connection.execute(
        _CLOSE,
        {
            "row": stored.id,
            "now": now,
            "by": answer.engine,
            "unknown": answer.refused,
            "name": answer.usage.model,
            "read": answer.usage.input_tokens,
            "written": answer.usage.output_tokens,
        },
    ).first()
    if closed is None:
        return []
    if claim:
        connection.execute(update(parts).where(parts.c.id.in_(claim)).values(state="claimed", marked_at=now))
    if not pieces:
        return []
    first = _take_events(connection, stored.place, len(pieces)) - len(pieces) + 1
    out = []
    for number, (piece, state) in enumerate(zip(pieces, states, strict=True)):
        shape = {"event": first + number, "first": number == 0, "last": number == len(pieces) - 1}
        values = {
            "message_id": stored.id,
            "conversation_id": stored.place,
            "identity_id": closed.identity_id,
            "text": piece.text,
            "citations": [asdict(c) for c in piece.citations],
            "choices": [asdict(c) for c in piece.choices],
            "state": state,
            "stored_at": now,
            **shape,
        }
        row = connection.execute(_NEW_PART, values).scalar_one()
        out.append(_part(row, stored, piece, live=closed.live if number == 0 else "", **shape))
    return out


def _part(row: int, stored: Stored, piece: Piece, **shape: Any) -> OutboundMessage:
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


def _say(connection: Connection, place: int, text: str, now: datetime) -> OutboundMessage | None:
    last = connection.execute(
        select(messages.c.identity_id).where(messages.c.conversation_id == place).order_by(messages.c.event.desc())
    ).scalar()
    if last is None:
        return None
    values = {
        "conversation_id": place,
        "identity_id": last,
        "event": _take_events(connection, place, 1),
        "first": True,
        "last": True,
        "text": text,
        "citations": [],
        "choices": [],
        "state": "waiting",
        "stored_at": now,
    }
    row = connection.execute(_NEW_PART, values).scalar_one()
    return _outbound(connection.execute(OUTGOING.where(parts.c.id == row)).one())


OUTGOING = (
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


def _outgoing(row: Row[*tuple[Any, ...]]) -> Outgoing:
    return Outgoing(
        message=_outbound(row),
        place=row.conversation_id,
        state=row.state,
        tries=row.tries,
        not_before=row.not_before,
        receipt=row.receipt,
    )


def _outbound(row: Row[*tuple[Any, ...]]) -> OutboundMessage:
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


# -- reading


def _events(
    connection: Connection, place: Conversation, after: int, limit: int
) -> list[tuple[int, InboundMessage | OutboundMessage, datetime]]:
    row = connection.execute(
        select(conversations.c.id).where(
            conversations.c.channel == place.channel,
            conversations.c.account == place.account,
            conversations.c.key == place.id,
        )
    ).scalar()
    if row is None:
        return []
    came = connection.execute(
        select(messages.c.event, messages.c.payload, messages.c.received_at)
        .where(messages.c.conversation_id == row, messages.c.event > after)
        .order_by(messages.c.event)
        .limit(limit)
    )
    went = connection.execute(
        OUTGOING.where(parts.c.conversation_id == row, parts.c.event > after).order_by(parts.c.event).limit(limit)
    )
    found: list[tuple[int, InboundMessage | OutboundMessage, datetime]] = [
        (m.event, INBOUND.validate_json(m.payload), m.received_at) for m in came
    ]
    found.extend((p.event, _outbound(p), p.stored_at) for p in went)
    return sorted(found, key=lambda item: item[0])[:limit]


def _history(connection: Connection, stored: Stored, limit: int) -> list[Exchange]:
    """The newest `limit` exchanges before the message, oldest first."""
    asked = (
        select(messages.c.id, messages.c.payload, messages.c.received_at, messages.c.channel)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(
            messages.c.id < stored.id,
            messages.c.state.in_(("open", "answered", "recorded")),
            messages.c.engine.not_in(SILENT),
        )
        .order_by(messages.c.id.desc())
        .limit(limit)
    )
    if stored.message.conversation.kind == "group":
        asked = asked.where(messages.c.conversation_id == stored.place)
    else:
        mine = select(identities.c.id).where(identities.c.person_id == stored.person.id)
        asked = asked.where(messages.c.identity_id.in_(mine), conversations.c.kind == "private")
    rows = connection.execute(asked).all()
    said = connection.execute(
        select(parts.c.message_id, parts.c.text, parts.c.stored_at)
        .where(parts.c.message_id.in_([row.id for row in rows]))
        .order_by(parts.c.event)
    ).all()
    found: list[Exchange] = []
    for row in reversed(rows):
        if text := INBOUND.validate_json(row.payload).text:
            found.append(Exchange("person", text, row.channel, row.received_at))
        found.extend(Exchange("agent", p.text, row.channel, p.stored_at) for p in said if p.message_id == row.id)
    return found[-limit:]
