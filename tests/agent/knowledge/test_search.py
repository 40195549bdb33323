import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.engine import Found, Passage
from agent.knowledge.archive import Archive
from agent.knowledge.search import Search
from agent.knowledge.vectors import Setup
from agent.knowledge.vectors.client import Away, Vectors
from tests.agent.knowledge.library import SHELF, made


class Meanings(Vectors):
    """Vectors that say what a test wants. `asked` is what was looked up."""

    def __init__(self, closeness: dict[str, float] | None = None) -> None:
        super().__init__(Setup(Path("unused"), "unused"))
        self.closeness = closeness
        self.asked: list[str] = []
        self.waited = asyncio.Semaphore(0)
        self.let = asyncio.Event()
        self.let.set()

    async def nearest(self, question: str, *, limit: int, keys: Sequence[str]) -> dict[str, float]:
        self.asked.append(question)
        self.waited.release()
        await self.let.wait()
        if self.closeness is None:
            raise Away("not here")
        return self.closeness


@pytest.fixture
async def archive(local: Archive) -> Archive:
    for name, text in SHELF.items():
        await local.replace(*made(name, text))
    return local


async def key(archive: Archive, name: str) -> str:
    return next(one.key for one in await archive.by_key(await archive.keys()) if one.source == f"{name}.md")


def sources(found: Found) -> list[str]:
    return [passage.source for passage in found.passages]


async def test_a_passage_is_given_out_as_it_stands_in_the_document(archive: Archive) -> None:
    found = await Search(archive, None).search("会员日积分翻倍吗", limit=6)
    passage = found.passages[0]

    assert passage == Passage(
        await key(archive, "members"),
        "会员日",
        "members.md",
        "",
        "会员日是每个月的第十七天，全场积分翻倍。",
        "",
        passage.score,
    )
    assert found.confidence > 0.5


async def test_meaning_brings_what_has_no_word_in_common(archive: Archive) -> None:
    meanings = Meanings({await key(archive, "refunds"): 0.6})
    found = await Search(archive, meanings).search("东西不想要了", limit=6)

    assert sources(found) == ["refunds.md"]
    assert found.confidence > 0.5


async def test_meaning_is_not_asked_when_the_words_settle_it(archive: Archive) -> None:
    meanings = Meanings({})
    await Search(archive, meanings).search("会员日全场积分翻倍", limit=6)

    assert meanings.asked == []


@pytest.mark.parametrize("text", ["m123456", "20261125", "你好", "", "   ", "？？？", "👍"])
async def test_meaning_is_not_asked_where_there_is_none(archive: Archive, text: str) -> None:
    meanings = Meanings({})
    found = await Search(archive, meanings).search(text, limit=6)

    assert (meanings.asked, found.confidence < 0.5) == ([], True)


async def test_words_answer_when_the_vectors_are_away(archive: Archive) -> None:
    meanings = Meanings(None)
    found = await Search(archive, meanings).search("退款要多久到账", limit=6)

    assert (meanings.asked, sources(found)[0]) == (["退款要多久到账"], "refunds.md")


async def test_words_answer_when_the_vectors_take_too_long(archive: Archive) -> None:
    meanings = Meanings({})
    meanings.let.clear()
    found = await Search(archive, meanings, patience=0.01).search("退款要多久到账", limit=6)

    assert sources(found)[0] == "refunds.md"


async def test_when_the_line_is_full_the_words_answer_at_once(archive: Archive) -> None:
    meanings = Meanings({})
    meanings.let.clear()
    search = Search(archive, meanings, line=2)
    waiting = [asyncio.create_task(search.search(f"退款要多久到账{n}", limit=6)) for n in range(2)]
    await asyncio.gather(meanings.waited.acquire(), meanings.waited.acquire())
    found = await search.search("退款要多久到账", limit=6)
    meanings.let.set()
    await asyncio.gather(*waiting)

    assert (len(meanings.asked), sources(found)[0]) == (2, "refunds.md")


async def test_a_question_tells_that_it_wanted_to_be_understood(archive: Archive) -> None:
    search, told = Search(archive, Meanings({})), []
    search.on_meaning = lambda: told.append(True)
    await search.search("退款要多久到账", limit=6)

    assert told == [True]


async def test_a_vector_whose_passage_is_gone_is_nothing(archive: Archive) -> None:
    found = await Search(archive, Meanings({"gone": 0.9})).search("东西不想要了", limit=6)

    assert found.passages == ()


async def test_no_more_is_given_than_was_asked_for_and_the_best_first(archive: Archive) -> None:
    found = await Search(archive, None).search("退货运费会员日配送", limit=2)
    scores = [passage.score for passage in found.passages]

    assert len(scores) == 2
    assert scores == sorted(scores, reverse=True)


async def test_a_very_long_question_is_searched_by_its_beginning(archive: Archive) -> None:
    found = await Search(archive, None).search("退款多久原路返回" + "啊" * 100_000, limit=6)

    assert sources(found)[0] == "refunds.md"


async def test_a_mistyped_word_is_searched_for_as_the_knowledge_writes_it(archive: Archive) -> None:
    found = await Search(archive, None).search("会元日是哪天", limit=6)
    meant = await Search(archive, None).search("会员日是哪天", limit=6)

    assert (found.meant, found.passages[0].document) == ("会员日是哪天", "会员日")
    assert (meant.meant, meant.confidence) == ("", found.confidence)
    assert not (await Search(archive, None).search("深圳有会员日吗", limit=6)).meant
