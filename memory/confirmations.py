"""What somebody is asked before a tool acts, and what they say to it. Functions over a connection.

A question belongs to one identity in one conversation; the next one there takes its place. It stands while it is the
last thing that was said: whoever asks or commands something else in between has let it go, and no state has to be
changed for that. A yes is used up by the message that says it, so that this message may be worked on again after a
crash, and no other ever acts upon the same question.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, delete, exists, select, update

from memory import audit
from memory.calls import row_of
from memory.tables import INSERTS, confirmations, identities, messages, notes

Word = Literal["yes", "no"]
Standing = Literal["yes", "no", "done", "late", "other"]
"""`yes` and `no` count, `done` was answered before, `late` stands no more, `other` is somebody else's question."""


@dataclass(frozen=True, slots=True)
class Said:
    """A yes or a no. `number` is that of the question whose button was pressed, 0 for words.

    `plain`: a button, or words that mean this and nothing else, also where nothing is asked any more.
    """

    word: Word
    number: int = 0
    plain: bool = True


@dataclass(frozen=True, slots=True)
class Heard:
    """What a yes or a no comes to. `tool`, `arguments` (JSON) and the `turn` that asked are those of the question."""

    standing: Standing
    tool: str = ""
    arguments: str = ""
    turn: str = ""


def ask(connection: Connection, turn: str, tool: str, arguments: str, *, now: datetime, until: datetime) -> int:
    """Stores the question of a turn in the place of the one before it; its number. Asking again is no new question."""
    row = row_of(turn)
    who = connection.execute(_WHO.where(messages.c.id == row, messages.c.state == "open").with_for_update()).first()
    if who is None:  # erased meanwhile: nobody can say yes
        return row
    values = {"message_id": row, "tool": tool, "arguments": arguments, "asked_at": now, "expires_at": until}
    fresh = {**values, "answer": "", "answered_by": None}
    put = INSERTS[connection.dialect.name](confirmations).values(
        identity_id=who.identity_id, conversation_id=who.conversation_id, **fresh
    )
    connection.execute(put.on_conflict_do_update(index_elements=["identity_id", "conversation_id"], set_=fresh))
    # "确认" must not mean two things: whoever is asked this has let the question of /forget go
    connection.execute(delete(notes).where(notes.c.channel == "memory", notes.c.key == f"forget {who.identity_id}"))
    return row


def hear(connection: Connection, turn: str, said: Said, *, now: datetime) -> Heard | None:
    """What the message of this turn comes to; None where nothing was asked, and its words mean something else."""
    me = connection.execute(_WHO.where(messages.c.id == row_of(turn))).one()
    mine = connection.execute(
        select(confirmations)
        .where(confirmations.c.identity_id == me.identity_id, confirmations.c.conversation_id == me.conversation_id)
        .with_for_update()
    ).first()
    if said.number and (mine is None or mine.message_id != said.number):
        return Heard("other" if _of_another(connection, said.number, me.identity_id) else "late")
    if mine is None:
        return None
    standing = _standing(connection, mine, me, said, now)
    if standing is None:
        return None
    if standing in ("yes", "no") and mine.answered_by is None:
        _use(connection, mine, me, standing, now)
    return Heard(standing, mine.tool, mine.arguments, f"t{mine.message_id}")


_WHO = select(messages.c.id, messages.c.identity_id, messages.c.conversation_id, messages.c.received_at)


def _standing(connection: Connection, mine: Any, me: Any, said: Said, now: datetime) -> Standing | None:
    """How the question stands for this message; None for words that do not belong to it."""
    if mine.answered_by == me.id:
        return "yes" if mine.answer == "yes" else "no"
    last = mine.answered_by or mine.message_id
    if me.received_at < mine.asked_at or _between(connection, me, last):
        return ("done" if mine.answered_by else "late") if said.number else None
    if mine.answered_by:
        return "done" if said.plain else None
    if now > mine.expires_at:
        return "late" if said.plain else None
    return said.word


def _between(connection: Connection, me: Any, last: int) -> bool:
    """Whether this identity said something else here after that message."""
    other = exists().where(
        messages.c.identity_id == me.identity_id,
        messages.c.conversation_id == me.conversation_id,
        messages.c.id > last,
        messages.c.id < me.id,
        messages.c.state.in_(["open", "answered"]),
    )
    return bool(connection.execute(select(other)).scalar())


def _of_another(connection: Connection, number: int, identity: int) -> bool:
    asked = exists().where(confirmations.c.message_id == number, confirmations.c.identity_id != identity)
    return bool(connection.execute(select(asked)).scalar())


def _use(connection: Connection, mine: Any, me: Any, word: Word, now: datetime) -> None:
    """The question is answered by this message, once; the audit log names who, and what was allowed."""
    connection.execute(
        update(confirmations)
        .where(confirmations.c.identity_id == me.identity_id, confirmations.c.conversation_id == me.conversation_id)
        .values(answer=word, answered_by=me.id)
    )
    asked = select(identities.c.person_id).where(identities.c.id == me.identity_id)
    person = connection.execute(asked).scalar_one()
    act = "confirm" if word == "yes" else "decline"
    audit.write(connection, audit.Entry(f"person {person}", act, f"tool {mine.tool}"), now=now)
