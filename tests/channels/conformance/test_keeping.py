"""A message is stored once, under its own key, or not acknowledged."""

import asyncio

from hub.message import Text
from tests.channels.conformance.world import World


async def test_a_message_is_stored_with_its_words(world: World) -> None:
    message = await world.hear("你们几点开门？ 😀")

    assert message.parts == (Text("你们几点开门？ 😀"),)
    assert message.addressed
    assert message.conversation.channel == message.sender.channel == world.channel.name


async def test_the_same_message_again_has_the_same_key(world: World) -> None:
    key = world.key()
    answers = [await world.status(world.call("在吗", key)) for _ in range(3)]
    answers += await asyncio.gather(*(world.status(world.call("在吗", key)) for _ in range(5)))

    assert set(answers) == {200}
    assert len(world.messages) == 1


async def test_two_messages_have_two_keys_though_they_say_the_same(world: World) -> None:
    first, second = await world.hear("在吗"), await world.hear("在吗")

    assert first.key != second.key
    assert first.conversation == second.conversation
    assert first.sender == second.sender


async def test_after_a_restart_the_same_message_has_the_same_key(world: World) -> None:
    key = world.key()
    assert await world.status(world.call("在吗", key)) == 200
    async with world.restarted() as later:
        assert await later.status(later.call("在吗", key)) == 200
        assert len(later.messages) == 1
        await later.hear("还在吗")


async def test_what_could_not_be_stored_is_not_acknowledged_and_is_taken_later(world: World) -> None:
    key = world.key()
    world.storage(broken=True)
    status, body = await world.post(world.call("在吗", key))

    assert status == 503
    assert b"success" not in body
    assert b"accepted" not in body
    assert world.messages == []

    world.storage(broken=False)
    assert await world.status(world.call("在吗", key)) == 200
    assert len(world.messages) == 1
