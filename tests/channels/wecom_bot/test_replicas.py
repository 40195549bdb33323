"""Two replicas: one is asked for the stream, the other answers it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from channels.simulators.wecom_bot import text
from channels.wecom_bot.channel import WecomBot
from channels.wecom_bot.payload import stream_id
from channels.wecom_bot.sharing import Carried, State, Told, read, write
from hub.delivery import PASSIVE
from hub.message import Conversation, InboundMessage, Receipt
from hub.texts import texts
from tests.channels.wecom_bot.conftest import World


@pytest.fixture
async def other(bot: World) -> AsyncIterator[WecomBot]:
    """A replica beside that which is called back; both listen."""
    replica = WecomBot(bot.channel.settings, bot.channel.site)
    tasks = [asyncio.create_task(channel.run()) for channel in (bot.channel, replica)]
    await asyncio.sleep(0)
    yield replica
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def asked(w: World) -> tuple[InboundMessage, str]:
    stream = (await w.call(text("几点开门"))).stream["id"]
    return w.inbox.messages[-1], stream


async def test_an_answer_that_grows_in_one_is_shown_by_the_other(bot: World, other: WecomBot) -> None:
    message, stream = await asked(bot)
    live = await other.live(message)
    assert live is not None
    await live.grow("九点")
    await asyncio.sleep(0.05)
    state = await bot.poll(stream)

    assert (state["content"], state["finish"]) == ("九点", False)
    await live.close()


async def test_an_answer_of_one_is_carried_away_by_the_other(bot: World, other: WecomBot) -> None:
    message, stream = await asked(bot)
    here, bot.channel = bot.channel, other
    sending = bot.sending(message, "九点开门")
    await asyncio.sleep(0.05)
    bot.channel = here

    assert (await bot.until_finished(stream))["content"] == "九点开门"
    assert await sending == Receipt(PASSIVE)


async def test_polls_at_one_keep_the_other_from_giving_up(bot: World, other: WecomBot) -> None:
    message, stream = await asked(bot)
    await other.live(message)
    for _ in range(10):
        await asyncio.sleep(0.05)
        await bot.poll(stream)
    here, bot.channel = bot.channel, other
    sending = bot.sending(message, "九点开门")
    await asyncio.sleep(0)
    bot.channel = here

    assert (await bot.until_finished(stream))["content"] == "九点开门"
    assert await sending == Receipt(PASSIVE)


async def test_what_was_not_heard_is_told_again(bot: World, other: WecomBot) -> None:
    message, stream = await asked(bot)
    await other.live(message)
    here, bot.channel = bot.channel, other
    sending = bot.sending(message, "九点开门")
    await asyncio.sleep(0.05)
    bot.channel = here
    lost = bot.channel._streams.get(stream)
    assert lost is not None
    lost.pieces, lost.finished = [], False

    assert (await bot.until_finished(stream))["content"] == "九点开门"
    assert await sending == Receipt(PASSIVE)


async def test_where_an_answer_went_is_told(bot: World, other: WecomBot) -> None:
    address = bot.caller.response_url()
    await bot.call(text("几点开门", response_url=address))
    message = bot.inbox.messages[-1]
    here, bot.channel = bot.channel, other
    receipt = await bot.sending(message)
    bot.channel = here
    await asyncio.sleep(0.05)

    assert receipt == Receipt("response_url")
    assert (await bot.poll(stream_id(message.key)))["content"] == texts("zh").below


@pytest.mark.parametrize(
    "news",
    [
        Carried(id="s", count=2),
        Told(
            id="s",
            conversation=Conversation("bot", "AIBOT", "CHAT1", "group"),
            live="九",
            pieces=["一", "二"],
            finished=True,
            end=State("完", finish=True, pieces=2),
        ),
    ],
)
def test_news_are_read_as_they_were_written(news: Told | Carried) -> None:
    assert read(write(news)) == news
