"""One search: candidates by word, by meaning where the words do not settle it, ranked, and given out as passages.

Meaning is a help, never a condition: when its process is starting, busy or gone, the words answer alone.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import structlog

from agent.engine import Found, Passage
from agent.knowledge import tokens
from agent.knowledge.archive import Archive, Hits
from agent.knowledge.catalogue import Stored, Totals
from agent.knowledge.rank import Bag, Question, Ranked, Trial, Weights
from agent.knowledge.vectors.client import Away, Vectors
from agent.mended import mended

NEAREST = 30
"""Passages that are brought by meaning."""
PATIENCE = 1.0
"""Seconds that a question waits for its meaning; it takes 30 ms on a machine that is not busy."""
LINE = 8
"""Questions that wait for their meaning at the same time; one more is answered by its words."""
LONGEST = 1000
"""Characters of a question that are looked at."""
BAGS = 2000
"""Passages whose words are remembered."""

log = structlog.get_logger()


class Searched(NamedTuple):
    """What was found, which words of the question stand anywhere, and the normal texts that were looked at."""

    found: Found = Found()
    known: Container[str] = ()
    texts: Sequence[str] = ()


class Search:
    """Asks the index and the vectors. `vectors` is None where the settings want none.

    `starts`: a question waits for the vectors' process to start. In the hub it does not, since somebody waits
    for the answer: `on_meaning` has it started beside.
    """

    def __init__(
        self,
        archive: Archive,
        vectors: Vectors | None,
        *,
        line: int = LINE,
        patience: float = PATIENCE,
        starts: bool = True,
    ) -> None:
        self._archive = archive
        self._vectors = vectors
        self._places = line
        self._patience = patience
        self._starts = starts
        self._bags: OrderedDict[str, Bag] = OrderedDict()
        self.on_meaning: Callable[[], None] = lambda: None
        """Told when a question wants to be understood."""

    async def search(self, text: str, *, limit: int) -> Found:
        """Passages, best first, and how sure it is that they answer. Raises NotStored when the database is away.

        Where the knowledge suggests that the question was mistyped, what was meant is searched for if that is surer.
        """
        typed, known, texts = await self._search(Question(text[:LONGEST]), limit)
        meant = await asyncio.to_thread(mended, tokens.normal(text[:LONGEST]), known, texts)
        if not meant:
            return typed
        found, *_ = await self._search(Question(meant), limit)
        return replace(found, meant=meant) if found.confidence >= typed.confidence else typed

    async def _search(self, question: Question, limit: int) -> Searched:
        if not question.words and not question.characters:
            return Searched()
        hits = await self._archive.find(question)
        if not hits.passages and not question.meaningful:
            return Searched()
        stored = {one.key: one for one in hits.passages}
        trial, ranked = await asyncio.to_thread(self._by_word, question, hits)
        if ranked is None:
            closeness = await self._closeness(question, list(stored))
            added = await self._archive.by_key(closeness.keys() - stored.keys()) if closeness else []
            stored |= {one.key: one for one in added}
            ranked = await asyncio.to_thread(lambda: trial.ranked(self._remembered(stored.values()), closeness))
        texts = tuple(bag.text for bag in self._remembered(stored.values()).values())
        return Searched(found(ranked, stored, limit), hits.words, texts)

    def _by_word(self, question: Question, hits: Hits) -> tuple[Trial, Ranked | None]:
        """The order by word; None where the meaning is to be asked first."""
        bags = self._remembered(hits.passages)
        words = _weights(question.words, hits.words, hits.totals)
        sounds = None if hits.sounds is None else _weights(question.sounds, hits.sounds, hits.totals)
        trial = Trial(question, words, sounds)
        if self._vectors is not None and question.meaningful and not trial.settled(bags):
            return trial, None
        return trial, trial.ranked(bags, None)

    async def _closeness(self, question: Question, keys: list[str]) -> Mapping[str, float] | None:
        """What the vectors say; None when they say nothing in time."""
        assert self._vectors is not None  # noqa: S101 — for the type checker; _wants_meaning looked
        self.on_meaning()
        if self._places <= 0 or not (self._starts or self._vectors.connected):
            return None
        self._places -= 1
        try:
            async with asyncio.timeout(self._patience):
                return await self._vectors.nearest(question.text, limit=NEAREST, keys=keys) or None
        except (Away, TimeoutError) as error:
            log.debug("answered by word alone", why=str(error) or "the vectors take too long")
            return None
        finally:
            self._places += 1

    def _remembered(self, stored: Iterable[Stored]) -> dict[str, Bag]:
        """The words of these passages. Called in threads: an entry that two make at once is the same."""
        bags = {}
        for one in stored:
            bag = self._bags.get(one.key) or Bag(tokens.normal(one.searched))
            bags[one.key] = self._bags[one.key] = bag
        while len(self._bags) > BAGS:
            self._bags.popitem(last=False)
        return bags


def _weights(wanted: Iterable[str], counts: Mapping[str, int], totals: Totals) -> Weights:
    return Weights.from_counts(wanted, counts, passages=totals.passages, length=totals.length)


def found(ranked: Ranked, stored: Mapping[str, Stored], limit: int) -> Found:
    """The first passages as the agent knows them."""
    best = [(stored[key], score) for key, score in ranked.order[:limit]]
    return Found(tuple(_passage(one, score) for one, score in best), round(ranked.confidence, 4))


def _passage(stored: Stored, score: float) -> Passage:
    above = stored.headings[1:] if stored.document in stored.headings[:1] else stored.headings
    heading = " / ".join(filter(None, (*above, stored.anchor)))
    return Passage(
        stored.key, stored.document, stored.source, stored.url, stored.text, heading, round(score, 4), stored.lead
    )
