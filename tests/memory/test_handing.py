"""A conversation that people took over comes back to the agent: by a word, by the shell, or after a while."""

from datetime import timedelta

import pytest

from memory import audit, handing, privacy
from memory.handing import give_back_idle
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
