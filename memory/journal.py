"""The journal over SQL: every message in and every part out. See hub/journal.py for what each method promises.

Event numbers come from the conversation's row in the same transaction that stores what they number: the
row is locked from then until the commit, so that numbers have no gap and are in the order of the commits.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from hub.journal import Outgoing, PartState, Piece, Stored
from hub.message import Conversation, InboundMessage, OutboundMessage, Receipt
from hub.person import Evidence
from hub.turn import Answer, Exchange
from memory import calls, inbox, outbox, past, people
from memory.calls import Call
from memory.inbox import INBOUND
from memory.outbox import Mark
from memory.store import Store
from memory.tables import INSERTS, notes


class SqlJournal:
    """Implements hub.journal.Journal."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- messages in

    async def accept(self, message: InboundMessage, *, now: datetime, answer: bool = True) -> Stored:
        payload = INBOUND.dump_json(message).decode()
        state = "open" if answer and message.addressed else "recorded"
        return await self._store.write(lambda connection: inbox.accept(connection, message, payload, state, now))

    async def find(self, conversation: Conversation, key: str) -> Stored | None:
        return await self._store.read(lambda connection: inbox.find(connection, conversation, key))

    async def open(self) -> Sequence[Stored]:
        return await self._store.read(inbox.unanswered)

    async def withdraw(self, conversation: Conversation, key: str) -> None:
        await self._store.write(lambda connection: inbox.withdraw(connection, conversation, key))

    async def begin(self, stored: Stored, *, now: datetime) -> int:
        return await self._store.write(lambda connection: inbox.begin(connection, stored.id))

    async def keep_live(self, stored: Stored, handle: str) -> None:
        await self._store.write(lambda connection: inbox.keep_live(connection, stored.id, handle))

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
        return await self._store.read(lambda connection: outbox.of_reply(connection, stored.id))

    async def waiting(self, place: int) -> Sequence[Outgoing]:
        return await self._store.read(lambda connection: outbox.waiting(connection, place))

    async def unsent(self) -> Sequence[Outgoing]:
        return await self._store.read(outbox.unsent)

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

    async def record_tool_call(self, turn: str, call: Call, *, now: datetime) -> bool:
        """Stores the call, or what became of it; False when the turn's message is not open any more."""
        return await self._store.write(lambda connection: calls.record(connection, turn, call, now))

    async def proofs(self, person: int) -> Sequence[Evidence]:
        """What platforms vouch for about a person, on all their identities."""
        return await self._store.read(lambda connection: people.proofs(connection, person))

    # -- notes

    async def note(self, channel: str, key: str) -> str | None:
        query = select(notes.c.value).where(notes.c.channel == channel, notes.c.key == key)
        return await self._store.read(lambda connection: connection.execute(query).scalar())

    async def keep_note(self, channel: str, key: str, value: str) -> None:
        put = INSERTS[self._store.dialect](notes).values(channel=channel, key=key, value=value)
        query = put.on_conflict_do_update(index_elements=["channel", "key"], set_={"value": value})

        def job(connection: Connection) -> None:
            connection.execute(query)

        await self._store.write(job)
