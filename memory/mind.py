"""What the gateway asks of this room besides the journal: commands, what is known of a person, what to keep.

Implements hub.memory.Memory. The message that is being answered is the only way in: its row leads to its
identity, and that to its person.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from hub import language
from hub.journal import Stored
from hub.message import Choice
from hub.person import Person
from hub.texts import Texts, texts
from hub.turn import Answer, Remembered
from memory import facts, linking, people, privacy, said
from memory.linking import Side
from memory.operators import Operators
from memory.sensitive import Policy
from memory.spoken import Spoken, spoken
from memory.store import Store
from memory.tables import conversations, identities, messages, notes, persons

ENGINE = "command"
CONFIRM = timedelta(minutes=10)
"""How long a question whether everything is to be forgotten stands."""
NOTES = "memory"

CONFIRMATIONS = frozenset({texts("zh").memory.confirm, texts("en").memory.confirm, "确认", "confirm"})

Tell = Callable[[int, str], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Said:
    """What a command has to say, and to whom besides the one who said it: (conversation, text)."""

    text: str
    other: tuple[int, str] | None = None
    silent: bool = False
    handed: bool = False


class Mind:
    """One for all turns; keeps nothing itself.

    `people` says that somebody takes over when asked to; `history` is how many earlier messages and answers
    the agent is shown besides.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime],
        tell: Tell,
        policy: Policy | None = None,
        trusted: frozenset[str] = frozenset({"unionid"}),
        operators: Operators | None = None,
        people: bool = False,
        history: int = 20,
    ) -> None:
        self._store = store
        self._clock = clock
        self._tell = tell
        self._policy = policy or Policy()
        self._trusted = trusted
        self._operators = operators
        self._people = people or operators is not None
        self._shown = history // 2

    async def identify(self, stored: Stored) -> Stored:
        """See hub.memory.Memory."""
        if not any(proof.kind in self._trusted for proof in stored.message.evidence):
            return stored

        def job(connection: Connection) -> Person | None:
            identity = _identity(connection, stored)
            if not linking.join_by_evidence(connection, identity, trusted=self._trusted, now=self._clock()):
                return None
            met = people.known(connection, stored.message.sender)
            return met.person if met else None

        person = await self._store.write(job)
        return replace(stored, person=person) if person else stored

    async def answer(self, stored: Stored) -> Answer | None:
        """See hub.memory.Memory."""
        words = stored.message.text.strip()
        command = spoken(words)
        if command is None and words not in CONFIRMATIONS:
            return Answer("", engine="handover") if stored.handed else None
        reply = await self._store.write(lambda connection: self._command(connection, stored, command))
        if reply is None:
            return None
        if reply.other:
            await self._tell(*reply.other)
        if reply.handed and self._operators:
            await self._operators.called(stored, "asked for")
        return Answer("" if reply.silent else reply.text, engine="handover" if reply.silent else ENGINE)

    async def recall(self, stored: Stored) -> tuple[Remembered, ...]:
        """See hub.memory.Memory."""
        now, question = self._clock(), stored.message.text
        wanted = said.search(question, now=now, skip=self._shown)

        def job(connection: Connection) -> tuple[Remembered, ...]:
            told = facts.of(connection, stored.person.id, _place(stored), now=now)
            hold, statements = said.older(connection, stored, wanted, told, self._policy)
            return facts.relevant(hold, question) + statements

        return await self._store.read(job)

    async def offer(self, stored: Stored, answer: Answer) -> Answer:
        """See hub.memory.Memory."""
        if not (self._people and answer.refused):
            return answer
        before = select(messages.c.refused).where(
            messages.c.conversation_id == stored.place, messages.c.event < stored.event, messages.c.state == "answered"
        )
        last = before.order_by(messages.c.event.desc()).limit(1)
        if not await self._store.read(lambda connection: connection.execute(last).scalar()):
            return answer
        human = texts(stored.person.language).human
        return replace(answer, choices=(*answer.choices, Choice(human, human)))

    async def learn(self, stored: Stored, answer: Answer) -> None:
        """See hub.memory.Memory."""
        if answer.engine in (ENGINE, "handover"):
            return
        if answer.handover:
            await self._store.write(lambda connection: hand_over(connection, stored.place, "the agent asked"))
            if self._operators:
                await self._operators.called(stored, "the agent asked")
        proposals = facts.found(stored.message.text)
        tongue = language.spoken(stored.message.text)
        if not proposals and tongue in (None, stored.person.language):
            return

        def job(connection: Connection) -> None:
            if proposals:
                identity = _identity(connection, stored)
                facts.keep(
                    connection, identity, stored.id, _place(stored), proposals, now=self._clock(), policy=self._policy
                )
            if tongue and tongue != stored.person.language:
                connection.execute(update(persons).where(persons.c.id == stored.person.id).values(language=tongue))

        await self._store.write(job)

    # -- commands, inside one transaction

    def _command(self, connection: Connection, stored: Stored, command: Spoken | None) -> Said | None:
        says = texts(stored.person.language)
        if command is None:
            return self._otherwise(connection, stored, says)
        side = Side(_identity(connection, stored), stored.person.id, stored.place)
        match command.command:
            case "link":
                return self._link(connection, side, says)
            case "use":
                return self._use(connection, side, command.code, says)
            case "unlink":
                parted = linking.part(connection, side.identity, by=f"person {side.person}", now=self._clock())
                return Said(says.memory.unlinked if parted else says.memory.not_linked)
            case "memory":
                return self._memory(connection, stored, says)
            case "forget":
                return self._ask_forget(connection, side, says)
            case "human":
                return self._human(connection, stored, says)

    def _otherwise(self, connection: Connection, stored: Stored, says: Texts) -> Said | None:
        """A confirmation, or words that people answer and not the agent."""
        side = Side(_identity(connection, stored), stored.person.id, stored.place)
        if self._asked(connection, side):
            privacy.forget(connection, side.person, by=f"person {side.person}", now=self._clock(), spare=stored.id)
            return Said(says.memory.forgotten)
        return Said("", silent=True) if stored.handed else None

    def _link(self, connection: Connection, side: Side, says: Texts) -> Said:
        code = linking.new_code(connection, side, now=self._clock())
        return Said(says.memory.code.format(code=code))

    def _use(self, connection: Connection, side: Side, code: str, says: Texts) -> Said:
        giver = linking.use_code(connection, side, code, now=self._clock())
        if giver is None:
            return Said(says.memory.wrong_code)
        return Said(says.memory.linked, other=(giver.place, says.memory.linked_elsewhere))

    def _memory(self, connection: Connection, stored: Stored, says: Texts) -> Said:
        told = facts.of(connection, stored.person.id, _place(stored), now=self._clock())
        if not told:
            return Said(says.memory.nothing)
        return Said("\n".join([says.memory.known, *(f"- {one.fact.text}" for one in told[:50])]))

    def _ask_forget(self, connection: Connection, side: Side, says: Texts) -> Said:
        _clear_note(connection, side)
        until = (self._clock() + CONFIRM).timestamp()
        connection.execute(insert(notes).values(channel=NOTES, key=_note(side), value=repr(until)))
        return Said(says.memory.forget)

    def _asked(self, connection: Connection, side: Side) -> bool:
        """Whether the question stands; it is used up by this."""
        query = select(notes.c.value).where(notes.c.channel == NOTES, notes.c.key == _note(side))
        until = connection.execute(query).scalar()
        _clear_note(connection, side)
        return until is not None and float(until) > self._clock().timestamp()

    def _human(self, connection: Connection, stored: Stored, says: Texts) -> Said:
        hand_over(connection, stored.place, "asked for")
        return Said(says.queued, handed=True)


def hand_over(connection: Connection, place: int, why: str) -> None:
    """People answer in this conversation from now on; an empty `why` gives it back to the agent."""
    connection.execute(update(conversations).where(conversations.c.id == place).values(handed=why))


def _note(side: Side) -> str:
    return f"forget {side.identity}"


def _clear_note(connection: Connection, side: Side) -> None:
    connection.execute(delete(notes).where(notes.c.channel == NOTES, notes.c.key == _note(side)))


def _identity(connection: Connection, stored: Stored) -> int:
    query = select(messages.c.identity_id).join(identities, identities.c.id == messages.c.identity_id)
    return int(connection.execute(query.where(messages.c.id == stored.id)).scalar_one())


def _place(stored: Stored) -> str:
    """Where what is told now may surface again."""
    group = stored.message.conversation.kind == "group"
    return f"group {stored.place}" if group else facts.PRIVATE
