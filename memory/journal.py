"""The journal over SQL: every message in and every part out. See hub/journal.py for what each method promises.

Event numbers come from the conversation's row in the same transaction that stores what they number: the
row is locked from then until the commit, so that numbers have no gap and are in the order of the commits.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, select, update

from hub.journal import Outgoing, PartState, Piece, Stored
from hub.message import Conversation, InboundMessage, OutboundMessage, Receipt
from hub.turn import Answer, Exchange
from memory import calls, inbox, outbox, past
from memory.calls import Call
from memory.inbox import ERASED, INBOUND
from memory.outbox import Mark
from memory.store import Store
from memory.tables import INSERTS, UNSENT, messages, notes, parts


class SqlJournal:
    """Implements hub.journal.Journal."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- messages in

    async def accept(self, message: InboundMessage, *, now: datetime, answer: bool = True) -> Stored:
        payload = INBOUND.dump_json(message).decode()
        state = "open" if answer and message.addressed else "recorded"
        return await self._store.write(
            partial(inbox.accept, message=message, payload=payload, state=state, now=now),
        )

    async def find(self, conversation: Conversation, key: str) -> Stored | None:
        query = inbox.by_key(conversation, key).where(messages.c.state != ERASED)
        row = await self._store.read(lambda connection: connection.execute(query).first())
        return inbox.stored(row) if row else None

    async def open(self) -> Sequence[Stored]:
        query = inbox.STORED.where(messages.c.state == "open")
        query = query.order_by(messages.c.conversation_id, messages.c.event)
        rows = await self._store.read(lambda connection: connection.execute(query).all())
        return [inbox.stored(row) for row in rows]

    async def withdraw(self, conversation: Conversation, key: str) -> None:
        query = update(messages).where(*inbox.named(conversation, key), messages.c.state != ERASED)
        await self._run(query.values(state="withdrawn"))

    async def begin(self, stored: Stored, *, now: datetime) -> int:
        query = (
            update(messages)
            .where(messages.c.id == stored.id)
            .values(attempts=messages.c.attempts + 1)
            .returning(messages.c.attempts)
        )
        return int(await self._store.write(lambda connection: connection.execute(query).scalar_one()))

    async def keep_live(self, stored: Stored, handle: str) -> None:
        await self._run(update(messages).where(messages.c.id == stored.id).values(live=handle))

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
            lambda connection: outbox.answer(connection, stored, answer, pieces, states, claim, now)
        )

    async def reply(self, stored: Stored) -> Sequence[Outgoing]:
        return await self._parts(parts.c.message_id == stored.id)

    async def waiting(self, place: int) -> Sequence[Outgoing]:
        return await self._parts(parts.c.conversation_id == place, parts.c.state.in_(UNSENT))

    async def unsent(self) -> Sequence[Outgoing]:
        return await self._parts(parts.c.state.in_(UNSENT))

    async def _parts(self, *where: Any) -> Sequence[Outgoing]:
        query = outbox.OUTGOING.where(*where).order_by(parts.c.conversation_id, parts.c.event)
        rows = await self._store.read(lambda connection: connection.execute(query).all())
        return [outbox.outgoing(row) for row in rows]

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
        if ids:
            mark = Mark(state, now, receipt.id if receipt else "", not_before, why)
            await self._store.write(lambda connection: outbox.mark(connection, ids, mark))

    async def say(self, place: int, text: str, *, now: datetime) -> OutboundMessage | None:
        return await self._store.write(lambda connection: outbox.say(connection, place, text, now))

    # -- what was said

    async def events(
        self, conversation: Conversation, *, after: int, limit: int
    ) -> Sequence[tuple[int, InboundMessage | OutboundMessage, datetime]]:
        return await self._store.read(lambda connection: past.events(connection, conversation, after, limit))

    async def history(self, stored: Stored, *, limit: int) -> Sequence[Exchange]:
        if limit <= 0:
            return []
        return await self._store.read(lambda connection: past.history(connection, stored, limit))

    # -- what tools did

    async def tool_calls(self, turn: str) -> Sequence[Call]:
        """The calls of a turn, in order: a turn that is run again takes their results from here."""
        return await self._store.read(lambda connection: calls.of(connection, turn))

    async def record_tool_call(self, turn: str, call: Call, *, now: datetime) -> None:
        """Stores the call, or what became of it; nothing when the turn's message is not open any more."""
        await self._store.write(lambda connection: calls.record(connection, turn, call, now))

    # -- notes

    async def note(self, channel: str, key: str) -> str | None:
        query = select(notes.c.value).where(notes.c.channel == channel, notes.c.key == key)
        return await self._store.read(lambda connection: connection.execute(query).scalar())

    async def keep_note(self, channel: str, key: str, value: str) -> None:
        put = INSERTS[self._store.dialect](notes).values(channel=channel, key=key, value=value)
        await self._run(put.on_conflict_do_update(index_elements=["channel", "key"], set_={"value": value}))

    async def _run(self, query: Any) -> None:
        def job(connection: Connection) -> None:
            connection.execute(query)

        await self._store.write(job)
