"""Reads what people said once they have gone quiet: facts that no pattern foresaw, and a rolling summary.

It works beside the answers, one conversation after the other, with a model within a number of calls a day, and
without one from the words alone. How far it read is stored with the summary, so that a restart neither loses nor
repeats anything. What was erased while the model thought leaves nothing.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

import structlog
from sqlalchemy import Connection, select

from hub.errors import HubError, NotStored
from hub.journal import Stored
from memory import facts, past, reading, summaries, wishes
from memory.inbox import INBOUND
from memory.reading import Reading, Words
from memory.requests import identity, place
from memory.sensitive import Policy
from memory.store import Store
from memory.tables import conversations, identities, messages

log = structlog.get_logger()

REST = 60.0
"""Seconds of quiet after which somebody's words are read."""
MOST = 40
"""Messages that are read at once."""
FEW = 10
"""Without a model fewer messages come to no summary."""


class Scribe(Protocol):
    """A model that writes."""

    async def write(self, task: str, words: str) -> str:
        """Its answer. `words` are data. Raises HubError."""
        ...


@dataclass(frozen=True, slots=True)
class Chapter:
    """What somebody said in a place and nobody read yet, and the summary of what they said before."""

    identity: int
    person: int
    place: str
    before: str
    since: datetime | None
    words: Sequence[Words]


@dataclass
class Study:
    """One for the process. `calls` is how often the model may be asked in a day."""

    store: Store
    clock: Callable[[], datetime]
    policy: Policy
    scribe: Scribe | None = None
    calls: int = 0
    rest: float = REST
    _noticed: dict[tuple[str, str], tuple[Stored, float]] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _asked: tuple[date | None, int] = (None, 0)

    def notice(self, stored: Stored) -> None:
        """Somebody said something that may be read when they have gone quiet."""
        key = (repr(stored.message.sender), place(stored))
        self._noticed.pop(key, None)
        self._noticed[key] = stored, asyncio.get_running_loop().time() + self.rest
        self._wake.set()

    async def run(self) -> None:
        """Reads while it runs, those first who have been quiet for longest."""
        while True:
            self._wake.clear()
            if not self._noticed:
                await self._wake.wait()
                continue
            key, (stored, due) = next(iter(self._noticed.items()))
            wait = due - asyncio.get_running_loop().time()
            if wait > 0:
                await asyncio.sleep(wait)
                continue
            del self._noticed[key]
            try:
                await self.read(stored)
            except NotStored:
                log.warning("what was said is read later")
            except Exception:
                log.exception("what was said was not read")

    async def read(self, stored: Stored) -> int:
        """Reads what this sender said here and nobody read; how many facts were kept."""
        chapter = await self.store.read(lambda connection: _chapter(connection, stored))
        asks = self.scribe is not None and self._may_ask()
        if not chapter.words or (not asks and len(chapter.words) < FEW):
            return 0
        found = await self._asked_model(chapter) if asks else _extracted(chapter)
        if found is None:
            return 0
        return await self.store.write(lambda connection: self._keep(connection, chapter, found))

    def _may_ask(self) -> bool:
        """Counts a call, where one is left today."""
        today = self.clock().date()
        day, count = self._asked
        count = count if day == today else 0
        if count >= self.calls:
            return False
        self._asked = today, count + 1
        return True

    async def _asked_model(self, chapter: Chapter) -> Reading | None:
        assert self.scribe is not None  # noqa: S101 — asked for only then
        try:
            answer = await self.scribe.write(reading.TASK, reading.shown(chapter.before, chapter.words))
        except HubError as error:
            log.warning("the model did not read what was said", why=str(error))
            return None
        return reading.read(answer, chapter.before, chapter.words)

    def _keep(self, connection: Connection, chapter: Chapter, found: Reading) -> int:
        """Nothing when any of the words was erased or withdrawn meanwhile, or read by somebody else."""
        rows = [words.row for words in chapter.words]
        left = select(messages.c.id).where(
            messages.c.id.in_(rows), messages.c.identity_id == chapter.identity, messages.c.state.in_(READ)
        )
        before, covers, _ = summaries.get(connection, chapter.identity, chapter.place)
        if before != chapter.before or covers >= rows[0] or len(connection.execute(left).all()) != len(rows):
            return 0
        now = self.clock()
        held = facts.of(connection, chapter.person, chapter.place, now=now)
        banned = wishes.bans(connection, chapter.person)
        said_at = {words.row: words.at for words in chapter.words}
        kept = 0
        for row, fact in found.facts:
            known = any(one.fact.key == fact.key and one.fact.value == fact.value for one in held)
            if not known and not any(fact.value in one.fact.text for one in held) and not wishes.unwanted(fact, banned):
                kept += facts.keep(
                    connection, chapter.identity, row, chapter.place, [fact], now=said_at[row], policy=self.policy
                )
        text = self.policy.kept(wishes.without(found.summary, banned)) or ""
        since = chapter.since or chapter.words[0].at
        summaries.put(connection, chapter.identity, chapter.place, text, rows[-1], since, now=now)
        return kept


READ = ("answered", "recorded")


def _extracted(chapter: Chapter) -> Reading:
    return Reading(summary=reading.extract(chapter.before, chapter.words))


def _chapter(connection: Connection, stored: Stored) -> Chapter:
    row, where = identity(connection, stored), place(stored)
    before, covers, since = summaries.get(connection, row, where)
    group = stored.message.conversation.kind == "group"
    here = conversations.c.id == stored.place if group else conversations.c.kind == "private"
    query = (
        select(messages.c.id, messages.c.payload, messages.c.received_at)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(messages.c.identity_id == row, messages.c.id > covers, messages.c.state.in_(READ), here)
        .where(messages.c.engine.not_in(past.SILENT))
        .order_by(messages.c.id)
        .limit(MOST)
    )
    said = [(m.id, INBOUND.validate_json(m.payload).text, m.received_at) for m in connection.execute(query)]
    person = connection.execute(select(identities.c.person_id).where(identities.c.id == row)).scalar_one()
    return Chapter(row, person, where, before, since, [Words(*one) for one in said if one[1].strip()])
