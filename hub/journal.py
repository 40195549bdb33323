"""The record of every message in and every part out, and how far each got: inbox, outbox and history in one.

The port that the gateway stands on; memory/journal.py implements it over SQLite and PostgreSQL.

Every message in and every part out of a conversation has an `event`, a number that grows by one within
the conversation and is given in the transaction that stores it, so that numbers have no gap and their
order is the order of the commits.

A message in is `open` until it is answered; then its reply and the reply's parts are there, committed in
the same transaction. A part goes through these states:

    waiting ──▶ sending ──▶ sent                 by Channel.send
       │           ├──────▶ waiting (not_before)  a fault: again later, the same part first
       │           ├──────▶ unknown ──▶ sending   it may have arrived: once more, marked as a possible duplicate
       │           ├──────▶ kept                  the platform takes nothing now: with the person's next message
       │           └──────▶ failed                never
       └──▶ claimed ──▶ sent                      in the HTTP answer of a message (Ticket.reply)

All methods raise NotStored when the database does not take it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from hub.message import Choice, Citation, Conversation, InboundMessage, OutboundMessage, Receipt
from hub.person import Person
from hub.turn import Answer, Exchange

PartState = Literal["waiting", "sending", "claimed", "sent", "unknown", "kept", "failed"]


@dataclass(frozen=True, slots=True)
class Stored:
    """A message in, as it was stored.

    `id` is its row, `place` the row of its conversation, `turn` the id of the turn that answers it (the
    same whenever it is run). `handed`: people answer in this conversation, the agent is silent.
    `fresh`: this call stored it. `open`: it is to be answered and was not yet.
    `attempts`: turns that were begun. `live`: the handle of the live reply that was opened for it, or "".
    """

    id: int
    place: int
    event: int
    turn: str
    message: InboundMessage
    person: Person
    received_at: datetime
    fresh: bool = False
    open: bool = True
    attempts: int = 0
    live: str = ""
    handed: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a reply, fit to the channel, before it is stored."""

    text: str
    citations: tuple[Citation, ...] = ()
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A part in the outbox: what to send, and how far it got. `tries` counts sends that were begun.

    `receipt` is the id that the platform gave it, "" when it gave none or the part is not sent.
    """

    message: OutboundMessage
    place: int
    state: PartState
    tries: int = 0
    not_before: datetime | None = None
    receipt: str = ""


class Journal(Protocol):
    """See the module's docstring. `now` is aware, in UTC."""

    async def accept(self, message: InboundMessage, *, now: datetime, answer: bool = True) -> Stored:
        """Stores it once; the same (channel, account, key) gives the row that is there, with fresh=False.

        Makes the conversation, the identity (with its evidence) and its person where they are new.
        `answer=False`: recorded only, never open (not addressed, stale).
        """
        ...

    async def find(self, conversation: Conversation, key: str) -> Stored | None:
        """The message stored under this key of the conversation's channel and account."""
        ...

    async def open(self) -> Sequence[Stored]:
        """All that are still to be answered, by conversation and event. Asked once at start."""
        ...

    async def withdraw(self, conversation: Conversation, key: str) -> None:
        """Recalled by the person: no longer open, and not part of the history."""
        ...

    async def begin(self, stored: Stored, *, now: datetime) -> int:
        """A turn begins: counts and returns the attempt, from 1."""
        ...

    async def keep_live(self, stored: Stored, handle: str) -> None:
        """The handle of the live reply; on disk when this returns. The first part of the reply carries it."""
        ...

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
        """Closes the message with its answer and puts the pieces into the outbox, in one transaction.

        `states` has the state of each piece ("waiting"; "sent" where storing delivers; "claimed" for one
        that goes out in an open HTTP answer), `claim` the older parts that go out in that same answer.
        Returns the parts of this answer; () when the message was closed before: nothing is stored then.
        """
        ...

    async def reply(self, stored: Stored) -> Sequence[Outgoing]:
        """The parts of the reply to this message, in order and whatever their state; () while it is open."""
        ...

    async def waiting(self, place: int) -> Sequence[Outgoing]:
        """Parts of the conversation that are not sent: waiting, sending, claimed, unknown or kept; by event."""
        ...

    async def unsent(self) -> Sequence[Outgoing]:
        """As `waiting`, of all conversations. Asked once at start."""
        ...

    async def mark(
        self,
        parts: Sequence[int],
        state: PartState,
        *,
        now: datetime,
        receipt: Receipt | None = None,
        not_before: datetime | None = None,
        why: str = "",
    ) -> None:
        """Moves parts (OutboundMessage.id) to a state; `sending` counts a try. `why` is for the operator."""
        ...

    async def say(self, place: int, text: str, *, now: datetime) -> OutboundMessage | None:
        """Stores a message that answers nothing, to whoever wrote last in this conversation; None when nobody did."""
        ...

    async def events(
        self, conversation: Conversation, *, after: int, limit: int
    ) -> Sequence[tuple[int, InboundMessage | OutboundMessage, datetime]]:
        """Stored events of a conversation above a number, in order."""
        ...

    async def history(self, stored: Stored, *, limit: int) -> Sequence[Exchange]:
        """What this message's person may be reminded of, oldest first, without the message itself.

        In a private conversation: the person's private exchanges on all channels. In a group: what was
        said in that conversation. Never another person's private words.
        """
        ...

    async def note(self, channel: str, key: str) -> str | None:
        """A channel's durable value."""
        ...

    async def keep_note(self, channel: str, key: str, value: str) -> None:
        """Stores it."""
        ...
