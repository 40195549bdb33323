"""Approved answers in the database, over SQLite and PostgreSQL, and what the agent does with them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.agent import OneAgent, engines
from agent.approved import book
from agent.approved.answer import Approved
from agent.approved.book import TICK, Book
from agent.models.scripted import Scripted
from config.sections import AgentModelSection, AgentSection
from hub.texts import texts
from memory import audit
from memory.store import Store
from tests.agent.library import Library, answer, events, shown, turn
from tests.agent.test_breaker import Clock
from tests.databases import KINDS, empty

NOW = datetime(2026, 5, 1, tzinfo=UTC)
HOURS = Approved("几点开门", "十点开门。", "公告", "https://shop.example/hours")
FREE = Approved("满多少元免运费", "满一百元。")


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    async with empty(request.param, tmp_path).opened() as opened:
        yield opened


async def approve(store: Store, *answers: Approved, later: int = 0) -> int:
    return await store.write(lambda c: book.put(c, answers, NOW + timedelta(seconds=later)))


async def test_a_question_has_one_answer_the_newest(store: Store) -> None:
    new = await approve(store, HOURS, FREE)
    again = await approve(store, Approved("请问几点开门？", "九点开门。"), later=1)
    kept = [row.approved for row in await store.read(book.rows)]

    assert (new, again) == (2, 0)
    assert kept == [Approved("请问几点开门？", "九点开门。"), FREE]


async def test_what_is_withdrawn_is_gone_and_the_log_says_so(store: Store) -> None:
    await approve(store, HOURS, FREE)
    ids = [row.id for row in await store.read(book.rows)]
    gone = await store.write(lambda c: book.remove(c, [ids[0], 999], NOW))

    assert gone == [ids[0]]
    assert [row.approved for row in await store.read(book.rows)] == [FREE]
    assert await store.read(audit.broken) is None


async def test_a_running_hub_notices_what_changed_within_a_second(store: Store) -> None:
    clock = Clock()
    looked = Book(store, clock=clock)
    first = await looked.known()
    await approve(store, FREE)
    at_once = await looked.known()
    clock.now += TICK
    later = await looked.known()
    await store.write(lambda c: book.remove(c, [row.id for row in book.rows(c)], NOW))
    await approve(store, HOURS, later=1)
    clock.now += TICK

    assert [list(one.answers) for one in (first, at_once, later, await looked.known())] == [[], [], [FREE], [HOURS]]


async def test_while_the_database_is_away_what_was_known_stays(store: Store) -> None:
    clock = Clock()
    looked = Book(store, clock=clock)
    await approve(store, FREE)
    await looked.known()
    await store.close()
    clock.now += TICK

    assert list((await looked.known()).answers) == [FREE]


async def test_an_approved_answer_comes_before_documents_and_models(store: Store) -> None:
    await approve(store, FREE)
    library = Library()
    made = OneAgent(AgentSection(), library, engines(AgentSection()), approved=Book(store))
    said = answer(await events(made.answer(turn("您好，满多少元免運費？"))))

    assert (said.text, said.engine, library.asked) == ("满一百元。", "approved", [])


async def test_what_is_only_like_it_is_answered_as_usual_and_offered(store: Store) -> None:
    await approve(store, FREE)
    made = OneAgent(AgentSection(), Library(), engines(AgentSection()), approved=Book(store))
    said = answer(await events(made.answer(turn("满多少元能免运废"))))

    assert said.engine == "extractive"
    assert said.text.endswith(texts("zh").perhaps)
    assert [choice.value for choice in said.choices] == ["满多少元免运费"]


async def test_an_offer_grows_with_the_answer_of_a_model(store: Store) -> None:
    await approve(store, FREE)
    async with Scripted() as model:
        section = AgentSection(model=AgentModelSection(provider="openai", name="m", base_url=model.url))
        made = OneAgent(section, Library(), engines(section), approved=Book(store))
        found = await events(made.answer(turn("满多少元才免运费")))
        await made.close()

    assert shown(found) == answer(found).text
    assert answer(found).text.endswith(texts("zh").perhaps)
