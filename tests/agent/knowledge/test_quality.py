"""The sample knowledge, asked as people ask: what is found, what is refused, and that meaning adds to words.

The bounds stand a little below what was measured; tests/agent/knowledge/measure.py has the figures of public sets.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from agent.engine import THRESHOLD, Found
from agent.knowledge.archive import Archive
from agent.knowledge.embedding import Embedding
from agent.knowledge.library import now
from agent.knowledge.search import Search
from agent.knowledge.sources import Sources
from agent.knowledge.vectors import Setup
from agent.knowledge.vectors.client import Vectors
from tests.agent.knowledge.conftest import in_file
from tests.agent.knowledge.measure import Typist
from tests.architecture.source import ROOT

pytestmark = pytest.mark.timeout(300)  # the vectors take ten seconds of a core, which may be a busy one

SAMPLE = ROOT / "knowledge"
ASKED = [
    tuple(line.split("\t")) for line in (ROOT / "tests/data/questions.tsv").read_text(encoding="utf-8").splitlines()
]
ELSEWHERE = (ROOT / "tests/data/elsewhere.txt").read_text(encoding="utf-8").splitlines()


@dataclass(frozen=True)
class Ways:
    """The sample knowledge, searched by word alone and with meaning."""

    words: Search
    both: Search


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ways(file: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ways]:
    folder = tmp_path_factory.mktemp("sample")
    async with in_file(file, folder) as store:
        archive = Archive(store, now)
        await archive.open()
        await Sources(archive, [SAMPLE], most=2**20).scan()
        setup = Setup(folder / "vectors", "sample")
        vectors = Vectors(setup)
        try:
            await Embedding(archive, vectors, setup).catch_up(lambda made, of: None)
            yield Ways(Search(archive, None), Search(archive, vectors, patience=30))
        finally:
            await vectors.close()


def rank(found: Found, source: str, words: str) -> int:
    """The place of the first passage of this document that says so."""
    right = [Path(p.source).stem == source and words in p.text for p in found.passages]
    return right.index(True) + 1 if True in right else 99


async def ranks(search: Search, questions: list[str]) -> list[int]:
    found = [await search.search(question, limit=6) for question in questions]
    return [rank(one, source, words) for one, (_, source, words) in zip(found, ASKED, strict=True)]


def share(ranks: list[int], most: int) -> float:
    return sum(rank <= most for rank in ranks) / len(ranks)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_right_passage_is_found(ways: Ways) -> None:
    plain = [question for question, _, _ in ASKED]
    words, both = await ranks(ways.words, plain), await ranks(ways.both, plain)

    assert [share(words, 1) >= 0.6, share(words, 5) >= 0.88] == [True, True]
    assert [share(both, 1) >= 0.85, share(both, 5) >= 0.95] == [True, True]


@pytest.mark.asyncio(loop_scope="module")
async def test_the_right_passage_is_found_when_the_question_is_mistyped(ways: Ways) -> None:
    typist = Typist([path.read_text(encoding="utf-8") for path in SAMPLE.iterdir()])
    both = await ranks(ways.both, [typist.mistype(question, 1) for question, _, _ in ASKED])

    assert [share(both, 1) >= 0.7, share(both, 5) >= 0.85] == [True, True]


@pytest.mark.asyncio(loop_scope="module")
async def test_what_the_knowledge_holds_is_answered_and_the_rest_is_not(ways: Ways) -> None:
    held = [(await ways.both.search(question, limit=6)).confidence for question, _, _ in ASKED]
    others = [(await ways.both.search(question, limit=6)).confidence for question in ELSEWHERE]

    assert sum(confidence >= THRESHOLD for confidence in held) / len(held) >= 0.95
    assert sum(confidence < THRESHOLD for confidence in others) / len(others) >= 0.95
