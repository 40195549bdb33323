"""The documents as the rest of this room sees them: stored, found and forgotten, each step in a short transaction."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from agent.knowledge import catalogue, tokens
from agent.knowledge.catalogue import BATCH, Disturbed, Known, Stored, Totals
from agent.knowledge.document import Document, Slice
from agent.knowledge.index import MOST, Entry, Kind, index
from agent.knowledge.rank import Question
from memory.store import Store

FOUND = 30
"""Candidates that the index brings; more change nothing in the first ten."""
WEAK = 0.75
"""Below this share of the question's words in the best candidate, sounds are looked for too."""
LOOKED_AT = 4000
"""Passages that the index weighs for a question, about one microsecond each."""
TELLING = 2
"""Tokens of a question that are looked for however common they are."""
KEPT = 2000
"""Passages that are remembered."""
COUNTED = 50_000
"""Tokens whose counts are remembered: to count a common one is to walk through all passages with it."""


@dataclass(frozen=True, slots=True)
class Hits:
    """What the index brought for a question: candidates, and in how many passages its words and sounds stand."""

    passages: tuple[Stored, ...]
    totals: Totals
    words: Mapping[str, int]
    sounds: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What was read of one version of the knowledge: passages by their rows, and how common tokens are.

    What two threads put in at once is the same.
    """

    version: int
    passages: dict[int, Stored] = field(default_factory=dict)
    counts: dict[tuple[Kind, str], int] = field(default_factory=dict)


Batch = list[tuple[Slice, Entry]]


class Archive:
    """Over the database. Several processes may work on the same one."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._index = index(store.dialect)
        self._totals: Totals | None = None
        self._counted = 0.0
        self._kept = Kept(0)

    async def open(self) -> None:
        """Clears away what a crash left, and makes the index again where its tokens are of another kind."""
        made_of = str(tokens.VERSION)
        await self._store.write(lambda c: catalogue.opened(c, made_of))
        if (await self.totals()).tokens != made_of:
            await self._index_again(made_of)
        for document in await self._store.read(catalogue.stale):
            await self._sweep(document)

    async def version(self) -> int:
        """Grows with every change, by whichever process."""
        return await self._store.read(catalogue.version)

    async def totals(self) -> Totals:
        """How large the knowledge is."""
        self._totals = await self._store.read(self._count)
        return self._totals

    def _count(self, connection: Connection) -> Totals:
        known = self._totals
        if known is not None and catalogue.version(connection) == known.version:
            return known
        return catalogue.totals(connection)

    # -- documents

    async def known(self) -> dict[str, Known]:
        """Every source with what is known of it."""
        return await self._store.read(catalogue.known)

    async def replace(self, about: Known, document: Document | None) -> None:
        """Now this is what the source says. Without a document nothing of it is found."""
        while True:
            try:
                await self._put(about, document)
            except Disturbed:
                continue
            break
        await self._sweep(about.id)

    async def _put(self, about: Known, document: Document | None) -> None:
        """In one transaction where the document is short, else in several."""
        batches = [entries async for entries in _batches(document)]
        if len(batches) < 2:
            await self._store.write(partial(self._put_whole, about=about, document=document, batches=batches))
            return
        generation = await self._store.write(lambda c: catalogue.begin(c, about, self._clock()))
        for batch in batches:
            await self._store.write(partial(self._put_some, document=about.id, generation=generation, batch=batch))
        await self._store.write(lambda c: catalogue.finish(c, about, document, generation, self._clock()))

    def _put_whole(
        self, connection: Connection, *, about: Known, document: Document | None, batches: list[Batch]
    ) -> None:
        generation = catalogue.begin(connection, about, self._clock())
        for batch in batches:
            self._put_some(connection, document=about.id, generation=generation, batch=batch)
        catalogue.finish(connection, about, document, generation, self._clock())

    def _put_some(self, connection: Connection, *, document: str, generation: int, batch: Batch) -> None:
        catalogue.put(connection, self._index, document, generation, batch)

    async def touch(self, about: Known) -> None:
        """The file has another time, but says the same."""
        await self._store.write(lambda c: catalogue.touch(c, about))

    async def forget(self, ids: Sequence[str], why: str = catalogue.GONE) -> None:
        """Nothing of these is found any more."""
        await self._store.write(lambda c: catalogue.forget(c, ids, why))
        for document in ids:
            await self._sweep(document)

    async def _sweep(self, document: str) -> None:
        while await self._store.write(lambda c: catalogue.sweep(c, self._index, document)):
            self._totals = None

    async def _index_again(self, made_of: str) -> None:
        """Batch by batch; meanwhile what was not done yet may not be found."""
        last = 0
        while rows := await self._store.read(partial(catalogue.rows, after=last)):
            await self._store.write(partial(self._again, rows=rows))
            last = rows[-1]
        await self._store.write(lambda c: catalogue.indexed(c, made_of))

    def _again(self, connection: Connection, rows: list[int]) -> None:
        self._index.remove(connection, rows)
        stored = catalogue.by_row(connection, rows)
        self._index.add(connection, {one.row: Entry.of(one.searched) for one in stored})

    # -- passages

    async def find(self, question: Question) -> Hits:
        """Candidates by word; by sound too where words find little."""
        return await self._store.read(lambda c: self._find(c, question))

    def _find(self, connection: Connection, question: Question) -> Hits:
        totals, kept = self._recent(connection), self._of_this_version(connection)
        words = self._counts(connection, kept, "words", question.words)
        rows = self._index.find(connection, "words", rare(words), FOUND)
        if len(rows) < FOUND and len(question.words) < 6:
            rows += self._index.find(connection, "characters", question.characters, FOUND - len(rows))
        sounds = None
        if self._weak(words, question):
            sounds = self._counts(connection, kept, "sounds", question.sounds)
            rows += self._index.find(connection, "sounds", rare(sounds), FOUND)
        return Hits(tuple(self._passages(connection, kept, list(dict.fromkeys(rows)))), totals, words, sounds)

    def _of_this_version(self, connection: Connection) -> Kept:
        version, kept = catalogue.version(connection), self._kept
        if kept.version != version or len(kept.passages) > KEPT or len(kept.counts) > COUNTED:
            kept = self._kept = Kept(version)
        return kept

    def _counts(self, connection: Connection, kept: Kept, kind: Kind, wanted: Iterable[str]) -> dict[str, int]:
        """How common these tokens are; those that stand nowhere are left out."""
        tokens_wanted = list(dict.fromkeys(wanted))[:MOST]
        if missing := [token for token in tokens_wanted if (kind, token) not in kept.counts]:
            found = self._index.counts(connection, kind, missing)
            kept.counts.update(((kind, token), found.get(token, 0)) for token in missing)
        return {token: count for token in tokens_wanted if (count := kept.counts[kind, token])}

    def _passages(self, connection: Connection, kept: Kept, rows: Sequence[int]) -> list[Stored]:
        """The passages of these rows; those that were asked for before come from memory."""
        missing = [row for row in rows if row not in kept.passages]
        kept.passages.update((one.row, one) for one in catalogue.by_row(connection, missing))
        return [kept.passages[row] for row in rows if row in kept.passages]

    def _recent(self, connection: Connection) -> Totals:
        """The totals of this second: what weighs words may be that old."""
        now = time.monotonic()
        if self._totals is None or now > self._counted + 1:
            self._totals, self._counted = self._count(connection), now
        return self._totals

    def _weak(self, counts: Mapping[str, int], question: Question) -> bool:
        """Whether words of the question are unknown here: they may be mistyped."""
        return bool(question.sounds) and len(counts) < WEAK * len(question.words)

    async def by_key(self, keys: Iterable[str]) -> list[Stored]:
        """The passages with these keys that are a document's."""
        wanted = list(keys)
        return await self._store.read(lambda c: catalogue.by_key(c, wanted)) if wanted else []

    async def keys(self) -> list[str]:
        """Of all passages."""
        return await self._store.read(catalogue.keys)

    async def alive(self, keys: Sequence[str]) -> set[str]:
        """Which of these keys are a passage's now."""
        return await self._store.read(lambda c: catalogue.alive(c, keys))


def rare(counts: Mapping[str, int]) -> list[str]:
    """The tokens that bring candidates: the rarest, as many as stand in LOOKED_AT passages together.

    A common word tells little and costs as much as there are passages with it; what it is worth, the ranking
    still knows.
    """
    looked_at, chosen = 0, list[str]()
    for token, count in sorted(counts.items(), key=lambda item: item[1]):
        looked_at += count
        if looked_at > LOOKED_AT and len(chosen) >= TELLING:
            break
        chosen.append(token)
    return chosen


async def _batches(document: Document | None) -> AsyncIterator[Batch]:
    """The passages with their tokens, which are made in a thread."""
    if document is not None:
        for start in range(0, len(document.slices), BATCH):
            yield await asyncio.to_thread(_entries, document, document.slices[start : start + BATCH])


def _entries(document: Document, slices: Sequence[Slice]) -> Batch:
    return [(piece, Entry.of(document.words(piece))) for piece in slices]
