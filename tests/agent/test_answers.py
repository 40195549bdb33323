"""Answers given before: whose answers are kept, and for how long, in one process and in Redis."""

import uuid
from base64 import b64decode
from collections.abc import AsyncIterator

import pytest

from agent.answers import Answers, _name
from hub.coordination import Cache
from hub.coordination.local import LocalCache, local
from hub.coordination.redis import shared
from hub.message import Choice, Citation
from hub.turn import Answer, Usage
from tests.agent.library import turn
from tests.agent.test_breaker import Clock
from tests.servers import REDIS, needs

SAID = Answer(
    "八元 [1]",
    (Citation("1", "配送说明", "https://shop.example/s", "运费为八元"),),
    (Choice("好", "好"),),
    "m",
    confidence=0.9,
)


@pytest.fixture(params=["local", "redis"])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[Cache]:
    if request.param == "local":
        yield local().cache
        return
    needs(6379)
    async with shared(REDIS, prefix=f"hubtest:{uuid.uuid4().hex}:") as coordination:
        yield coordination.cache


async def test_an_answer_comes_back_whole_and_costs_nothing_again(cache: Cache) -> None:
    answers = Answers(cache, 60)
    key = answers.key(turn("运费?"), 1, "zh")
    await answers.put(key, Answer(SAID.text, SAID.citations, SAID.choices, "m", confidence=0.9, usage=Usage("m", 1, 2)))

    assert await answers.get(answers.key(turn("请问运费？"), 1, "zh")) == SAID
    assert await answers.get(answers.key(turn("运费多少?"), 1, "zh")) is None


async def test_what_somebody_else_wrote_there_is_no_answer(cache: Cache) -> None:
    answers = Answers(cache, 60)
    for broken in ("{", "{}", "[1]", '{"text": 7}'):
        await cache.put(_name("k"), broken, seconds=60)

        assert await answers.get("k") is None


async def test_no_word_of_an_answer_stands_in_the_cache_and_another_question_does_not_open_it(cache: Cache) -> None:
    answers, mine, other = Answers(cache, 60), "the question", "another"
    await answers.put(mine, SAID)
    sealed = await cache.get(_name(mine))
    assert sealed is not None
    await cache.put(_name(other), sealed, seconds=60)

    assert "八元" not in sealed
    assert "八元".encode() not in b64decode(sealed)
    assert (await answers.get(mine), await answers.get(other)) == (SAID, None)


async def test_an_answer_is_kept_for_a_time() -> None:
    clock = Clock()
    answers = Answers(LocalCache(clock), 60)
    await answers.put("k", SAID)
    clock.now += 59
    before = await answers.get("k")
    clock.now += 1

    assert (before, await answers.get("k")) == (SAID, None)


def test_the_knowledge_the_language_and_the_settings_make_other_keys() -> None:
    cache = LocalCache()
    keys = {
        Answers(cache, 60, made_by).key(turn("运费?"), version, language)
        for made_by in ("a model", "another")
        for version in (1, 2)
        for language in ("zh", "en")
    }

    assert len(keys) == 8
    assert not any("运费" in key for key in keys)


def test_what_is_said_with_somebody_s_past_in_view_is_not_kept() -> None:
    answers = Answers(LocalCache(), 60)

    assert answers.key(turn("运费?", history=(("person", "我叫小林"),)), 1, "zh") == ""
    assert answers.key(turn("运费?", memory=("只收顺丰",)), 1, "zh") == ""
    assert Answers(LocalCache(), 0).key(turn("运费?"), 1, "zh") == ""
