"""What the gateway asks of this room besides the journal: commands, what is known of a person, what to keep.

Implements hub.memory.Memory. The message that is being answered is the only way in: its row leads to its
identity, and that to its person.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import takewhile

from sqlalchemy import Connection, select, update

from hub import language
from hub.journal import Stored
from hub.message import Choice, Conversation
from hub.person import Evidence, Person
from hub.texts import texts
from hub.turn import Answer, Remembered
from memory import facts, handing, past, patterns, people, requests, said, summaries, vouched, wishes
from memory.handing import Rules, Tell
from memory.operators import Operators
from memory.requests import identity, place
from memory.sensitive import Policy
from memory.spoken import spoken
from memory.store import Store
from memory.study import Study
from memory.tables import messages, persons

ENGINE = "command"


class Mind:
    """One for all turns; keeps nothing itself.

    `people` says that somebody takes over when asked to; `history` is how many earlier messages and answers
    the agent is shown besides. `kept` names the channels where no word leads back from people to the agent, because
    the platform's own have the conversation.
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
        rules: Rules | None = None,
        study: Study | None = None,
        history: int = 20,
        kept: frozenset[str] = frozenset(),
    ) -> None:
        self._store = store
        self._clock = clock
        self._tell = tell
        self._policy = policy or Policy()
        self._trusted = trusted
        self._operators = operators
        self._people = people or operators is not None
        self._rules = rules or Rules()
        self._study = study
        self._shown = history // 2
        self._kept = kept

    async def identify(self, stored: Stored, seen: Sequence[Evidence] = ()) -> Stored:
        """See hub.memory.Memory."""
        if not any(proof.kind in self._trusted for proof in (*stored.message.evidence, *seen)):
            return stored

        def job(connection: Connection) -> tuple[Person | None, Sequence[vouched.Parted]]:
            now = self._clock()
            people.meet(connection, stored.message.sender, tuple(seen), now=now)
            row = identity(connection, stored)
            parted = vouched.part_contradicted(connection, row, trusted=self._trusted, now=now)
            if not vouched.join_by_evidence(connection, row, trusted=self._trusted, now=now) and not parted:
                return None, ()
            met = people.known(connection, stored.message.sender)
            return met.person if met else None, parted

        person, parted = await self._store.write(job)
        for one in parted:
            if one.place:
                await self._tell(one.place, texts("en" if one.language == "en" else "zh").memory.parted)
        return replace(stored, person=person) if person else stored

    async def give_back(self, conversation: Conversation) -> None:
        """See hub.memory.Memory."""

        def job(connection: Connection) -> None:
            found = past.place(connection, conversation)
            if found is not None:
                handing.give_back(connection, found, by="platform", now=self._clock())

        await self._store.write(job)

    async def answer(self, stored: Stored) -> Answer | None:
        """See hub.memory.Memory."""
        words = stored.message.text.strip()
        command = spoken(words)
        if command is None and words not in requests.CONFIRMATIONS:
            return Answer("", engine="handover") if stored.handed else await self._left(stored)
        reply = await self._store.write(
            lambda connection: requests.answer(
                connection, stored, command, queued=self._queued(stored), now=self._clock()
            )
        )
        if reply is None:
            return None
        if reply.forgotten:
            await self._store.scrub(whole=False)
        if reply.other:
            await self._tell(*reply.other)
        return Answer(
            "" if reply.silent else reply.text,
            engine="handover" if reply.silent else ENGINE,
            handover=reply.handed,
        )

    async def _left(self, stored: Stored) -> Answer | None:
        """What is said where these words are for people; None where they are for the agent."""
        why = handing.wanted(stored.message.text, self._rules) if self._people else ""
        if not why:
            return None
        await self._store.write(lambda connection: handing.hand_over(connection, stored.place, why, now=self._clock()))
        return Answer(self._queued(stored), engine=ENGINE, handover=True)

    def _queued(self, stored: Stored) -> str:
        """What whoever is left to people is told: that they come, and how to go back where there is a way."""
        says = texts(stored.person.language)
        return says.queued if stored.message.conversation.channel in self._kept else says.queued + says.back

    async def recall(self, stored: Stored) -> tuple[Remembered, ...]:
        """See hub.memory.Memory."""
        now, question = self._clock(), stored.message.text
        wanted = said.search(question, now=now, skip=self._shown)

        def job(connection: Connection) -> tuple[Remembered, ...]:
            told = facts.of(connection, stored.person.id, place(stored), now=now)
            hold, statements = said.older(connection, stored, wanted, told, self._policy)
            short = summaries.of(connection, stored.person.id, place(stored))
            return facts.relevant(hold, question) + statements + short

        return await self._store.read(job)

    async def offer(self, stored: Stored, answer: Answer) -> Answer:
        """See hub.memory.Memory."""
        if not (self._people and answer.refused):
            return answer
        row = await self._refused(stored)
        says = texts(stored.person.language)
        if self._rules.refusals and row + 1 >= self._rules.refusals:
            return replace(answer, text=f"{answer.text}\n\n{self._queued(stored)}", handover=True)
        return replace(answer, choices=(*answer.choices, Choice(says.human, says.human))) if row else answer

    async def _refused(self, stored: Stored) -> int:
        """How many answers before this one, in a row, were none."""
        before = select(messages.c.refused).where(
            messages.c.conversation_id == stored.place, messages.c.event < stored.event, messages.c.state == "answered"
        )
        last = before.order_by(messages.c.event.desc()).limit(max(self._rules.refusals, 1))
        found = await self._store.read(lambda connection: connection.execute(last).scalars().all())
        return len(list(takewhile(bool, found)))

    async def learn(self, stored: Stored, answer: Answer) -> None:
        """See hub.memory.Memory."""
        if answer.handover:
            await self._hand_over(stored)
        if answer.engine in (ENGINE, "handover"):
            return
        if self._study:
            self._study.notice(stored)
        proposals = patterns.found(stored.message.text, stored.received_at)
        tongue = language.spoken(stored.message.text)
        if not proposals and tongue in (None, stored.person.language):
            return

        def job(connection: Connection) -> None:
            if proposals:
                row = identity(connection, stored)
                wanted = [
                    fact for fact in proposals if not wishes.unwanted(fact, wishes.bans(connection, stored.person.id))
                ]
                facts.keep(connection, row, stored.id, place(stored), wanted, now=self._clock(), policy=self._policy)
            if tongue and tongue != stored.person.language:
                connection.execute(update(persons).where(persons.c.id == stored.person.id).values(language=tongue))

        await self._store.write(job)

    async def _hand_over(self, stored: Stored) -> None:
        """Once; then whoever takes over is called."""

        def job(connection: Connection) -> str:
            handing.hand_over(connection, stored.place, "the agent asked", now=self._clock())
            return handing.why(connection, stored.place)

        why = await self._store.write(job)
        if self._operators:
            await self._operators.called(stored, why)
