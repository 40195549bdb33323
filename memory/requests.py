"""What people ask of the hub about themselves: linking, what is remembered, forgetting, people in the agent's place.

Each request is answered inside one transaction, from the identity that said it. Numbers are those of the list that
/memory shows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from hub.errors import NotStored
from hub.journal import Stored
from hub.texts import Texts, texts
from memory import audit, facts, handing, linking, privacy, wishes
from memory.inbox import ERASED
from memory.linking import Side
from memory.spoken import Spoken
from memory.tables import identities, messages, notes

CONFIRM = timedelta(minutes=10)
"""How long a question whether everything is to be forgotten stands."""
NOTES = "memory"

CONFIRMATIONS = frozenset({texts("zh").memory.confirm, texts("en").memory.confirm, "确认", "confirm"})


@dataclass(frozen=True, slots=True)
class Said:
    """What a request is answered, and what is said to somebody besides: (conversation, text)."""

    text: str
    other: tuple[int, str] | None = None
    silent: bool = False
    handed: bool = False
    forgotten: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: who asks, from where, and what stands after the command."""

    connection: Connection
    stored: Stored
    side: Side
    says: Texts
    what: str
    now: datetime
    queued: str
    """What is said to whoever asks for a person."""

    @property
    def by(self) -> str:
        """As the audit log names them."""
        return f"person {self.side.person}"

    def told(self) -> list[facts.Told]:
        """What /memory lists, in its order."""
        return facts.listed(self.connection, self.side.person, place(self.stored), now=self.now)

    def note(self, act: str) -> None:
        """Writes it into the audit log."""
        audit.write(self.connection, audit.Entry(self.by, act, self.by), now=self.now)


def answer(
    connection: Connection, stored: Stored, command: Spoken | None, *, queued: str, now: datetime
) -> Said | None:
    """What is answered; None where the words are for the agent. `command` is None for what may be a confirmation.

    `queued` is said to whoever asks for a person.
    """
    says = texts(stored.person.language)
    side = Side(identity(connection, stored), stored.person.id, stored.place)
    asked = Asked(connection, stored, side, says, command.what if command else "", now, queued)
    return REQUESTS[command.command](asked) if command else _otherwise(asked)


def _otherwise(asked: Asked) -> Said | None:
    """A confirmation, or words that people answer and not the agent."""
    if _stands(asked):
        privacy.forget(asked.connection, asked.side.person, by=asked.by, now=asked.now, spare=asked.stored.id)
        return Said(asked.says.memory.forgotten, forgotten=True)
    return Said("", silent=True) if asked.stored.handed else None


def _link(asked: Asked) -> Said:
    if place(asked.stored) != facts.PRIVATE:  # whoever reads it could use it, and would be taken for them
        return Said(asked.says.memory.privately)
    code = linking.new_code(asked.connection, asked.side, now=asked.now)
    return Said(asked.says.memory.code.format(code=code))


def _use(asked: Asked) -> Said:
    giver = linking.use_code(asked.connection, asked.side, asked.what, now=asked.now)
    if giver is None:
        return Said(asked.says.memory.wrong_code)
    theirs = texts(giver.language).memory.linked_elsewhere
    return Said(asked.says.memory.linked, other=(giver.place, theirs))


def _unlink(asked: Asked) -> Said:
    parted = linking.part(asked.connection, asked.side.identity, by=asked.by, now=asked.now)
    if parted and linking.mates(asked.connection, asked.side.identity):
        return Said(asked.says.memory.unlinked_last)
    return Said(asked.says.memory.unlinked if parted else asked.says.memory.not_linked)


def _memory(asked: Asked) -> Said:
    says = asked.says.memory
    lines = [
        (says.pinned_line if one.pinned else says.line).format(number=number, fact=one.fact.text)
        for number, one in enumerate(asked.told(), 1)
    ]
    shown = [says.known, *lines] if lines else [says.nothing]
    asked.note("show")
    if bans := wishes.shown(asked.connection, asked.side.person, place(asked.stored)):
        shown.append(says.bans.format(bans="、".join(ban.name for ban in bans)))
    return Said("\n".join([*shown, says.how] if lines else shown))


