"""How an answer reaches a stream, and where it goes when nobody asks for it."""

import asyncio
from datetime import timedelta

import pytest

from channels.simulators.wecom_bot import text
from channels.wecom_bot.payload import key_of, stream_id
from hub.delivery import PASSIVE
from hub.errors import Closed, Faulty
from hub.message import InboundMessage, OutboundMessage, Receipt
from hub.texts import texts
from tests.channels.wecom_bot.conftest import Make, World

WORDS = texts("zh")


async def asked(w: World, words: str = "几点开门", *, url: bool = False, group: str = "") -> tuple[InboundMessage, str]:
    """A message that was taken, and its stream."""
    address = w.caller.response_url() if url else None
    stream = (await w.call(text(words, group=group, response_url=address))).stream["id"]
    return w.inbox.messages[-1], stream


async def test_a_stream_shows_the_answer_while_it_grows_and_then_the_whole(bot: World) -> None:
    message, stream = await asked(bot)
    live = await bot.live(message)
    await live.grow("九")
    before = await bot.poll(stream)
    await live.grow("九点")
    between = await bot.poll(stream)
    await live.close()
    sending = bot.sending(message, "九点开门")
    await asyncio.sleep(0)
    after = [await bot.poll(stream), await bot.poll(stream)]

    assert (before["content"], before["finish"]) == ("九", False)
    assert (between["content"], between["finish"]) == ("九点", False)
    assert [(s["content"], s["finish"]) for s in after] == [("九点开门", True)] * 2
    assert await sending == Receipt(PASSIVE)


async def test_an_answer_counts_as_sent_when_a_poll_has_carried_it_away(bot: World) -> None:
    message, stream = await asked(bot)
    sending = bot.sending(message)
    await asyncio.sleep(0.05)
    before = sending.done()
    await bot.poll(stream)

    assert not before
    assert await sending == Receipt(PASSIVE)


async def test_the_same_message_after_its_answer_gets_the_answer(bot: World) -> None:
    said = text("几点开门")
    await bot.call(said)
    sending = bot.sending(bot.inbox.messages[0])
    await asyncio.sleep(0)

    assert (await bot.call(said)).stream["content"] == "答案"
    assert await sending == Receipt(PASSIVE)


async def test_where_nobody_asks_any_more_the_answer_goes_by_the_response_url(bot: World) -> None:
    message, stream = await asked(bot, url=True)
    receipt = await bot.sending(message)

    assert receipt == Receipt("response_url")
    assert bot.caller.posted == ["答案"]
    assert await bot.poll(stream) == {"id": stream, "finish": True, "content": WORDS.below}


async def test_without_a_response_url_it_waits_for_the_next_message(bot: World) -> None:
    message, stream = await asked(bot)
    with pytest.raises(Closed):
        await bot.sending(message)

    assert (await bot.poll(stream))["content"] == WORDS.pending


async def test_what_was_kept_comes_first_in_the_stream_of_the_next_message(bot: World) -> None:
    old, _ = await asked(bot, "第一问")
    with pytest.raises(Closed):
        await bot.sending(old, "第一答")
    new, stream = await asked(bot, "第二问")
    kept = bot.sending(old, "第一答")
    await asyncio.sleep(0)
    live = await bot.live(new)
    await live.grow("第")
    between = await bot.poll(stream)
    fresh = bot.sending(new, "第二答")
    await asyncio.sleep(0)
    state = await bot.poll(stream)

    assert (await kept, await fresh) == (Receipt(PASSIVE), Receipt(PASSIVE))
    assert between["content"] == "第一答\n\n第"
    assert (state["content"], state["finish"]) == ("第一答\n\n第二答", True)


async def test_the_second_piece_of_a_long_answer_goes_by_the_response_url(bot: World) -> None:
    message, stream = await asked(bot, url=True)
    first = bot.sending(message, "长" * 6800, last=False)
    await asyncio.sleep(0)
    state = await bot.poll(stream)
    second = await bot.sending(message, "余" * 6800, first=False)

    assert (len(state["content"]), state["finish"]) == (6800, True)
    assert (await first, second) == (Receipt(PASSIVE), Receipt("response_url"))
    assert bot.caller.posted == ["余" * 6800]


async def test_an_answer_that_does_not_fit_behind_what_was_kept_goes_by_the_response_url(bot: World) -> None:
    old, _ = await asked(bot, "第一问")
    new, stream = await asked(bot, "第二问", url=True)
    kept = bot.sending(old, "旧" * 4000, reply_to="gone", context="")
    await asyncio.sleep(0)
    await bot.poll(stream)
    receipt = await bot.sending(new, "新" * 4000)

    assert (await kept, receipt) == (Receipt(PASSIVE), Receipt("response_url"))
    assert (await bot.poll(stream))["content"] == "旧" * 4000 + "\n\n" + WORDS.below


