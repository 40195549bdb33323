"""A store, a journal and a mind that a test plays people on, with a clock that it moves."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from config.sections import MemorySection
from hub.journal import Piece, Stored
from hub.message import Conversation, InboundMessage, Text
from hub.person import Evidence, Identity
from hub.turn import Answer
from memory.handing import Rules
from memory.journal import SqlJournal
from memory.mind import Mind
from memory.sensitive import Policy
from memory.store import Store

OK = Answer("ok", engine="scripted")


@dataclass
class World:
    """People are named "channel:user"."""

    store: Store
    told: list[tuple[int, str]] = field(default_factory=list)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    count: int = 0
    history: int = 20
    trusted: frozenset[str] = frozenset({"unionid"})
    rules: Rules = field(default_factory=Rules)
    kept: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.journal = SqlJournal(self.store)
        self.mind = Mind(
            self.store,
            clock=lambda: self.now,
            tell=self.tell,
            policy=Policy.of(MemorySection().keep),
            people=True,
            trusted=self.trusted,
            rules=self.rules,
            history=self.history,
            kept=self.kept,
        )

    async def tell(self, place: int, words: str) -> bool:
        self.told.append((place, words))
        return True

    async def accept(
        self,
        who: str,
        words: str,
        *,
        proof: tuple[Evidence, ...] = (),
        vouched: tuple[Evidence, ...] = (),
        group: str = "",
    ) -> Stored:
        channel = who.split(":")[0]
        self.count += 1
        place = Conversation(channel, "acc", group or who, "group" if group else "private")
        message = InboundMessage(f"k{self.count}", place, Identity(channel, "acc", who), (Text(words),), evidence=proof)
        stored = await self.journal.accept(message, now=self.now)
        return await self.mind.identify(stored, vouched)

    async def close(self, stored: Stored) -> None:
        """Answers it with nothing."""
        await self.journal.answer(stored, Answer("", engine="scripted"), [], now=self.now, states=[])

    async def turn(
        self, who: str, words: str, *, proof: tuple[Evidence, ...] = (), group: str = "", agent: Answer = OK
    ) -> Answer:
        """A whole turn with an agent that gives this answer; the one that is given."""
        stored = await self.accept(who, words, proof=proof, group=group)
        answer = await self.mind.answer(stored) or await self.mind.offer(stored, agent)
        pieces = [Piece(answer.text)] if answer.text else []
        await self.journal.answer(stored, answer, pieces, now=self.now, states=["sent"] * len(pieces))
        await self.mind.learn(stored, answer)
        return answer

    async def say(self, who: str, words: str, *, proof: tuple[Evidence, ...] = (), group: str = "") -> str:
        """A whole turn; what the person reads."""
        return (await self.turn(who, words, proof=proof, group=group)).text

    async def recalled(self, who: str, question: str, *, group: str = "") -> list[str]:
        """What the agent is reminded of when this person asks."""
        stored = await self.accept(who, question, group=group)
        recalled = await self.mind.recall(stored)
        await self.close(stored)
        return [one.text for one in recalled]

    async def seen(self, who: str, *, group: str = "") -> str:
        """All that an agent would be shown when this person asks."""
        stored = await self.accept(who, "你知道我什么", group=group)
        history = await self.journal.history(stored, limit=100)
        recalled = await self.mind.recall(stored)
        await self.close(stored)
        return "\n".join([*(e.text for e in history), *(r.text for r in recalled)])

    async def code(self, who: str) -> str:
        return (await self.say(who, "/link")).split("/link ")[1].split("（")[0]
