"""A conversation that people took over comes back to the agent: by a word, by the shell, or after a while."""

from datetime import timedelta

import pytest

from hub.message import Conversation
from hub.turn import Answer
from memory import audit, handing, privacy
from memory.handing import Rules, give_back_idle
from memory.store import Store
from tests.memory.world import World


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


async def test_a_person_may_go_back_to_the_agent(world: World) -> None:
    await world.say("oa:lin", "转人工")
    assert await world.say("oa:lin", "在吗") == ""
    assert "智能助手" in await world.say("oa:lin", "转机器人")

    assert await world.say("oa:lin", "在吗") == "ok"


@pytest.mark.parametrize("words", ["转人工", "我要找人工客服"])
async def test_where_the_platforms_own_people_take_over_no_word_back_is_promised(store: Store, words: str) -> None:
    world = World(store, kept=frozenset({"kf"}))

    assert await world.say("kf:lin", words) == "正在为您转接人工服务，请稍候。"
    assert "转机器人" in await world.say("oa:lin", words)


async def test_what_people_left_alone_goes_back_after_some_hours_and_the_person_is_told(world: World) -> None:
    await world.say("oa:lin", "转人工")
    await world.say("web:v", "Please help me with my order")
    await world.say("web:v", "/human")
    world.now += timedelta(hours=1)
    place = (await world.accept("oa:lin", "还在吗")).place
    await world.store.write(lambda c: handing.touch(c, place, now=world.now))
    world.now += timedelta(hours=1)

    assert await give_back_idle(world.store, 2, world.tell, now=world.now) == 1
    assert [text for _, text in world.told] == [
        "Our colleagues have finished; the assistant answers again. Say /human for a person."
    ]
    assert await world.say("oa:lin", "在吗") == ""
    world.now += timedelta(hours=1)
    assert await give_back_idle(world.store, 2, world.tell, now=world.now) == 1
    assert await give_back_idle(world.store, 2, world.tell, now=world.now) == 0
    assert await world.say("oa:lin", "在吗") == "ok"
    assert await world.store.read(audit.broken) is None


async def test_only_the_conversations_of_that_person_are_theirs(world: World) -> None:
    await world.say("oa:lin", "转人工")
    await world.say("oa:other", "转人工")
    person = await world.store.read(lambda c: privacy.find(c, "oa", "oa:lin"))
    assert person is not None

    assert len(await world.store.read(lambda c: handing.of_person(c, person))) == 1


@pytest.mark.parametrize(
    "words", ["我要找人工客服", "能转人工吗？", "我想转人工可以吗", "人工", "please talk to a human"]
)
async def test_whoever_asks_for_people_in_other_words_is_handed_over(world: World, words: str) -> None:
    assert "人工" in await world.say("oa:lin", words) or "person" in await world.say("oa:lin", words)
    assert await world.say("oa:lin", "在吗") == ""


@pytest.mark.parametrize("words", ["人工客服几点上班？", "这是人工智能吗", "真人秀几点播", "我要人工费的发票"])
async def test_whoever_only_speaks_of_people_is_not(world: World, words: str) -> None:
    assert await world.say("oa:lin", words) == "ok"
    assert await world.say("oa:lin", "在吗") == "ok"


async def test_a_topic_for_people_is_handed_over_unanswered_with_its_reason(world: World, store: Store) -> None:
    strict = World(store, rules=Rules(topics=("投诉",)))
    answer = await strict.turn("oa:lin", "我要投诉你们的快递")
    place = (await strict.accept("oa:lin", "在吗")).place

    assert ("人工" in answer.text, answer.handover) == (True, True)
    assert await store.read(lambda c: handing.why(c, place)) == "a topic for people"
    assert await strict.say("oa:other", "快递几天到") == "ok"


async def test_after_so_many_refusals_in_a_row_people_take_over(store: Store) -> None:
    strict = World(store, rules=Rules(refusals=2))
    refused = Answer("不知道", engine="scripted", refused=True)
    first = await strict.turn("oa:lin", "甲", agent=refused)
    await strict.say("oa:lin", "乙")
    await strict.turn("oa:lin", "丙", agent=refused)
    second = await strict.turn("oa:lin", "丁", agent=refused)

    assert (first.handover, second.handover) == (False, True)
    assert second.text.startswith("不知道")
    assert await strict.say("oa:lin", "在吗") == ""


async def test_a_platform_whose_people_have_finished_gives_the_conversation_back(world: World) -> None:
    await world.say("kf:lin", "转人工")
    await world.mind.give_back(Conversation("kf", "acc", "kf:lin"))
    await world.mind.give_back(Conversation("kf", "acc", "kf:nobody"))

    assert await world.say("kf:lin", "在吗") == "ok"