def _pin(asked: Asked, *, pinned: bool = True) -> Said:
    one = facts.numbered(asked.told(), asked.what)
    if one is None:
        return Said(asked.says.memory.no_number)
    wishes.pin(asked.connection, asked.side.person, one.fact, single=one.single, pinned=pinned)
    asked.note("pin" if pinned else "unpin")
    said = asked.says.memory.pinned if pinned else asked.says.memory.unpinned
    return Said(said.format(fact=one.fact.text))


def _unpin(asked: Asked) -> Said:
    return _pin(asked, pinned=False)


def _forbid(asked: Asked) -> Said:
    one = facts.numbered(asked.told(), asked.what)
    if one is None and asked.what.isdecimal():
        return Said(asked.says.memory.no_number)
    ban = wishes.ban_of(one.fact, single=one.single) if one else wishes.ban(asked.what)
    side = asked.side
    wishes.forbid(
        asked.connection, side.identity, side.person, ban, place=place(asked.stored), by=asked.by, now=asked.now
    )
    asked.note("forbid")
    return Said(asked.says.memory.forbidden.format(what=ban.name))


def _allow(asked: Asked) -> Said:
    ban = wishes.ban(asked.what) if asked.what else None
    if not wishes.allow(asked.connection, asked.side.person, ban):
        return Said(asked.says.memory.no_ban)
    asked.note("allow")
    return Said(asked.says.memory.allowed)


def _human(asked: Asked) -> Said:
    handing.hand_over(asked.connection, asked.side.place, "asked for", now=asked.now)
    return Said(asked.queued, handed=True)


def _agent(asked: Asked) -> Said:
    handing.give_back(asked.connection, asked.side.place, by=asked.by, now=asked.now)
    return Said(asked.says.returned)


# -- forgetting everything needs a yes


def _forget(asked: Asked) -> Said:
    _clear(asked)
    until = (asked.now + CONFIRM).timestamp()
    asked.connection.execute(insert(notes).values(channel=NOTES, key=_key(asked), value=repr(until)))
    return Said(asked.says.memory.forget)


def _stands(asked: Asked) -> bool:
    """Whether the question stands; it is used up by this."""
    query = select(notes.c.value).where(notes.c.channel == NOTES, notes.c.key == _key(asked))
    until = asked.connection.execute(query).scalar()
    _clear(asked)
    return until is not None and float(until) > asked.now.timestamp()


def _clear(asked: Asked) -> None:
    asked.connection.execute(delete(notes).where(notes.c.channel == NOTES, notes.c.key == _key(asked)))


def _key(asked: Asked) -> str:
    return f"forget {asked.side.identity}"


REQUESTS: dict[str, Callable[[Asked], Said]] = {
    "link": _link,
    "use": _use,
    "unlink": _unlink,
    "memory": _memory,
    "pin": _pin,
    "unpin": _unpin,
    "forbid": _forbid,
    "allow": _allow,
    "forget": _forget,
    "human": _human,
    "agent": _agent,
}


def identity(connection: Connection, stored: Stored) -> int:
    """The row of whoever said it. Raises NotStored where they were erased while it was worked on."""
    query = select(messages.c.identity_id).join(identities, identities.c.id == messages.c.identity_id)
    row = connection.execute(query.where(messages.c.id == stored.id, messages.c.state != ERASED)).scalar()
    if row is None:
        raise NotStored("erased meanwhile")
    return int(row)


def place(stored: Stored) -> str:
    """Where what is told now may surface again."""
    group = stored.message.conversation.kind == "group"
    return f"group {stored.place}" if group else facts.PRIVATE