async def test_a_growing_text_is_cut_to_what_a_stream_may_carry(bot: World) -> None:
    message, stream = await asked(bot)
    live = await bot.live(message)
    await live.grow("👨‍👩‍👧" * 3000)
    content = (await bot.poll(stream))["content"]

    assert 20_000 < len(content.encode()) <= 20_480
    assert content == "👨‍👩‍👧" * (len(content) // 5)


@pytest.mark.parametrize(("url", "words"), [(True, WORDS.later), (False, WORDS.pending)])
async def test_before_wecom_gives_up_the_stream_is_ended_politely(world: Make, url: bool, words: str) -> None:
    w = await world(stream_seconds=0.1)
    message, stream = await asked(w, url=url)
    live = await w.live(message)
    await live.grow("九")
    await asyncio.sleep(0.12)
    state = await w.poll(stream)

    assert (state["finish"], state["content"]) == (True, f"九\n\n{words}")
    if url:
        assert await w.sending(message) == Receipt("response_url")
    else:
        with pytest.raises(Closed):
            await w.sending(message)


async def test_a_turn_that_says_nothing_ends_its_stream(bot: World) -> None:
    message, stream = await asked(bot)
    live = await bot.live(message)
    await live.close()
    state = await bot.until_finished(stream)

    assert state["content"] == WORDS.received


async def test_an_answer_that_is_long_on_its_way_ends_the_stream_itself_and_is_not_said_once_more(bot: World) -> None:
    message, stream = await asked(bot, url=True)
    live = await bot.live(message)
    await live.close()
    ticket = bot.ticket(message)
    ticket.answer.set_result(OutboundMessage(1, "t1", message.conversation, message.sender, "九点开门", 2))
    await asyncio.sleep(0.25)  # longer than a turn without an answer is waited for
    states = [await bot.poll(stream), await bot.poll(stream)]

    assert [(state["finish"], state["content"]) for state in states] == [(True, "九点开门")] * 2
    assert ticket.was_written == 1


async def test_words_that_were_shown_are_followed_by_their_answer_however_late_it_is_delivered(bot: World) -> None:
    message, stream = await asked(bot, url=True)
    live = await bot.live(message)
    await live.grow("九点")
    await live.close()
    await asyncio.sleep(0.25)  # longer than a turn without an answer is waited for
    between = await bot.poll(stream)
    sending = bot.sending(message, "九点开门")
    state = await bot.until_finished(stream)

    assert (between["finish"], between["content"]) == (False, "九点")
    assert state["content"] == "九点开门"
    assert await sending == Receipt(PASSIVE)


async def test_after_a_restart_a_finished_stream_still_gives_its_text(bot: World) -> None:
    message, stream = await asked(bot, group="CHAT1")
    ticket = bot.ticket(message)
    ticket.answer.set_result(OutboundMessage(1, "t1", message.conversation, message.sender, "九点开门", 2))
    bot.restarted()
    state = await bot.poll(stream, group="CHAT1")

    assert state == {"id": stream, "finish": True, "content": "九点开门"}
    assert ticket.was_written == 1


async def test_after_a_restart_an_open_stream_goes_on_to_its_end(bot: World) -> None:
    message, stream = await asked(bot)
    bot.restarted()
    between = await bot.poll(stream)
    sending = bot.sending(message, retry=True)
    state = await bot.until_finished(stream)

    assert (between["finish"], between["content"]) == (False, "")
    assert (state["content"], await sending) == ("答案", Receipt(PASSIVE))


async def test_an_answer_that_is_there_before_the_first_poll_after_a_restart_waits_for_it(bot: World) -> None:
    message, stream = await asked(bot)
    bot.restarted()
    sending = bot.sending(message, retry=True)
    await asyncio.sleep(0.05)

    assert (await bot.until_finished(stream))["content"] == "答案"
    assert await sending == Receipt(PASSIVE)


async def test_long_after_its_message_an_answer_does_not_wait_for_polls(bot: World) -> None:
    message, _ = await asked(bot, url=True)
    bot.restarted()
    bot.late = timedelta(seconds=400)

    async with asyncio.timeout(bot.channel.settings.poll_patience):
        assert await bot.sending(message) == Receipt("response_url")


async def test_a_response_url_that_is_over_is_not_called(bot: World) -> None:
    message, _ = await asked(bot, url=True)
    bot.late = timedelta(seconds=3601)

    with pytest.raises(Closed):
        await bot.sending(message)
    assert bot.caller.posted == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/x", "https://evil.example/x", "https://qyapi.weixin.qq.com.evil.cn"]
)
async def test_a_response_url_of_a_foreign_host_is_not_called(bot: World, url: str) -> None:
    await bot.call(text("几点开门", response_url=url))

    with pytest.raises(Closed):
        await bot.sending(bot.inbox.messages[0])


async def test_a_response_url_that_refuses_leaves_the_answer_for_the_next_message(bot: World) -> None:
    message, _ = await asked(bot, url=True)
    bot.caller.errcode = 60140

    with pytest.raises(Closed):
        await bot.sending(message)


async def test_a_response_url_without_connection_is_for_another_try(world: Make) -> None:
    w = await world()
    w.caller.base = "http://127.0.0.1:1"
    w.channel.settings.__dict__["api_base"] = w.caller.base
    message, _ = await asked(w, url=True)

    with pytest.raises(Faulty):
        await w.sending(message)


async def test_many_streams_are_forgotten_in_time(bot: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.wecom_bot.streams.FORGOTTEN", 0.0)
    streams = bot.channel._streams
    for number in range(5):
        await asked(bot, str(number))

    assert len(streams._streams) <= 2
    assert len(streams._latest) <= 2


def test_a_stream_names_its_message_and_back() -> None:
    for key in ("CAIQz7/MjQYY/NGagIOAgAMgl8jK/gI=", "消息", "a"):
        assert key_of(stream_id(key)) == key
    assert key_of("流") == key_of("A") == ""
